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
}

/** Writes numbered lines as a container runtime does, rotated at 10 MiB as the kubelet does. Resolves to how many there are. */
export async function writeLogs(options: WriterOptions): Promise<number> {
  const worker = new Worker(new URL("./writer-worker.ts", import.meta.url), { workerData: options });
  const [lines]: number[] = await once(worker, "message");
  await worker.terminate();
  return lines ?? 0;
}
