import { APPLICATION_LOGS, type LogPipeline } from "../../pipeline.ts";
import { firstLineCondition } from "./program.ts";
import type { Options } from "./sinks.ts";

/** Also how long a new file may go unseen, and how often the places in all files are written. */
const LOOK_EVERY_MS = 1000;
/** Of a line: 16 MiB, where the runtime divides it at 16 KiB. What is longer goes on in pieces. */
const MOST_PARTS = 1024;
/** What the record has no place for. */
const UNUSED_POD_FIELDS = [
  "container_id",
  "container_image",
  "container_image_id",
  "pod_ip",
  "pod_ips",
  "pod_node_name",
  "pod_owner",
  "pod_uid",
] as const;

/**
 * Reads the pods' files, and what was rotated away from them but is not compressed yet. A pod may be gone from the API while its
 * last lines wait.
 * @see https://vector.dev/docs/reference/configuration/sources/kubernetes_logs/
 */
export function nodeSource({ namespaces, labels }: LogPipeline): Options {
  const { include, exclude } = namespaces;
  return {
    type: "kubernetes_logs",
    // It would end a long line of one stream with the next line of the other.
    auto_partial_merge: false,
    extra_field_selector: exclude.map((namespace) => `metadata.namespace!=${namespace}`).join(","),
    ...(Object.keys(labels).length === 0
      ? {}
      : {
          extra_label_selector: Object.entries(labels)
            .map(([key, value]) => `${key}=${value}`)
            .sort()
            .join(","),
        }),
    ...(include.length === 0
      ? {}
      : { include_paths_glob_patterns: include.map((namespace) => `/var/log/pods/${namespace}_*/*/*`) }),
    exclude_paths_glob_patterns: ["**/*.gz", "**/*.tmp"],
    read_from: "beginning",
    glob_minimum_cooldown_ms: LOOK_EVERY_MS,
    // The oldest first would leave the others to the kubelet's rotation while one writes much.
    oldest_first: false,
    max_read_bytes: 131_072,
    // Of a part: a runtime cuts at 16 KiB. Longer ones cost a look at each file that much reading.
    max_line_bytes: 65_536,
    delay_deletion_ms: 600_000,
    // Lists pods from the API server's memory, which a thousand nodes that start at once can bear.
    use_apiserver_cache: true,
    insert_namespace_fields: false,
    pod_annotation_fields: {
      pod_namespace: ".kubernetes.namespace_name",
      pod_name: ".kubernetes.pod_name",
      container_name: ".kubernetes.container_name",
      pod_labels: ".pod_labels",
      pod_annotations: ".pod_annotations",
      ...Object.fromEntries(UNUSED_POD_FIELDS.map((field) => [field, ""])),
    },
    node_annotation_fields: { node_labels: "" },
  };
}

/**
 * Reads every file that the application writes. A file is known by its inode: two that begin alike are two. One that is emptied
 * and written again under the same inode is read on from where it was.
 * @see https://vector.dev/docs/reference/configuration/sources/file/
 */
export function applicationSource(): Options {
  return {
    type: "file",
    include: [`${APPLICATION_LOGS}/*.log`],
    fingerprint: { strategy: "device_and_inode" },
    ignore_not_found: true,
    read_from: "beginning",
    glob_minimum_cooldown_ms: LOOK_EVERY_MS,
    max_read_bytes: 131_072,
    max_line_bytes: 2 * 2 ** 20,
  };
}

/** The transforms between the source and the record, in their order: parts of a line are joined, and then the lines of a stack trace. */
export function joining(pipeline: LogPipeline): Readonly<Record<string, Options>> {
  const node = pipeline.source.kind === "node";
  const traces = joinTraces(pipeline, node ? "parts" : "logs");
  return { ...(node ? { parts: joinParts("logs") } : {}), ...(traces === undefined ? {} : { traces }) };
}

/**
 * Joins the parts that a runtime makes of a long line, of each file and stream. Where the last part never comes, those that are there
 * go on by themselves: after half a minute without another, or when they are so many that one container could fill the memory.
 */
function joinParts(from: string): Options {
  return {
    type: "reduce",
    inputs: [from],
    group_by: ["file", "stream"],
    ends_when: { type: "vrl", source: "!exists(._partial)" },
    merge_strategies: { message: "concat_raw", "@timestamp": "discard" },
    expire_after_ms: 30_000,
    flush_period_ms: 1000,
    max_events: MOST_PARTS,
  };
}

/**
 * Joins a line that continues a stack trace to the line before; undefined where no traces are joined.
 * @see https://vector.dev/docs/reference/configuration/transforms/reduce/
 */
function joinTraces(pipeline: LogPipeline, from: string): Options | undefined {
  const starts = firstLineCondition(pipeline);
  if (starts === undefined) return undefined;
  return {
    type: "reduce",
    inputs: [from],
    group_by: pipeline.source.kind === "node" ? ["file", "stream"] : ["file"],
    starts_when: { type: "vrl", source: starts },
    merge_strategies: { message: "concat_newline", "@timestamp": "discard" },
    expire_after_ms: 1000,
    flush_period_ms: 250,
    max_events: 1000,
  };
}
