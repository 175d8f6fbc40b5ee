import { stringify } from "yaml";
import { amount } from "../../../schema/values.ts";
import { indexPattern } from "../../index-format.ts";
import { indexTemplate, TEMPLATE_NAME } from "../../opensearch/template.ts";
import { hasIndex, type LogPipeline, NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../pipeline.ts";
import type { Collector, Unsupported } from "../collector.ts";
import { filebeatInputs, type Options } from "./inputs.ts";
import { FILEBEAT_DESTINATIONS, filebeatOutput } from "./outputs.ts";
import { filebeatScript, NODE_FIELD } from "./script.ts";

const CONFIG_FOLDER = "/etc/filebeat";
const STATE_FOLDER = "/var/lib/filebeat";
const HTTP_PORT = 5066;
const INPUTS_FILE = `${CONFIG_FOLDER}/inputs.yml`;
const TEMPLATE_FILE = `${CONFIG_FOLDER}/template.json`;
/** Least that its disk queue may be. */
const MIN_BUFFER = "64Mi";

/**
 * Filebeat, with filestream and a queue on disk. Its own template and its lifecycle of indices are off: an index is called as the
 * settings say, and has the template of this program.
 * @see https://www.elastic.co/docs/reference/beats/filebeat
 */
export const filebeat: Collector = {
  id: "filebeat",
  title: "Filebeat",
  image: "docker.elastic.co/beats/filebeat:9.3.4",
  documentation: "https://www.elastic.co/docs/reference/beats/filebeat",
  carriers: ["daemonset", "sidecar"],
  destinations: FILEBEAT_DESTINATIONS,
  about: {
    parsing:
      "CRI parts joined, but a long line of one stream ends with the next line of the other; stack traces by indentation; JSON to fields; on stdout and in files a key @metadata of its own",
    buffer: "a queue on the node, up to buffer.size; then it stops reading",
    index: "prefix, split value and Joda date, in UTC",
    maintenance: "maintained (Elastic)",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  command: ["filebeat"],
  graceSeconds: 10,
  liveness: { path: "/", port: HTTP_PORT },
  readiness: { path: "/", port: HTTP_PORT },
  ports: { metrics: HTTP_PORT },
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: {
      "filebeat.yml": stringify(configuration(pipeline), { lineWidth: 0, aliasDuplicateObjects: false }),
      "inputs.yml": stringify(filebeatInputs(pipeline), { lineWidth: 0 }),
      ...(hasIndex(pipeline.destination)
        ? { "template.json": `${JSON.stringify(indexTemplate(pipeline.index, "elasticsearch"), null, 2)}\n` }
        : {}),
    },
    args: ["-e", "-c", `${CONFIG_FOLDER}/filebeat.yml`, "--path.data", STATE_FOLDER, "--strict.perms=false"],
  }),
};

function unsupported({ buffer, destination, index, metadata }: LogPipeline): Unsupported[] {
  const found: Unsupported[] = [];
  const add = (path: readonly string[], message: string, value: unknown) => found.push({ path, message, value });
  if (buffer.whenFull !== "block")
    add(["buffer", "whenFull"], "must be block with Filebeat, whose queue drops nothing", buffer.whenFull);
  if (amount(buffer.size) < amount(MIN_BUFFER))
    add(["buffer", "size"], `must be at least ${MIN_BUFFER} with Filebeat`, buffer.size);
  if (metadata.annotations)
    add(
      ["metadata", "annotations"],
      "must be false with Filebeat, which keeps only annotations that it is given by name",
      true,
    );
  if (hasIndex(destination) && index.timeZone !== "UTC")
    add(["index", "timeZone"], "must be UTC with Filebeat, which dates indices in UTC", index.timeZone);
  return found;
}

/** @see https://www.elastic.co/docs/reference/beats/filebeat/filebeat-reference-yml */
function configuration(pipeline: LogPipeline): Options {
  const pattern = indexPattern(pipeline.index);
  // One for each pattern: since one that is there is not written again, another pattern needs another name.
  const templateName = `${TEMPLATE_NAME}-${pattern.slice(0, -1)}`;
  const queue = { max_size: `${amount(pipeline.buffer.size)}B`, segment_size: "16MB" };
  return {
    // Read seconds after the start: until pods are known from the API, lines would go on without their labels, and those left out too.
    "filebeat.config.inputs": { enabled: true, path: INPUTS_FILE, reload: { enabled: true, period: "5s" } },
    processors: processors(pipeline),
    "queue.disk": queue,
    // It writes milliseconds else.
    "timestamp.precision": "nanosecond",
    "setup.ilm.enabled": false,
    ...(hasIndex(pipeline.destination)
      ? {
          "setup.template": {
            name: templateName,
            pattern,
            // One that somebody has changed by hand stays.
            overwrite: false,
            json: { enabled: true, path: TEMPLATE_FILE, name: templateName },
          },
        }
      : { "setup.template.enabled": false }),
    ...filebeatOutput(pipeline),
    http: { enabled: true, host: "0.0.0.0", port: HTTP_PORT },
    "logging.level": "info",
    "logging.metrics.enabled": false,
  };
}

/** @see https://www.elastic.co/docs/reference/beats/filebeat/defining-processors */
function processors(pipeline: LogPipeline): Options[] {
  const { source, parseJson } = pipeline;
  const metadata = {
    host: `\${${NODE_VARIABLE}}`,
    node: `\${${NODE_VARIABLE}}`,
    scope: "node",
    default_indexers: { enabled: false },
    default_matchers: { enabled: false },
    indexers: [{ pod_uid: null }],
    matchers: [{ logs_path: { logs_path: "/var/log/pods/", resource_type: "pod" } }],
    // What it reads beside pods would need rights of its own.
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
  const json = {
    fields: ["message"],
    target: "fields",
    // More would also decode what is JSON inside of a string.
    max_depth: 1,
    process_array: false,
    add_error_key: false,
    when: { regexp: { message: "^\\{" } },
  };
  return [
    ...(source.kind === "node" ? [{ add_kubernetes_metadata: metadata }] : []),
    // The same line again, after a restart, has the same id: a search engine keeps it once.
    {
      fingerprint: {
        fields: ["log.file.device_id", "log.file.inode", "log.offset", "message", "@timestamp"],
        target_field: "@metadata._id",
        method: "sha256",
        ignore_missing: true,
      },
    },
    ...(parseJson ? [{ decode_json_fields: json }] : []),
    { add_fields: { target: "", fields: { [NODE_FIELD]: `\${${NODE_VARIABLE}}` } } },
    { script: { lang: "javascript", source: filebeatScript(pipeline) } },
    {
      drop_fields: {
        fields: ["message", "agent", "ecs", "host", "input", "event", "container", "orchestrator"],
        ignore_missing: true,
      },
    },
  ];
}
