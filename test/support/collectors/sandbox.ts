import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IpFamily } from "../../../components/kubernetes/ip-family.ts";
import type { Collector } from "../../../components/logging/collectors/collector.ts";
import { credentialsFolder } from "../../../components/logging/destinations/destination-secrets.ts";
import { logPipeline } from "../../../components/logging/pipeline.ts";
import { JOURNAL_FOLDER } from "../../../components/logging/sources/source.ts";
import { Running } from "./program.ts";
import { unnamedCluster } from "./unnamed-cluster.ts";

/** How a collector's rendered files are made to run outside a cluster. */
export interface LocalCollector {
  readonly collector: Collector;
  readonly program: string;
  /** Changes that only the absence of a cluster asks for: address of the API server, endpoints of AWS. Nothing that is tested. */
  adapt(text: string, local: { readonly receiverPort: number; readonly token: string }): string;
}

/** What the Secrets of a destination hold. */
interface Login {
  readonly user: string;
  readonly password: string;
  /** Values of its secret headers, in the order of the settings. @default none */
  readonly headers?: readonly string[];
}

/** A folder that stands for a node: its logs, a collector's configuration and its state. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "collector-"));
  readonly pods = join(this.folder, "pods");
  /** What stands for the node's journal; none is there at first. */
  readonly journal = join(this.folder, "journal");
  readonly state = join(this.folder, "state");
  readonly log = join(this.folder, "collector.log");
  readonly #credentials = join(this.folder, "credentials");
  readonly #local: LocalCollector;
  readonly #args: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #senders: readonly (readonly string[])[];

  /**
   * @param pods A folder that stands in the place of the sandbox's own pods. Default: none, and the sandbox begins empty.
   * @param ipFamily Of the cluster. Default: ipv4.
   */
  constructor(local: LocalCollector, settings: object, receiverPort: number, pods?: string, ipFamily?: IpFamily) {
    this.#local = local;
    const { collector } = local;
    const config = join(this.folder, "config");
    for (const path of [this.state, config, this.#credentials]) mkdirSync(path, { recursive: true });
    if (pods === undefined) mkdirSync(this.pods);
    else symlinkSync(pods, this.pods);
    const pipeline = logPipeline(unnamedCluster({ collector: collector.id, ...settings }), {
      cluster: "test",
      region: "eu-central-1",
      ipFamily,
    });
    const rendered = collector.render(pipeline);
    const token = join(this.folder, "token");
    writeFileSync(token, "token of the sandbox");
    const move = (text: string) =>
      text
        .replaceAll("/var/log/pods", this.pods)
        .replaceAll(JOURNAL_FOLDER, this.journal)
        .replaceAll(collector.configFolder, config)
        .replaceAll(collector.stateFolder, this.state)
        .replaceAll(credentialsFolder(), this.#credentials);
    for (const [name, text] of Object.entries(rendered.files)) {
      writeFileSync(join(config, name), local.adapt(move(text), { receiverPort, token }), { mode: 0o600 });
    }
    this.#args = rendered.args.map(move);
    this.#environment = rendered.environment ?? {};
    this.#senders = (rendered.senders ?? []).map((sender) => sender.args.map(move));
  }

  /** @param login User and password of the destination, and its secret headers; its token is the password. */
  start(extraArgs: readonly string[] = [], login: Login = { user: "user", password: "password" }): Running {
    const headers = login.headers ?? [];
    for (const [at, value] of headers.entries()) writeFileSync(join(this.#credentials, `header_${at + 1}`), value);
    writeFileSync(join(this.#credentials, "username"), login.user);
    for (const name of ["password", "token"]) writeFileSync(join(this.#credentials, name), login.password);
    return new Running(this.#local.program, [...this.#args, ...extraArgs], this.log, {
      NODE_NAME: "node",
      LOG_USER: login.user,
      LOG_PASSWORD: login.password,
      LOG_TOKEN: login.password,
      ...Object.fromEntries(headers.map((value, at) => [`LOG_HEADER_${at + 1}`, value])),
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      ...this.#environment,
    });
  }

  /** Starts what sends to one of several destinations each, as containers beside the collector do. */
  startSenders(): Running[] {
    return this.#senders.map(
      (args, at) =>
        new Running(this.#local.program, args, `${this.log}.${at}`, {
          NODE_NAME: "node",
          AWS_ACCESS_KEY_ID: "test",
          AWS_SECRET_ACCESS_KEY: "test",
        }),
    );
  }

  /** Writes a container's log file: lines in CRI's format. */
  write(
    pod: { readonly namespace: string; readonly pod: string; readonly container: string },
    lines: readonly (string | Buffer)[],
  ): void {
    const place = join(this.pods, `${pod.namespace}_${pod.pod}_95c1ec06-0000-0000-0000-000000000000`, pod.container);
    mkdirSync(place, { recursive: true });
    const bytes = lines.flatMap((line) => [Buffer.from(line), Buffer.from("\n")]);
    writeFileSync(join(place, "0.log"), Buffer.concat(bytes), { flag: "a" });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
