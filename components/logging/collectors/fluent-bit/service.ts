import { anyAddress } from "../../../kubernetes/ip-family.ts";
import { amount } from "../../../schema/values.ts";
import { type LogPipeline, withName } from "../../pipeline.ts";
import type { OwnSource } from "../../sources/source.ts";
import type { Collector } from "../collector.ts";

/** A section of the YAML configuration: option to value, to several values for a repeated option, or to none if undefined. */
export type Section = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Tag of records from a source other than pods. */
export function tagOf(source: OwnSource): string {
  return source === "events" ? source : `journal.${source}`;
}

export const CONFIG_FOLDER = "/fluent-bit/etc/conf";
export const STATE_FOLDER = "/var/lib/fluent-bit";
/** Short, since unsent lines are on disk: while it stops it reads nothing, and would lose a file that is rotated meanwhile. */
export const GRACE_SECONDS = 1;

/** Ports of one process; they differ within a pod. */
export interface Ports {
  readonly http: number;
  readonly alive: number;
}
export const OWN_PORTS: Ports = { http: 2020, alive: 2021 };

/** A chunk is closed at this size in bytes. */
const CHUNK = 2 * 2 ** 20;
/**
 * Maximum chunks in memory, each with the request made from it: bounds the memory while a backlog is sent. Measured with 50 busy
 * containers: 367 MB, and 692 MB with the default of 128, more than the pod's limit.
 */
const MAX_CHUNKS_UP = 64;
/** Longest wait between two retries, in seconds. Waits grow with the outage, so that the end of a short one is noticed soon. */
const MAX_WAIT = 600;

/** Process-wide options. @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml/service-section */
export function service(pipeline: Pick<LogPipeline, "buffer" | "name" | "context">, { http }: Ports): Section {
  return {
    flush: 1,
    grace: GRACE_SECONDS,
    log_level: "info",
    // No limit on a record's length: nothing waits in memory, since the multiline filter has no buffer.
    multiline_buffer_limit: 0,
    // UTF-8 unescaped: escaping a non-ASCII character costs as much time as a hundred ASCII ones, and three times the bytes.
    "json.escape_unicode": "off",
    http_server: "on",
    http_listen: anyAddress(pipeline.context.ipFamily),
    http_port: http,
    health_check: "on",
    ...bufferService(pipeline),
  };
}

/**
 * Answers the liveness probe from the thread that reads. Fluent Bit's own server has its own thread, and answers even while the reading
 * thread waits for an API server that accepted a request and never answers, which has no timeout. Nothing matches its tag. It is the last
 * input, so that the first one and its folder in the buffer keep their name.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/splunk
 */
export function aliveInput({ context }: Pick<LogPipeline, "context">, { alive }: Ports): Section {
  return { name: "splunk", tag: "alive", listen: anyAddress(context.ipFamily), port: alive, buffer_max_size: "4k" };
}

/** Probes and metrics port of a process. */
export function probesAt({ http, alive }: Ports) {
  return {
    // While a large backlog is read, an answer takes about a second, and more on a node without a spare core.
    liveness: { path: "/services/collector/health", port: alive, timeoutSeconds: 30 },
    readiness: { path: "/api/v1/health", port: http },
    ports: { metrics: http },
  } satisfies Pick<Collector, "liveness" | "readiness" | "ports">;
}

/**
 * Process-wide options for disk buffer and retries. Rejected chunks are not kept (`storage.keep.rejected`): its limit counts only what was
 * there at the start, so one pod that writes lines that are always rejected could fill the node's disk.
 * @see https://docs.fluentbit.io/manual/administration/buffering-and-storage
 */
function bufferService({ buffer, name }: Pick<LogPipeline, "buffer" | "name">): Section {
  // A buffer that blocks is full with as many chunks in memory; the kubelet's files hold the rest.
  const wanted = buffer.whenFull === "block" ? Math.ceil(amount(buffer.size) / CHUNK) : MAX_CHUNKS_UP;
  return {
    "storage.path": withName(`${STATE_FOLDER}/buffer`, name),
    "storage.sync": "normal",
    "storage.metrics": "on",
    "storage.backlog.mem_limit": "64M",
    "storage.max_chunks_up": Math.min(wanted, MAX_CHUNKS_UP),
    // A corrupt chunk is dropped, so that it does not block the rest.
    "storage.delete_irrecoverable_chunks": "on",
    "scheduler.base": 1,
    "scheduler.cap": MAX_WAIT,
  };
}

/** Buffer options of an input, and whether it stops reading while the buffer is full. */
export function bufferInput({ buffer }: Pick<LogPipeline, "buffer">): Section {
  return {
    "storage.type": "filesystem",
    "storage.pause_on_chunks_overlimit": buffer.whenFull === "block" ? "on" : undefined,
  };
}
