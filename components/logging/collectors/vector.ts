import { stringify } from "yaml";
import { APPLICATION_LOGS, type LogPipeline, NODE_VARIABLE } from "../pipeline.ts";
import type { Collector, Unsupported } from "./collector.ts";
import { bufferBytes, MIN_BUFFER_BYTES, type Options, sink, usesCredentials } from "./vector-outputs.ts";
import { firstLineCondition, recordProgram } from "./vector-record.ts";

const CONFIG_FOLDER = "/etc/vector";
const STATE_FOLDER = "/var/lib/vector";
const METRICS_PORT = 9598;
/** Enough to put what is in its hands into the buffer on disk; what is unsent waits there. */
const GRACE_SECONDS = 5;
/**
 * How many lines go on together. It bounds what is on its way to the buffer, and so what a kill may lose on a node, where places are
 * noted when a line is read: measured, 4,400 lines at Vector's own 1000, 270 at 100, 9 at this.
 */
const CHUNK = 20;
/** Also how long a new file may go unseen, and how often the places in all files are written. */
const LOOK_EVERY_MS = 1000;

/**
 * Vector, from the files of all pods or of one application, with a buffer on disk and retries without end.
 * @see https://vector.dev/docs/
 */
export const vector: Collector = {
  id: "vector",
  title: "Vector",
  image: "docker.io/timberio/vector:0.57.0-distroless-static",
  documentation: "https://vector.dev/docs/",
  carriers: ["daemonset", "sidecar"],
  destinations: {
    stdout: true,
    file: true,
    http: true,
    opensearch: true,
    elasticsearch: true,
    cloudwatch: true,
    s3: true,
    loki: true,
  },
  about: {
    parsing: "CRI parts joined; stack traces by indentation, the last line of Python's apart; JSON to fields",
    buffer: "files on the node, up to buffer.size, then it stops reading; a kill may lose what is on its way there",
    index: "prefix, split value and strftime date, in any time zone",
    maintenance: "maintained (Datadog)",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  graceSeconds: GRACE_SECONDS,
  liveness: { path: "/metrics", port: METRICS_PORT },
  readiness: { path: "/metrics", port: METRICS_PORT },
  ports: { metrics: METRICS_PORT },
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
  // It watches its own node too, whatever it takes from it.
  apiRules: [{ apiGroups: [""], resources: ["nodes", "pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: { "vector.yaml": render(pipeline) },
    args: [
      "--config",
      `${CONFIG_FOLDER}/vector.yaml`,
      "--graceful-shutdown-limit-secs",
      String(GRACE_SECONDS),
      "--chunk-size-events",
      String(CHUNK),
      // The password is a variable, and since 0.57 variables are left as they are without this.
      ...(usesCredentials(pipeline) ? ["--dangerously-allow-env-var-interpolation"] : []),
    ],
    // Kubernetes puts the value of the one into the other.
    ...(pipeline.source.kind === "node" ? { environment: { VECTOR_SELF_NODE_NAME: `$(${NODE_VARIABLE})` } } : {}),
  }),
};

function unsupported(pipeline: LogPipeline): Unsupported[] {
  const { buffer, destination, source } = pipeline;
  const found: Unsupported[] = [];
  if (buffer.whenFull !== "block") {
    const message = "block for Vector, which can drop the newest lines but not the oldest";
    found.push({ path: ["buffer", "whenFull"], message, value: buffer.whenFull });
  }
  if (bufferBytes(pipeline) < MIN_BUFFER_BYTES) {
    const message = `at least ${source.kind === "node" ? "257Mi" : "289Mi"} for Vector, whose buffer has files of 128Mi`;
    found.push({ path: ["buffer", "size"], message, value: buffer.size });
  }
  if (destination.kind === "http" && /%|\{\{/.test(destination.url)) {
    const message = "a URL without '%' and '{{' for Vector, which takes them for a date or a field";
    found.push({ path: ["destination", "url"], message, value: destination.url });
  }
  return found;
}

function render(pipeline: LogPipeline): string {
  const text = stringify(configuration(pipeline), { lineWidth: 0, aliasDuplicateObjects: false });
  // Where variables are put in, every other dollar sign is written twice.
  return usesCredentials(pipeline) ? text.replaceAll(/\$(?!\{LOG_)/g, "$$$$") : text;
}

/** The whole configuration. @see https://vector.dev/docs/reference/configuration/ */
function configuration(pipeline: LogPipeline): Options {
  const traces = joinTraces(pipeline);
  return {
    data_dir: STATE_FOLDER,
    log_schema: { timestamp_key: "@timestamp" },
    expire_metrics_secs: 300,
    sources: {
      logs: pipeline.source.kind === "node" ? nodeSource(pipeline) : applicationSource(),
      internal: { type: "internal_metrics" },
    },
    transforms: {
      ...(traces === undefined ? {} : { traces }),
      records: {
        type: "remap",
        inputs: [traces === undefined ? "logs" : "traces"],
        source: recordProgram(pipeline),
        drop_on_error: false,
        drop_on_abort: true,
      },
    },
    sinks: {
      destination: { inputs: ["records"], ...sink(pipeline) },
      metrics: { type: "prometheus_exporter", inputs: ["internal"], address: `0.0.0.0:${METRICS_PORT}` },
    },
  };
}

/**
 * Reads the pods' files, and what was rotated away from them but is not compressed yet. A pod may be gone from the API while its
 * last lines wait.
 * @see https://vector.dev/docs/reference/configuration/sources/kubernetes_logs/
 */
function nodeSource({ namespaces, labels }: LogPipeline): Options {
  const { include, exclude } = namespaces;
  return {
    type: "kubernetes_logs",
    auto_partial_merge: true,
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
 * Reads every file that the application writes. A file is known by its inode: two that begin alike are two. One that is emptied
 * and written again under the same inode is read on from where it was.
 * @see https://vector.dev/docs/reference/configuration/sources/file/
 */
function applicationSource(): Options {
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

/**
 * Joins a line that continues a stack trace to the line before.
 * @see https://vector.dev/docs/reference/configuration/transforms/reduce/
 */
function joinTraces(pipeline: LogPipeline): Options | undefined {
  const starts = firstLineCondition(pipeline);
  if (starts === undefined) return undefined;
  return {
    type: "reduce",
    inputs: ["logs"],
    group_by: pipeline.source.kind === "node" ? ["file", "stream"] : ["file"],
    starts_when: { type: "vrl", source: starts },
    merge_strategies: { message: "concat_newline", "@timestamp": "discard" },
    expire_after_ms: 1000,
    flush_period_ms: 250,
    max_events: 1000,
  };
}
