import { indexPrefix, notation } from "../../indexing/index-format.ts";
import { APPLICATION_LOGS, hasIndex, type LogPipeline, MAX_FIELDS_BYTES, podFields } from "../../pipeline.ts";
import { type Options, readScript, scriptSections } from "../collector.ts";
import { continuationPattern } from "../stack-traces.ts";
import { fieldsProgram, firstLine, redactProgram, thinProgram } from "./line-program.ts";

/** Also the delay until a new file is seen, and the interval at which read positions are written. */
const SCAN_INTERVAL_MS = 1000;
/** Maximum per line: 16 MiB, where the runtime splits at 16 KiB. Longer lines continue in pieces. */
const MAX_PARTS = 1024;
/** Fields that are not in the record. */
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
 * Reads the pods' files, and rotated files that are not compressed yet. A pod may be deleted from the API while its last lines wait.
 * @see https://vector.dev/docs/reference/configuration/sources/kubernetes_logs/
 */
export function nodeSource({ namespaces, labels }: LogPipeline): Options {
  const { include, exclude } = namespaces;
  const required = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
  return {
    type: "kubernetes_logs",
    // It would end a long line of one stream with the next line of the other.
    auto_partial_merge: false,
    extra_field_selector: exclude.map((namespace) => `metadata.namespace!=${namespace}`).join(","),
    extra_label_selector: required === "" ? undefined : required,
    include_paths_glob_patterns:
      include.length === 0 ? undefined : include.map((namespace) => `/var/log/pods/${namespace}_*/*/*`),
    exclude_paths_glob_patterns: ["**/*.gz", "**/*.tmp"],
    read_from: "beginning",
    glob_minimum_cooldown_ms: SCAN_INTERVAL_MS,
    // Oldest first would leave the others to the kubelet's rotation while one is written fast.
    oldest_first: false,
    max_read_bytes: 131_072,
    // Per part: a runtime cuts at 16 KiB. A larger limit costs that much reading for each look at a file.
    max_line_bytes: 65_536,
    delay_deletion_ms: 600_000,
    // Lists pods from the API server's cache, which can serve a thousand nodes that start at once.
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
 * Reads all files that the application writes. Files are identified by inode: two with the same beginning are distinct. One that is
 * truncated and rewritten under the same inode is read on from the old position.
 * @see https://vector.dev/docs/reference/configuration/sources/file/
 */
export function applicationSource(): Options {
  return {
    type: "file",
    include: [`${APPLICATION_LOGS}/*.log`],
    fingerprint: { strategy: "device_and_inode" },
    ignore_not_found: true,
    read_from: "beginning",
    glob_minimum_cooldown_ms: SCAN_INTERVAL_MS,
    max_read_bytes: 131_072,
    max_line_bytes: 2 * 2 ** 20,
  };
}

/** The transforms between source and record, in order: joining parts of a line, then lines of a stack trace. */
export function joining(pipeline: LogPipeline): Readonly<Record<string, Options>> {
  return { ...(pipeline.source.kind === "node" && { parts: JOINED_PARTS }), ...joinedTraces(pipeline) };
}

/**
 * Joins the parts into which a runtime splits a long line, per file and stream. If the last part never comes, the others are passed on by
 * themselves: after half a minute without another, or when they are so many that one container could fill the memory.
 */
const JOINED_PARTS: Options = {
  type: "reduce",
  inputs: ["logs"],
  group_by: ["file", "stream"],
  ends_when: { type: "vrl", source: "!exists(._partial)" },
  merge_strategies: { message: "concat_raw", "@timestamp": "discard" },
  expire_after_ms: 30_000,
  flush_period_ms: 1000,
  max_events: MAX_PARTS,
};

/**
 * Joins a line that continues a stack trace or another record to the previous line; empty if each line is a record.
 * @see https://vector.dev/docs/reference/configuration/transforms/reduce/
 */
function joinedTraces({ source, multiline, processing }: LogPipeline): Readonly<Record<string, Options>> {
  const pattern = continuationPattern(multiline);
  if (pattern === undefined && processing.firstLines.length === 0) return {};
  const node = source.kind === "node";
  const otherwise = pattern === undefined ? "true" : `!match(string(.message) ?? "", r'${pattern}')`;
  return {
    traces: {
      type: "reduce",
      inputs: [node ? "parts" : "logs"],
      group_by: node ? ["file", "stream"] : ["file"],
      starts_when: { type: "vrl", source: firstLine(processing, otherwise) },
      merge_strategies: { message: "concat_newline", "@timestamp": "discard" },
      expire_after_ms: 1000,
      flush_period_ms: 250,
      max_events: 1000,
    },
  };
}

/** Field with a document's id; the output removes it from the record. */
export const ID_FIELD = "_id";
/** Metadata field with the part of an index name that differs between records. */
const INDEX_FIELD = "%index";
/** Metadata field with the part of a log group or prefix that differs between teams. */
const PLACE_FIELD = "%place";
/** Metadata field with Loki labels that only some records have. */
export const TEAM_LABELS = "%team_labels";
/** No limit for `max_fields_bytes`: the largest integer that is exact in JSON. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Sections that read a line's origin. Without them Vector would warn about the unused origin at each start. */
const READ_ORIGIN: readonly string[] = ["keep", "index"];

/** The sections of record.vrl. */
export const recordSection = scriptSections(readScript(import.meta.url, "record.vrl"));

/**
 * The program that builds the record: the pipeline's constants, and the sections of `record.vrl` that it needs. Sections that do not apply
 * are omitted, not skipped at run time: VRL rejects code that handles an error which cannot occur there.
 * @see https://vector.dev/docs/reference/vrl/
 */
export function recordProgram(pipeline: LogPipeline): string {
  const { source, metadata, parseJson, destination, branches, processing, teamNames } = pipeline;
  const named = source.kind === "node" && Object.keys(teamNames).length > 0;
  const several = branches.length > 0;
  const limited = !several && destination.kind === "opensearch";
  const { constants, sections } = several ? { constants: {}, sections: ["keep"] } : indexParts(pipeline);
  return program(
    {
      ...(source.kind === "node"
        ? { keep_labels: metadata.labels, keep_annotations: metadata.annotations }
        : { pod: podFields(pipeline, source.pod), team: source.pod.team ?? "" }),
      ...(named ? { teams: teamNames } : {}),
      ...(parseJson
        ? { max_fields_bytes: limited ? MAX_FIELDS_BYTES : NO_LIMIT, safe_names: !several && hasIndex(destination) }
        : {}),
      ...constants,
    },
    [
      recordSection("line"),
      redactProgram(processing),
      recordSection(source.kind),
      named ? recordSection("team") : "",
      sections.some((section) => READ_ORIGIN.includes(section)) ? recordSection(`${source.kind}-origin`) : "",
      parseJson ? recordSection("fields") : "",
      thinProgram(processing),
      fieldsProgram(processing),
      ...sections.map(recordSection),
    ],
  );
}

/** Adapts the record to one of several destinations; undefined if the record stays unchanged. */
export function destinationProgram(branch: LogPipeline): string | undefined {
  const { parseJson, destination } = branch;
  if (!hasIndex(destination) && branch.places.length === 0 && destination.kind !== "loki") return undefined;
  const limited = parseJson && destination.kind === "opensearch";
  const { constants, sections } = indexParts(branch);
  const parts = [
    ...(limited ? ["limit"] : []),
    ...(parseJson && hasIndex(destination) ? ["safe-names"] : []),
    ...sections,
  ].map(recordSection);
  return program({ ...(limited ? { max_fields_bytes: MAX_FIELDS_BYTES } : {}), ...constants }, [
    ...keptValues(parts.join("")),
    ...parts,
  ]);
}

/** The values of the record that a program uses: Vector would warn about each other one at each start. */
function keptValues(using: string): string[] {
  return ["line", "kubernetes", "labels", "origin", "time"]
    .filter((name) => new RegExp(`(?<![.%])\\b${name}\\b`).test(using))
    .map((name) => recordSection(`kept-${name}`));
}

/** Constants and sections for a record's index and id, or for its team's place or label. */
function indexParts({ source, destination, index, places }: LogPipeline) {
  const split = source.kind === "node" && index.splitBy !== "none";
  if (destination.kind === "loki") return { constants: {}, sections: ["team-label"] };
  if (!hasIndex(destination)) {
    const named = places.flatMap(({ team, namespaces }) =>
      team === undefined ? [] : namespaces.map((namespace) => [namespace, `/${team}`]),
    );
    return named.length === 0
      ? { constants: {}, sections: [] }
      : { constants: { places: Object.fromEntries(named) }, sections: ["place"] };
  }
  return {
    constants: {
      ...(split ? { split_by: index.splitBy, separator: index.separator } : { split: "" }),
      date_format: notation(index.datePattern, "strftime"),
      time_zone: index.timeZone,
    },
    sections: [...(split ? ["split"] : []), "index"],
  };
}

/** A program of constants followed by sections. */
export function program(constants: Readonly<Record<string, unknown>>, parts: readonly string[]): string {
  return [...Object.entries(constants).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`), ...parts].join(
    "",
  );
}

/** A name for the output, to which each team with its own place appends its own. */
export function placeTemplate(base: string, { places }: LogPipeline): string {
  return places.length === 0 ? base : `${base}{{ ${PLACE_FIELD} }}`;
}

/** Index name for the output. It begins with a literal, which Vector requires, so that no value leads to another index. */
export function indexTemplate({ index: format, source }: LogPipeline): string {
  const prefix = source.kind === "node" ? format.prefix : indexPrefix(format, source.pod);
  return `${prefix}${format.separator}{{ ${INDEX_FIELD} }}`;
}
