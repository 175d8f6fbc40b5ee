import { NO_VALUE, notation } from "../../index-format.ts";
import { hasIndex, type LogPipeline, NODE_VARIABLE } from "../../pipeline.ts";
import type { Options } from "./outputs.ts";
import { ANNOTATION, LABEL, podAttributes, podFilter, resource, text } from "./pods.ts";

const APP_LABELS = ["app.kubernetes.io/name", "app"] as const;
/** Attributes that the exporter for Elasticsearch takes an index and an id from. */
const INDEX = "elasticsearch.index";
const ID = "elasticsearch.document_id";

/** Processors by name, in their order. @see https://opentelemetry.io/docs/collector/components/processor/ */
export function processors(pipeline: LogPipeline): Readonly<Record<string, Options>> {
  const node = pipeline.source.kind === "node";
  return {
    memory_limiter: { check_interval: "1s", limit_percentage: 75, spike_limit_percentage: 20 },
    ...(node ? { k8s_attributes: podAttributes(pipeline), filter: podFilter(pipeline) } : {}),
    transform: {
      error_mode: "ignore",
      log_statements: [
        { context: "resource", statements: resourceStatements(pipeline) },
        { context: "log", statements: recordStatements(pipeline) },
        { context: "resource", statements: finalStatements(pipeline) },
      ],
    },
  };
}

/** What all lines of a container share is made once for all that come together. */
function resourceStatements(pipeline: LogPipeline): string[] {
  const { source, metadata } = pipeline;
  const [namespace, pod, container] = [
    resource("k8s.namespace.name"),
    resource("k8s.pod.name"),
    resource("k8s.container.name"),
  ];
  const constants =
    source.kind === "node"
      ? []
      : [
          `set(${namespace}, ${text(source.pod.namespace)})`,
          `set(${pod}, ${text(source.pod.pod)})`,
          `set(${container}, ${text(source.pod.container)})`,
          ...(source.pod.app === undefined ? [] : [`set(${resource(LABEL + APP_LABELS[0])}, ${text(source.pod.app)})`]),
        ];
  const team =
    source.kind === "node"
      ? [
          `set(${resource("team")}, ${namespace}) where IsMatch(${namespace}, "^.+-team$")`,
          `replace_pattern(${resource("team")}, "-team$", "") where ${resource("team")} != nil`,
        ]
      : source.pod.team === undefined
        ? []
        : [`set(${resource("team")}, ${text(source.pod.team)})`];
  const kubernetes = resource("kubernetes");
  const fields = { namespace_name: namespace, pod_name: pod, container_name: container };
  return [
    ...constants,
    ...team,
    `set(${kubernetes}, {"host": "\${env:${NODE_VARIABLE}}"})`,
    ...Object.entries(fields).map(([name, path]) => `set(${kubernetes}["${name}"], ${path}) where ${path} != nil`),
    ...(metadata.labels ? keyed("labels", LABEL) : []),
    ...(metadata.annotations ? keyed("annotations", ANNOTATION) : []),
    ...splitStatements(pipeline),
  ];
}

/** The labels, or annotations, of a pod as a map, with '_' for the dots in their keys. */
function keyed(name: string, prefix: string): string[] {
  const map = `resource.cache["${name}"]`;
  return [
    `set(${map}, resource.attributes)`,
    `keep_matching_keys(${map}, "^${prefix}")`,
    `replace_all_patterns(${map}, "key", "^${prefix}", "")`,
    `replace_all_patterns(${map}, "key", "\\\\.", "_")`,
    `set(${resource("kubernetes")}["${name}"], ${map}) where Len(${map}) > 0`,
  ];
}

/** The value that indices are split by, made safe in their names; Kubernetes lets none be longer than 63 characters. */
function splitStatements({ index, destination }: LogPipeline): string[] {
  if (!hasIndex(destination) || index.splitBy === "none") return [];
  const values = {
    team: [resource("team")],
    namespace: [resource("k8s.namespace.name")],
    app: APP_LABELS.map((label) => resource(LABEL + label)),
  }[index.splitBy];
  const split = resource("split");
  return [
    `set(${split}, "${NO_VALUE}")`,
    // The one that counts most is the last.
    ...[...values].reverse().map((value) => `set(${split}, ConvertCase(${value}, "lower")) where ${value} != nil`),
    `replace_pattern(${split}, "[^a-z0-9._-]", "-")`,
    `set(${split}, "${NO_VALUE}") where ${split} == ""`,
  ];
}

/** Turns a log record into the one that every collector of this stack sends, as its body. */
function recordStatements(pipeline: LogPipeline): string[] {
  const record = (field: string) => `log.cache["record"]["${field}"]`;
  const attribute = (name: string) => `log.attributes["${name}"]`;
  const fromFile = `${attribute("log.file.name")} != nil`;
  const time = 'FormatTime(log.time, "%Y-%m-%dT%H:%M:%S.%sZ")';
  return [
    "set(log.time, log.observed_time) where log.time_unix_nano == 0",
    `set(log.cache["record"], {"@timestamp": ${time}, "log": log.body, "kubernetes": ${resource("kubernetes")}})`,
    // What an application sends itself may be of any type.
    `set(${record("log")}, String(log.body)) where not IsString(log.body)`,
    `set(${record("stream")}, ${attribute("log.iostream")}) where ${attribute("log.iostream")} != nil`,
    `set(${record("team")}, ${resource("team")}) where ${resource("team")} != nil`,
    `set(${record("fields")}, ${attribute("fields")}) where ${fromFile} and ${attribute("fields")} != nil`,
    `set(${record("fields")}, log.attributes) where not (${fromFile}) and Len(log.attributes) > 0`,
    ...(hasIndex(pipeline.destination) ? [withoutDots(record("fields")), ...indexStatements(pipeline)] : []),
    'set(log.body, log.cache["record"])',
    `keep_keys(log.attributes, ["${INDEX}", "${ID}"])`,
  ];
}

/** A search engine takes a dot in a name for a path. The Collector goes no deeper than the first level. */
function withoutDots(map: string): string {
  return `replace_all_patterns(${map}, "key", "\\\\.", "_") where ${map} != nil`;
}

/** The name of a record's index by its own time, and an id that a line has again when it is read again. */
function indexStatements({ index, source }: LogPipeline): string[] {
  const date = `FormatTime(log.time, ${text(notation(index.datePattern, "strftime"))})`;
  const parts = [text(index.prefix), ...(index.splitBy === "none" ? [] : [resource("split")]), date];
  const id = [
    resource("k8s.pod.uid"),
    resource("k8s.container.name"),
    // After a rotation, and when the container starts again, a file has the same offsets anew.
    "log.time_unix_nano",
    'log.attributes["log.file.record_offset"]',
  ];
  return [
    `set(log.attributes["${INDEX}"], Concat([${parts.join(", ")}], "${index.separator}"))`,
    // In a file of the application's own neither time nor place says which line it is.
    ...(source.kind === "node"
      ? [`set(log.attributes["${ID}"], Concat([${id.join(", ")}], "-")) where log.attributes["log.file.name"] != nil`]
      : []),
  ];
}

/** What a destination makes of a resource's attributes: the stream's name in CloudWatch Logs, labels in Loki. */
function finalStatements({ destination }: LogPipeline): string[] {
  const names = ["k8s.namespace.name", "k8s.pod.name", "k8s.container.name"];
  const stream = `set(${resource("pod")}, Concat([${names.map(resource).join(", ")}], "."))`;
  const kept = { cloudwatch: ["pod"], loki: [...names, "service.name"] };
  if (destination.kind === "cloudwatch") return [stream, keep(kept.cloudwatch)];
  if (destination.kind !== "loki") return [keep([])];
  return [`set(${resource("service.name")}, "eks-dns-logging")`, keep(kept.loki)];
}

function keep(names: readonly string[]): string {
  return `keep_keys(resource.attributes, [${names.map(text).join(", ")}])`;
}
