import { sentenceOf } from "../finding.ts";
import type { Corefile, Server } from "../model.ts";
import type { StartContext } from "../setups/starts.ts";

/** Where a Corefile will run. The version is that of the EKS add-on, unless `isAddon` says otherwise. */
export interface CheckContext extends StartContext {
  /** Addresses of the Service kube-dns; forwarding to them is a loop. Empty if unknown. Default: EKS's own two. */
  readonly clusterDns?: readonly string[] | undefined;
  /** Seconds until the pod is killed. Default 30, which the add-on uses. */
  readonly terminationGrace?: number | undefined;
  /** Whether it runs in the add-on's pods, whose files and environment are known. Default: whether `coredns` is set. */
  readonly isAddon?: boolean | undefined;
  /** Target port of the Service for queries. Default 53, as in the add-on. */
  readonly port?: number | undefined;
  /** The cluster domain. Default cluster.local, the only one on EKS. */
  readonly clusterDomain?: string | undefined;
  /** Address of the stack's NodeLocal DNSCache; forwarding to it is a loop too. */
  readonly nodeLocal?: string | undefined;
}

/** Problems of a Corefile, each worded by {@link sentenceOf}. */
export interface CorefileFindings {
  /** CoreDNS would not start, would be killed by its probes, or would not answer. */
  readonly errors: readonly string[];
  /** CoreDNS runs, but not as the text suggests, or worse than it could. */
  readonly warnings: readonly string[];
}

/** Where findings are collected. */
type Found = { readonly [Kind in keyof CorefileFindings]: string[] };

/** Words findings and collects them. */
abstract class Checked {
  protected readonly found: Found;
  readonly #block: readonly string[] | undefined;

  constructor(found: Found, block?: readonly string[]) {
    this.found = found;
    this.#block = block;
  }

  error(subject: string, problem: string, advice?: string): void {
    this.found.errors.push(sentenceOf({ block: this.#block, subject, problem, advice }));
  }

  warn(subject: string, problem: string, advice?: string): void {
    this.found.warnings.push(sentenceOf({ block: this.#block, subject, problem, advice }));
  }
}

/** A Corefile that is checked, and what is found in it. */
export class CheckedCorefile extends Checked {
  readonly servers: readonly Server[];
  /** Whether it imports files with more blocks, which are not read. */
  readonly hasImports: boolean;
  readonly context: CheckContext;

  constructor({ servers, imports }: Corefile, context: CheckContext, found: Found) {
    super(found);
    this.servers = servers;
    this.hasImports = imports.length > 0;
    this.context = context;
  }

  /** One of its blocks. */
  block(server: Server): CheckedServer {
    return new CheckedServer(server, this, this.found);
  }
}

/** A server block that is checked, and what is found in it. */
export class CheckedServer extends Checked {
  readonly server: Server;
  readonly corefile: CheckedCorefile;

  constructor(server: Server, corefile: CheckedCorefile, found: Found) {
    super(found, server.zones);
    this.server = server;
    this.corefile = corefile;
  }

  /** All blocks of the Corefile. */
  get servers(): readonly Server[] {
    return this.corefile.servers;
  }

  get context(): CheckContext {
    return this.corefile.context;
  }
}
