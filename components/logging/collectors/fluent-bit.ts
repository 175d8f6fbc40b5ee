import { stringify } from "yaml";
import { hasIndex, type LogPipeline } from "../pipeline.ts";
import type { Collector, Unsupported } from "./collector.ts";
import {
  applicationFilters,
  applicationInput,
  applicationScript,
  JSON_PARSER,
  LINE_KEY,
} from "./fluent-bit-application.ts";
import { bufferInput, bufferService } from "./fluent-bit-buffer.ts";
import { output, type Section } from "./fluent-bit-outputs.ts";
import { INDEX_FUNCTION, indexScript } from "./fluent-bit-script.ts";

const CONFIG_FOLDER = "/fluent-bit/etc/conf";
const STATE_FOLDER = "/var/lib/fluent-bit";
const HTTP_PORT = 2020;
/** Short, since what is unsent is on disk already: while it stops it reads nothing, and a file rotated meanwhile is lost. */
const GRACE_SECONDS = 1;

/**
 * Fluent Bit, with the options that lose nothing where its defaults do. Why each is set was measured: docs/logging.md.
 * @see https://docs.fluentbit.io/manual
 */
export const fluentBit: Collector = {
  id: "fluent-bit",
  title: "Fluent Bit",
  image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1",
  documentation: "https://docs.fluentbit.io/manual",
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
    parsing: "CRI parts joined; stack traces of all four languages; JSON to fields",
    buffer: "files on the node, up to buffer.size",
    index: "prefix, split value and strftime date",
    maintenance: "maintained (CNCF)",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  command: ["/fluent-bit/bin/fluent-bit"],
  graceSeconds: GRACE_SECONDS,
  liveness: { path: "/", port: HTTP_PORT },
  readiness: { path: "/api/v1/health", port: HTTP_PORT },
  ports: { metrics: HTTP_PORT },
  // Measured: 55 to 100 MB at 20 to 40 MB/s, and 370 MB while a backlog of 50 busy containers is sent.
  resources: { cpu: "50m", memory: "64Mi", memoryLimit: "512Mi" },
  // The filter reads pods from the API server. Reading them from the kubelet would need nodes/proxy, which can exec in any pod.
  apiRules: [{ apiGroups: [""], resources: ["namespaces", "pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: {
      "fluent-bit.yaml": stringify(configuration(pipeline), { lineWidth: 0 }),
      ...(usesScript(pipeline) ? { "index.lua": indexScript(pipeline.index) } : {}),
      ...(pipeline.source.kind === "application"
        ? { "application.lua": applicationScript(pipeline.source.pod, pipeline) }
        : {}),
    },
    args: ["--config", `${CONFIG_FOLDER}/fluent-bit.yaml`],
  }),
};

function unsupported({ index, destination }: LogPipeline): Unsupported[] {
  if (!hasIndex(destination) || index.timeZone === "UTC") return [];
  const message = "UTC, since Fluent Bit begins a day there";
  return [{ path: ["index", "timeZone"], message, value: index.timeZone }];
}

/** The whole configuration. @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml */
function configuration(pipeline: LogPipeline): object {
  if (pipeline.source.kind === "application") {
    const filters = [
      ...multiline(pipeline, LINE_KEY),
      ...applicationFilters(pipeline, `${CONFIG_FOLDER}/application.lua`),
    ];
    return {
      service: service(pipeline),
      parsers: [{ name: JSON_PARSER, format: "json" }],
      pipeline: { inputs: [applicationInput(pipeline, STATE_FOLDER)], filters, outputs: [output(pipeline)] },
    };
  }
  return {
    service: service(pipeline),
    parsers: [
      // What the tag of a line says, and the team that a namespace belongs to.
      { name: "pod", format: "regex", regex: "^(?<namespace_name>[^_]+)_(?<pod_name>[^_]+)_(?<container_name>[^_]+)$" },
      { name: "team", format: "regex", regex: "^(?<team>.+)-team$" },
    ],
    pipeline: { inputs: [input(pipeline)], filters: filters(pipeline), outputs: [output(pipeline)] },
  };
}

function service(pipeline: LogPipeline): Section {
  return {
    flush: 1,
    grace: GRACE_SECONDS,
    log_level: "info",
    http_server: "on",
    http_listen: "0.0.0.0",
    http_port: HTTP_PORT,
    health_check: "on",
    ...bufferService(pipeline, STATE_FOLDER),
  };
}

/**
 * Reads the pods' files and what was rotated away from them but is not compressed yet, so that a rotation while Fluent Bit is
 * stopped loses nothing. A rotated file stays watched until the kubelet deletes it: were it forgotten after a while, the next
 * look at the folder would take it for a new one and read it again.
 * @see https://docs.fluentbit.io/manual/data-pipeline/inputs/tail
 */
function input(pipeline: LogPipeline): Section {
  const { include, exclude } = pipeline.namespaces;
  const files = (namespace: string) => [
    `/var/log/pods/${namespace}_*/*/*.log`,
    `/var/log/pods/${namespace}_*/*/*.log.20??????-??????`,
  ];
  return {
    name: "tail",
    tag: "kube.<namespace>_<pod>_<container>",
    tag_regex: "^/var/log/pods/(?<namespace>[^_/]+)_(?<pod>[^_/]+)_[^/]+/(?<container>[^/]+)/",
    path: (include.length === 0 ? ["*"] : include).flatMap(files).join(","),
    exclude_path: exclude.flatMap(files).join(","),
    "multiline.parser": "cri",
    db: `${STATE_FOLDER}/positions.db`,
    ...bufferInput(pipeline),
    read_from_head: "on",
    // Also how long a new file may go unseen: at 4 MB/s a file is rotated away after two and a half seconds.
    refresh_interval: 1,
    rotate_wait: 86_400,
    buffer_chunk_size: "256k",
    buffer_max_size: "2M",
    skip_long_lines: "on",
    threaded: "off",
  };
}

function filters(pipeline: LogPipeline): Section[] {
  return [
    ...multiline(pipeline, "log"),
    {
      name: "kubernetes",
      match: "kube.*",
      kube_tag_prefix: "kube.",
      regex_parser: "pod",
      buffer_size: 0,
      labels: pipeline.metadata.labels || usesLabels(pipeline) ? "on" : "off",
      annotations: pipeline.metadata.annotations ? "on" : "off",
      // The pod's annotation fluentbit.io/exclude.
      "k8s-logging.exclude": "on",
      ...(pipeline.parseJson ? { merge_log: "on", merge_log_key: "fields", keep_log: "on" } : { merge_log: "off" }),
    },
    {
      name: "parser",
      match: "kube.*",
      key_name: "$kubernetes['namespace_name']",
      parser: "team",
      reserve_data: "on",
      preserve_key: "on",
    },
    ...Object.entries(pipeline.labels).map(([key, value]) => ({
      name: "grep",
      match: "kube.*",
      regex: `$kubernetes['labels']['${key}'] ^${value.replaceAll(/[.\\+*?[^\]$(){}|]/g, "\\$&")}$`,
    })),
    ...(usesScript(pipeline)
      ? [{ name: "lua", match: "kube.*", script: `${CONFIG_FOLDER}/index.lua`, call: INDEX_FUNCTION }]
      : []),
  ];
}

/** Rules for JavaScript's traces are those of Java here. @see https://docs.fluentbit.io/manual/data-pipeline/parsers/multiline-parsing */
function multiline({ multiline: languages }: LogPipeline, key: string): Section[] {
  const parsers = [...new Set(languages.map((language) => (language === "node" ? "java" : language)))].sort();
  if (parsers.length === 0) return [];
  // Without its own buffer the filter joins what was read together: a trace may be cut in two, but none is lost when it is killed.
  return [
    {
      name: "multiline",
      match: "kube.*",
      "multiline.key_content": key,
      "multiline.parser": parsers.join(","),
      mode: "parser",
      buffer: "off",
    },
  ];
}

/** Only an index that is split needs a value of each record in its name; a sidecar's records have all the same. */
function usesScript({ index, destination, source }: LogPipeline): boolean {
  return source.kind === "node" && hasIndex(destination) && index.splitBy !== "none";
}

function usesLabels(pipeline: LogPipeline): boolean {
  return Object.keys(pipeline.labels).length > 0 || (usesScript(pipeline) && pipeline.index.splitBy === "app");
}
