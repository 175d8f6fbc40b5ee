import { type IndexFormat, indexPrefix, NO_VALUE, notation } from "../../index-format.ts";
import {
  type ApplicationPod,
  hasIndex,
  type LogPipeline,
  MAX_FIELDS_BYTES,
  NODE_VARIABLE,
  OPT_OUT_ANNOTATION,
} from "../../pipeline.ts";
import { continuationPattern } from "../stack-traces.ts";

/** Field with the id of a document; the output takes it out of the record. */
export const ID_FIELD = "_id";
/** Where the part of an index name that is not the same for all records stands: beside the record and not in it. */
const INDEX_FIELD = "%index";

/** Parts of a pod's log file, for a pod that the API server has forgotten already. The names are those of the record. */
const FILE_PATTERN = "^/var/log/pods/(?P<namespace_name>[^_/]+)_(?P<pod_name>[^_/]+)_[^/]+/(?P<container_name>[^/]+)/";

/** Where a record has the value that its index is split by; the first that is there counts. */
const SPLIT_VALUES: Readonly<Record<IndexFormat["splitBy"], readonly string[]>> = {
  none: [],
  team: [".team"],
  namespace: ["kubernetes.namespace_name"],
  app: ['labels."app.kubernetes.io/name"', "labels.app"],
};

/**
 * A condition for the first line of a record: one that continues no stack trace.
 * @returns undefined where no traces are joined.
 */
export function firstLineCondition({ multiline }: Pick<LogPipeline, "multiline">): string | undefined {
  const pattern = continuationPattern(multiline);
  return pattern === undefined ? undefined : `!match(string(.message) ?? "", r'${pattern}')`;
}

/**
 * The program that makes the record of what a source gives.
 * @see https://vector.dev/docs/reference/vrl/
 */
export function recordProgram(pipeline: LogPipeline): string {
  const { source, parseJson, destination } = pipeline;
  const search = hasIndex(destination);
  return [
    // Some programs end a line with a carriage return too; the other collectors leave it out.
    `line = replace(string(.message) ?? "", r'(?m)\\r$', "")`,
    "time = timestamp(.@timestamp) ?? now()",
    ...(source.kind === "node" ? nodeRecord(pipeline) : applicationRecord(pipeline, source.pod)),
    ...(parseJson ? fields(destination) : []),
    ...(search ? [...index(pipeline), ...id(pipeline)] : []),
    "",
  ].join("\n");
}

/** The name of an index for the output. Vector asks for a literal beginning, so that no value leads elsewhere. */
export function indexTemplate({ index: format, source }: LogPipeline): string {
  const beginning = source.kind === "node" ? format.prefix : indexPrefix(format, source.pod);
  return `${beginning}${format.separator}{{ ${INDEX_FIELD} }}`;
}

function nodeRecord({ metadata }: LogPipeline): string[] {
  return [
    `if .pod_annotations."${OPT_OUT_ANNOTATION}" == "true" { abort }`,
    "kubernetes = object(.kubernetes) ?? {}",
    "if !exists(kubernetes.namespace_name) {",
    `  kubernetes = merge(kubernetes, parse_regex(string(.file) ?? "", r'${FILE_PATTERN}') ?? {})`,
    "}",
    `kubernetes.host = ${HOST}`,
    "labels = object(.pod_labels) ?? {}",
    ...(metadata.labels ? [`kubernetes.labels = ${withoutDots("labels", false)}`] : []),
    ...(metadata.annotations
      ? [
          "annotations = object(.pod_annotations) ?? {}",
          `kubernetes.annotations = ${withoutDots("annotations", false)}`,
        ]
      : []),
    '. = {"@timestamp": time, "log": line, "stream": .stream, "kubernetes": kubernetes}',
    'namespace = string(kubernetes.namespace_name) ?? ""',
    'if ends_with(namespace, "-team") { .team = slice!(namespace, 0, length(namespace) - 5) }',
  ];
}

function applicationRecord({ metadata }: LogPipeline, pod: ApplicationPod): string[] {
  const kubernetes = {
    namespace_name: pod.namespace,
    pod_name: pod.pod,
    container_name: pod.container,
    ...(metadata.labels && pod.app !== undefined ? { labels: { "app_kubernetes_io/name": pod.app } } : {}),
  };
  return [
    `kubernetes = ${JSON.stringify(kubernetes)}`,
    `kubernetes.host = ${HOST}`,
    '. = {"@timestamp": time, "log": line, "kubernetes": kubernetes}',
    ...(pod.team === undefined ? [] : [`.team = ${JSON.stringify(pod.team)}`]),
  ];
}

const HOST = `get_env_var("${NODE_VARIABLE}") ?? ""`;

/** A search engine takes a dot in a name for a path, and refuses `app` beside `app.kubernetes.io/name`. */
function withoutDots(object: string, recursive: boolean): string {
  return `map_keys(${object}, recursive: ${recursive}) -> |key| { replace(key, ".", "_") }`;
}

function fields(destination: LogPipeline["destination"]): string[] {
  const search = hasIndex(destination);
  const short = destination.kind === "opensearch" ? ` && length(line) <= ${MAX_FIELDS_BYTES}` : "";
  return [
    `if starts_with(line, "{")${short} {`,
    "  parsed, problem = parse_json(line)",
    `  if problem == null && is_object(parsed) { .fields = ${search ? withoutDots("object!(parsed)", true) : "parsed"} }`,
    "}",
  ];
}

/** What follows the literal beginning: the split value, made safe by the rule of `safeIndexPart`, and the date in its time zone. */
function index({ index: { splitBy, separator, datePattern, timeZone }, source }: LogPipeline): string[] {
  const date = `format_timestamp!(time, format: "${notation(datePattern, "strftime")}", timezone: "${timeZone}")`;
  if (splitBy === "none" || source.kind === "application") return [`${INDEX_FIELD} = ${date}`];
  const value = SPLIT_VALUES[splitBy].map((path) => `string(${path})`).join(" ?? ");
  return [
    `split = ${value} ?? "${NO_VALUE}"`,
    `split = truncate(replace(downcase(split), r'[^a-z0-9._-]', "-"), 63)`,
    `if split == "" { split = "${NO_VALUE}" }`,
    `${INDEX_FIELD} = split + "${separator}" + ${date}`,
  ];
}

/** An id by what a line is: the same line read again after a stop replaces itself. */
function id({ source }: LogPipeline): string[] {
  const stamp = 'format_timestamp!(time, format: "%s%9f")';
  const where =
    source.kind === "node"
      ? '(string(.stream) ?? "") + " " + (string(kubernetes.namespace_name) ?? "") + " " + (string(kubernetes.pod_name) ?? "") + " " + (string(kubernetes.container_name) ?? "")'
      : '"application"';
  return [`.${ID_FIELD} = sha1(${where} + " " + ${stamp} + " " + line)`];
}
