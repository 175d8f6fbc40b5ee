import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Received } from "./protocols.ts";
import type { Stats } from "./tally.ts";

/**
 * take all · away: connections break · silent: requests are never answered · hung: nor are they, and their connections break with the
 * next mode, as when a server is started anew · busy: 429 · failing: 503 · denied: 403 · moved: 301 · unauthorized: 401 · partial: some
 * documents of a bulk get 429 · forgetful: all documents are taken, and the connection breaks before the answer.
 */
export type ReceiverMode = "take" | "away" | "silent" | "hung" | keyof typeof REFUSALS | "partial" | "forgetful";

/** What is answered in a mode that refuses all. */
export const REFUSALS = { busy: 429, failing: 503, denied: 403, moved: 301, unauthorized: 401 } as const;

/**
 * A server of the test's own that takes what collectors send, counts it, and answers as told: Elasticsearch's and OpenSearch's bulk
 * API, Loki's push API, PutLogEvents of CloudWatch Logs, objects of S3 and JSON lines. It also answers for pods as an API server. A
 * record with the word `poison` in its line is refused for good. In a thread of its own, since it shares the machine with the collector.
 */
export class Receiver {
  readonly port: number;
  readonly #worker: Worker;

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
    this.port = port;
  }

  static async start(
    options: { readonly keep?: number; readonly labels?: Readonly<Record<string, string>> } = {},
  ): Promise<Receiver> {
    const worker = new Worker(new URL("./receiver-worker.ts", import.meta.url), {
      workerData: { keep: options.keep ?? 1000, labels: options.labels ?? {} },
    });
    const [address]: { port: number }[] = await once(worker, "message");
    return new Receiver(worker, address?.port ?? 0);
  }

  set(mode: ReceiverMode): void {
    this.#worker.postMessage({ mode });
  }

  /** Gives all pods other labels from now on. */
  relabel(labels: Readonly<Record<string, string>>): void {
    this.#worker.postMessage({ labels });
  }

  async stats(): Promise<Stats> {
    this.#worker.postMessage({ ask: "stats" });
    const [stats] = await once(this.#worker, "message");
    return stats;
  }

  /** The first records, whole. */
  async kept(): Promise<readonly Received[]> {
    this.#worker.postMessage({ ask: "kept" });
    const [kept] = await once(this.#worker, "message");
    return kept;
  }

  /** Waits until that many of the writer's records are there, or none has come for a while; then what there is. */
  async settled(wanted: number, quietSeconds = 8): Promise<Stats> {
    let last = await this.stats();
    let quiet = 0;
    while (last.unique < wanted && quiet < quietSeconds * 4) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      const now = await this.stats();
      quiet = now.records === last.records ? quiet + 1 : 0;
      last = now;
    }
    return last;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
