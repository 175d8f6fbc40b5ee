import { type ApplicationPod, hasIndex, type LogPipeline, NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../pipeline.ts";
import { readScript } from "../scripts.ts";
import type { Options } from "./sources.ts";

/** Where `record.js` leaves what an index is split by. */
export const SPLIT_FIELD = "@metadata.split";
/** Where `record.js` finds the name of the node: a variable in the script itself would be parsed as a value, not as text. */
const NODE_FIELD = "node_name";
const SCRIPT = readScript(import.meta.url, "record.js").replaceAll(/^\s*\/\/.*\n/gm, "");

/** The processors that make the record, in their order. @see https://www.elastic.co/docs/reference/beats/filebeat/defining-processors */
export function processors(pipeline: LogPipeline): Options[] {
  const { source, parseJson } = pipeline;
  return [
    ...(source.kind === "node" ? [{ add_kubernetes_metadata: KUBERNETES_METADATA }] : []),
    // The same line, read again after a restart, has the same id: a search engine keeps it once.
    {
      fingerprint: {
        fields: ["log.file.device_id", "log.file.inode", "log.offset", "message", "@timestamp"],
        target_field: "@metadata._id",
        method: "sha256",
        ignore_missing: true,
      },
    },
    ...(parseJson ? [{ decode_json_fields: JSON_FIELDS }] : []),
    { add_fields: { target: "", fields: { [NODE_FIELD]: `\${${NODE_VARIABLE}}` } } },
    { script: { lang: "javascript", source: recordScript(pipeline) } },
    {
      drop_fields: {
        fields: ["message", "agent", "ecs", "host", "input", "event", "container", "orchestrator"],
        ignore_missing: true,
      },
    },
  ];
}

/** The program of the script processor: the settings of a pipeline, and `record.js`. */
export function recordScript(pipeline: LogPipeline): string {
  const { source, labels, metadata, parseJson, destination, index } = pipeline;
  const search = hasIndex(destination);
  const settings = {
    pod: source.kind === "node" ? null : applicationPod(source.pod),
    optOut: withoutDots(OPT_OUT_ANNOTATION),
    required: Object.entries(labels).map(([key, value]) => ({ key: withoutDots(key), value })),
    keepLabels: metadata.labels,
    safeNames: parseJson && search,
    splitBy: search && index.splitBy !== "none" ? index.splitBy : null,
  };
  return `var settings = ${JSON.stringify(settings)};\n${SCRIPT}`;
}

function applicationPod({ namespace, pod, container, team = "", app = "" }: ApplicationPod): object {
  return { namespace, name: pod, container, team, app };
}

/** Filebeat replaces the dots in keys of labels and annotations. */
function withoutDots(key: string): string {
  return key.replaceAll(".", "_");
}

const KUBERNETES_METADATA: Options = {
  host: `\${${NODE_VARIABLE}}`,
  node: `\${${NODE_VARIABLE}}`,
  scope: "node",
  default_indexers: { enabled: false },
  default_matchers: { enabled: false },
  indexers: [{ pod_uid: null }],
  matchers: [{ logs_path: { logs_path: "/var/log/pods/", resource_type: "pod" } }],
  // Resources other than pods would need further permissions.
  add_resource_metadata: {
    namespace: { enabled: false },
    node: { enabled: false },
    deployment: false,
    cronjob: false,
  },
  "labels.dedot": true,
  "annotations.dedot": true,
  include_annotations: [OPT_OUT_ANNOTATION],
};

const JSON_FIELDS: Options = {
  fields: ["message"],
  target: "fields",
  // A greater depth would also decode strings that hold JSON.
  max_depth: 1,
  process_array: false,
  add_error_key: false,
  when: { regexp: { message: "^\\{" } },
};
