import { amount } from "../../../schema/values.ts";
import { hasIndex, type LogPipeline } from "../../pipeline.ts";

/** A section of the YAML configuration: option to value, or to several where an option may stand more than once. */
export type Section = Readonly<Record<string, string | number | readonly string[]>>;

/** A chunk is closed at this size. */
const CHUNK = 2 * 2 ** 20;
/**
 * Most chunks that are in memory at once, each with the request that is made of it: the bound of the memory while a backlog is
 * sent. Measured with 50 busy containers: 367 MB, and 692 MB with the default of 128, more than the pod may have.
 */
const MOST_CHUNKS_UP = 64;
/**
 * How often a chunk is tried again where the destination cannot say "never": with the waits of `scheduler.cap` it takes about
 * three and a half hours. A bulk request with one document that is always refused counts as failed as a whole; without a bound it
 * would come again for ever, and the more of its kind, the less room for others. Measured: docs/explanation/delivery.md.
 */
const RETRIES = 50;
/** Of S3's output, which takes "no limit" for five and then drops the object: more than an outage is long. */
const S3_RETRIES = 1_000_000;
/** Longest wait between two tries, in seconds. It grows with the outage, so that the end of a short one is noticed soon. */
const LONGEST_WAIT = 600;

/**
 * The disk buffer and the retries, for the whole program. What was given up is not kept (`storage.keep.rejected`): its limit counts
 * only what lay there at the start, and so one pod that writes what is always refused could fill the node's disk.
 * @see https://docs.fluentbit.io/manual/administration/buffering-and-storage
 */
export function bufferService({ buffer }: Pick<LogPipeline, "buffer">, stateFolder: string): Section {
  // A buffer that blocks is full when as many are in memory; the kubelet's files are what holds the rest.
  const wanted = buffer.whenFull === "block" ? Math.ceil(amount(buffer.size) / CHUNK) : MOST_CHUNKS_UP;
  return {
    "storage.path": `${stateFolder}/buffer`,
    "storage.sync": "normal",
    "storage.metrics": "on",
    "storage.backlog.mem_limit": "64M",
    "storage.max_chunks_up": Math.min(wanted, MOST_CHUNKS_UP),
    // A chunk that the disk has spoilt is dropped, so that it does not block the rest.
    "storage.delete_irrecoverable_chunks": "on",
    "scheduler.base": 1,
    "scheduler.cap": LONGEST_WAIT,
  };
}

/** How an input buffers, and whether it stops reading while the buffer is full. */
export function bufferInput({ buffer }: Pick<LogPipeline, "buffer">): Section {
  return {
    "storage.type": "filesystem",
    ...(buffer.whenFull === "block" ? { "storage.pause_on_chunks_overlimit": "on" } : {}),
  };
}

/** How often an output tries again, and how much may wait for it before what has waited longest is dropped. */
export function bufferOutput({ buffer, destination }: Pick<LogPipeline, "buffer" | "destination">): Section {
  const s3 = destination.kind === "s3";
  const most = s3 ? storeSize({ buffer }) : amount(buffer.size);
  return {
    retry_limit: hasIndex(destination) ? RETRIES : s3 ? S3_RETRIES : "no_limits",
    ...(buffer.whenFull === "drop-oldest" ? { "storage.total_limit_size": most } : {}),
  };
}

/** Bytes of the files that objects are gathered in: half of the buffer, since what they have no room for waits beside them. */
export function storeSize({ buffer }: Pick<LogPipeline, "buffer">): number {
  return amount(buffer.size) / 2;
}
