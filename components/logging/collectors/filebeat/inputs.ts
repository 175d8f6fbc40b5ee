import {
  APPLICATION_LOGS,
  type ApplicationPod,
  hasIndex,
  type LogPipeline,
  NODE_VARIABLE,
  OPT_OUT_ANNOTATION,
} from "../../pipeline.ts";
import { readScript } from "../scripts.ts";
import { continuationPattern } from "../stack-traces.ts";

/** Options of a part of Filebeat's YAML configuration. */
export type Options = Readonly<Record<string, unknown>>;

/**
 * The inputs. Where traces are joined, each stream has an input of its own, which reads all files and keeps the lines of its stream: else a
 * trace would take in what the other stream writes meanwhile.
 */
export function inputs(pipeline: LogPipeline): Options[] {
  if (pipeline.source.kind === "application") return [input(pipeline, "application")];
  if (pipeline.multiline.length === 0) return [input(pipeline, "pods", "all")];
  return ["stdout", "stderr"].map((stream) => input(pipeline, `pods-${stream}`, stream));
}

/**
 * Files are identified by inode, not by fingerprint, which would leave files below 1 KiB unread. So a file is followed through a
 * rotation; rotated files that are not compressed yet are read too.
 * @see https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-filestream
 */
function input({ namespaces, source, multiline }: LogPipeline, id: string, stream?: string): Options {
  const { include, exclude } = namespaces;
  const files = (namespace: string) => [
    `/var/log/pods/${namespace}_*/*/*.log`,
    `/var/log/pods/${namespace}_*/*/*.log.20??????-??????`,
  ];
  const pattern = continuationPattern(multiline);
  const node = source.kind === "node";
  return {
    type: "filestream",
    id,
    paths: node ? (include.length === 0 ? ["*"] : include).flatMap(files) : [`${APPLICATION_LOGS}/*.log`],
    // A new file is found within this time.
    "prospector.scanner.check_interval": "1s",
    "prospector.scanner.fingerprint.enabled": false,
    ...(node ? { "prospector.scanner.exclude_files": exclude.map((name) => `^/var/log/pods/${name}_`) } : {}),
    file_identity: { native: null },
    // Else reading stops in the middle of a file that the kubelet deletes. Its position is still removed (`clean_removed`), since the inode
    // may be reused.
    "close.on_state_change.removed": false,
    // Pause at the end of a file. Default: up to 10 s, in which it could be rotated away unread.
    "backoff.init": "1s",
    "backoff.max": "1s",
    buffer_size: 262_144,
    parsers: [
      ...(stream === undefined ? [] : [{ container: { stream, format: "cri" } }]),
      ...(pattern === undefined
        ? []
        : [{ multiline: { type: "pattern", pattern, negate: false, match: "after", max_lines: 1000, timeout: "1s" } }]),
    ],
  };
}

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
