import { once } from "node:events";
import { Worker } from "node:worker_threads";

export interface WriterOptions {
  /** Stands for `/var/log/pods`. */
  readonly folder: string;
  /** How many containers write. */
  readonly files: number;
  /** Of all of them together. */
  readonly bytesPerSecond: number;
  readonly seconds: number;
  /** Every so many lines of a file one is refused for good by the receiver. Default: none. */
  readonly poisonEvery?: number;
  /** Number of the first file, where several writers write. Default 0. */
  readonly firstFile?: number;
  /** How often it is looked whether a file is large enough to be rotated; the kubelet does every ten seconds. Default: at each write. */
  readonly rotationSeconds?: number;
  /** Whether each file is of a pod of its own. Default: all are of one pod. */
  readonly ownPods?: boolean;
  /** Of the pods. Default `ts-team`. */
  readonly namespace?: string;
  /** Of a line, as the runtime writes it, with the line break. Default 290. */
  readonly lineBytes?: number;
}

/** What was written: lines, and how many of them the receiver refuses for good. */
export interface Written {
  readonly lines: number;
  readonly poisoned: number;
  /** How often a file was put aside for a new one, of all files together. */
  readonly rotations: number;
}

/** Writes numbered lines as a container runtime does, rotated at 10 MiB as the kubelet does. */
export async function writeLogs(options: WriterOptions): Promise<Written> {
  const worker = new Worker(new URL("./writer-worker.ts", import.meta.url), { workerData: options });
  const [written]: Written[] = await once(worker, "message");
  await worker.terminate();
  return written ?? { lines: 0, poisoned: 0, rotations: 0 };
}
