import { sentenceOf } from "../finding.ts";
import type { Server } from "../model.ts";
import type { Version } from "../releases.ts";

/** Where the Corefile will run. */
export interface CheckContext {
  /** Addresses of the Service kube-dns; forwarding to them is a loop. Empty if unknown. Default: EKS's own two. */
  readonly clusterDns?: readonly string[] | undefined;
  /** Seconds until the pod is killed. Default 30, which the add-on uses. */
  readonly terminationGrace?: number | undefined;
  /** CoreDNS's version, if it comes from the EKS add-on. Default: the newest with known plugins, in pods with unknown files. */
  readonly coredns?: Version | undefined;
  /** Whether it runs in the add-on's pods, whose files and environment are known. Default: whether `coredns` is set. */
  readonly isAddon?: boolean | undefined;
  /** Target port of the Service for queries. Default 53, as in the add-on. */
  readonly port?: number | undefined;
  /** The cluster domain. Default cluster.local, the only one on EKS. */
  readonly clusterDomain?: string | undefined;
  /**
   * Whether the cluster's owner may have given CoreDNS's service account an IAM role.
   * @default false
   */
  readonly mayHaveRole?: boolean | undefined;
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

/** Collects findings. */
export class Findings {
  readonly errors: string[] = [];
  readonly warnings: string[] = [];

  /** Reports an error in a server block; undefined for the whole Corefile. */
  error(server: Server | undefined, subject: string, problem: string, advice?: string): void {
    this.errors.push(sentenceOf({ block: server?.zones, subject, problem, advice }));
  }

  /** Reports a warning, as {@link error}. */
  warn(server: Server | undefined, subject: string, problem: string, advice?: string): void {
    this.warnings.push(sentenceOf({ block: server?.zones, subject, problem, advice }));
  }
}

/** A server block that is checked. */
export class CheckedServer {
  readonly server: Server;
  /** All blocks of the Corefile. */
  readonly servers: readonly Server[];
  readonly context: CheckContext;
  readonly #findings: Findings;

  constructor(server: Server, servers: readonly Server[], context: CheckContext, findings: Findings) {
    this.server = server;
    this.servers = servers;
    this.context = context;
    this.#findings = findings;
  }

  error(subject: string, problem: string, advice?: string): void {
    this.#findings.error(this.server, subject, problem, advice);
  }

  warn(subject: string, problem: string, advice?: string): void {
    this.#findings.warn(this.server, subject, problem, advice);
  }
}
