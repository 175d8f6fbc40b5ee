import { anyAddress } from "../../../kubernetes/ip-family.ts";
import { amount } from "../../../schema/values.ts";
import { type LogPipeline, withName } from "../../pipeline.ts";
import type { OwnSource } from "../../sources/journal.ts";
import type { Collector } from "../collector.ts";

/** A section of the YAML configuration: option to value, or to several where an option may stand more than once. */
export type Section = Readonly<Record<string, string | number | readonly string[]>>;

/** Tag of the records of a source other than pods. */
export function tagOf(source: OwnSource): string {
  return source === "events" ? source : `journal.${source}`;
}

export const STATE_FOLDER = "/var/lib/fluent-bit";
/** Short, since what is unsent is on disk already: while it stops it reads nothing, and a file rotated meanwhile is lost. */
export const GRACE_SECONDS = 1;

/** Ports of one process; those of one pod differ. */
export interface Ports {
  readonly http: number;
  readonly alive: number;
}
export const OWN_PORTS: Ports = { http: 2020, alive: 2021 };

/** A chunk is closed at this size. */
const CHUNK = 2 * 2 ** 20;
/**
 * Most chunks that are in memory at once, each with the request that is made of it: the bound of the memory while a backlog is
 * sent. Measured with 50 busy containers: 367 MB, and 692 MB with the default of 128, more than the pod may have.
 */
const MAX_CHUNKS_UP = 64;
/** Longest wait between two tries, in seconds. It grows with the outage, so that the end of a short one is noticed soon. */
const MAX_WAIT = 600;

/** What concerns the whole program. @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml/service-section */
export function service(pipeline: Pick<LogPipeline, "buffer" | "name" | "context">, { http }: Ports): Section {
  return {
    flush: 1,
    grace: GRACE_SECONDS,
    log_level: "info",
    // A record stays as long as it is: nothing waits in memory, since the multiline filter has no buffer.
    multiline_buffer_limit: 0,
    // UTF-8 as it is: escaped, each character that is not ASCII costs as much as a hundred that are, and three times the bytes.
    "json.escape_unicode": "off",
    http_server: "on",
    http_listen: anyAddress(pipeline.context.ipFamily),
    http_port: http,
    health_check: "on",
    ...bufferService(pipeline),
  };
}

/**
 * Answers the liveness probe from the thread that reads. Fluent Bit's own server has a thread of its own, and answers while the other
 * waits for an API server that took a question and never answers, for which there is no time limit. Nothing matches its tag. It stands
 * last, so that the first input and its folder in the buffer keep their name.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/splunk
 */
export function aliveInput({ context }: Pick<LogPipeline, "context">, { alive }: Ports): Section {
  return { name: "splunk", tag: "alive", listen: anyAddress(context.ipFamily), port: alive, buffer_max_size: "4k" };
}

/** How a process is asked whether it lives, and where its metrics are. */
export function probesAt({ http, alive }: Ports) {
  return {
    // While a large backlog is read an answer takes about a second, and more on a node without a core to spare.
    liveness: { path: "/services/collector/health", port: alive, timeoutSeconds: 30 },
    readiness: { path: "/api/v1/health", port: http },
    ports: { metrics: http },
  } satisfies Pick<Collector, "liveness" | "readiness" | "ports">;
}

/**
 * The disk buffer and the retries, for the whole program. What was given up is not kept (`storage.keep.rejected`): its limit counts
 * only what lay there at the start, and so one pod that writes what is always refused could fill the node's disk.
 * @see https://docs.fluentbit.io/manual/administration/buffering-and-storage
 */
function bufferService({ buffer, name }: Pick<LogPipeline, "buffer" | "name">): Section {
  // A buffer that blocks is full when as many are in memory; the kubelet's files are what holds the rest.
  const wanted = buffer.whenFull === "block" ? Math.ceil(amount(buffer.size) / CHUNK) : MAX_CHUNKS_UP;
  return {
    "storage.path": withName(`${STATE_FOLDER}/buffer`, name),
    "storage.sync": "normal",
    "storage.metrics": "on",
    "storage.backlog.mem_limit": "64M",
    "storage.max_chunks_up": Math.min(wanted, MAX_CHUNKS_UP),
    // A chunk that the disk has spoilt is dropped, so that it does not block the rest.
    "storage.delete_irrecoverable_chunks": "on",
    "scheduler.base": 1,
    "scheduler.cap": MAX_WAIT,
  };
}

/** How an input buffers, and whether it stops reading while the buffer is full. */
export function bufferInput({ buffer }: Pick<LogPipeline, "buffer">): Section {
  return {
    "storage.type": "filesystem",
    ...(buffer.whenFull === "block" ? { "storage.pause_on_chunks_overlimit": "on" } : {}),
  };
}
