import { NO_VALUE } from "../../index-format.ts";
import { hasIndex, type LogPipeline, OPT_OUT_ANNOTATION } from "../../pipeline.ts";

/** Where the script finds the name of the node: in itself a variable would have it read as a value and not as text. */
export const NODE_FIELD = "node_name";
/** Where the script leaves what an index is split by. */
export const SPLIT_FIELD = "@metadata.split";

/**
 * The JavaScript that makes the record that all collectors send. Names come from the file's folder, since a new pod may not be known
 * from the API yet when its first line is read.
 * @see https://www.elastic.co/docs/reference/beats/filebeat/processor-script
 */
export function filebeatScript(pipeline: LogPipeline): string {
  return `function process(event) {
  var line = event.Get("message");
  if (line === null) line = "";
  var known = event.Get("kubernetes") || {};
${pipeline.source.kind === "node" ? fromFolder(pipeline) : fromPod(pipeline)}
  event.Delete("${NODE_FIELD}");
  event.Delete("kubernetes");
  event.Put("kubernetes", kubernetes);
  event.Delete("log");
  event.Put("log", line);
  if (team !== "") event.Put("team", team);
${hasDots(pipeline) ? WITHOUT_DOTS_CALL : ""}${split(pipeline)}}
${hasDots(pipeline) ? WITHOUT_DOTS : ""}`;
}

/** A search engine takes a dot in a name for a path, and refuses `a` beside `a.b`. */
function hasDots({ parseJson, destination }: LogPipeline): boolean {
  return parseJson && hasIndex(destination);
}

/** Only where a key may have one, which JSON may also write as an escape: to go through all fields takes time. */
const WITHOUT_DOTS_CALL = `  var fields = event.Get("fields");
  if (fields !== null && /(\\.|\\\\u002e)([^"\\\\]|\\\\.)*"\\s*:/i.test(line)) event.Put("fields", withoutDots(fields));
`;

const WITHOUT_DOTS = `function withoutDots(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(withoutDots);
  var made = {};
  for (var key in value) made[key.replace(/\\./g, "_")] = withoutDots(value[key]);
  return made;
}
`;

function fromFolder({ labels, metadata }: LogPipeline): string {
  const chosen = Object.entries(labels)
    .map(
      ([key, value]) =>
        `  if (labels[${text(key.replaceAll(".", "_"))}] !== ${text(value)}) { event.Cancel(); return; }\n`,
    )
    .join("");
  return `  var labels = known.labels || {};
  var annotations = known.annotations || {};
  if (annotations[${text(OPT_OUT_ANNOTATION.replaceAll(".", "_"))}] === "true") { event.Cancel(); return; }
${chosen}  var folders = event.Get("log.file.path").split("/");
  var pod = folders[folders.length - 3].split("_");
  var kubernetes = {
    namespace_name: pod[0],
    pod_name: pod[1],
    container_name: folders[folders.length - 2],
    host: event.Get("${NODE_FIELD}")
  };
${metadata.labels ? "  if (known.labels) kubernetes.labels = labels;\n" : ""}  var team = /.-team$/.test(pod[0]) ? pod[0].slice(0, -5) : "";`;
}

function fromPod({ source, metadata }: LogPipeline): string {
  if (source.kind === "node") return "";
  const { namespace, pod, container, team, app } = source.pod;
  const labels = app === undefined ? {} : { "app_kubernetes_io/name": app };
  return `  var labels = ${JSON.stringify(labels)};
  var kubernetes = {
    namespace_name: ${text(namespace)},
    pod_name: ${text(pod)},
    container_name: ${text(container)},
    host: event.Get("${NODE_FIELD}")${metadata.labels && app !== undefined ? ",\n    labels: labels" : ""}
  };
  var team = ${text(team ?? "")};`;
}

/** The value that the index is split by, made safe by the rule of `safeIndexPart`. */
function split({ index, destination }: LogPipeline): string {
  if (!hasIndex(destination) || index.splitBy === "none") return "";
  const value = {
    team: "team",
    namespace: "kubernetes.namespace_name",
    app: `labels["app_kubernetes_io/name"] || labels["app"]`,
  }[index.splitBy];
  return `  var value = String(${value} || "${NO_VALUE}").toLowerCase().replace(/[^a-z0-9._-]/g, "-").slice(0, 63);
  event.Put("${SPLIT_FIELD}", value === "" ? "${NO_VALUE}" : value);
`;
}

function text(value: string): string {
  return JSON.stringify(value);
}
