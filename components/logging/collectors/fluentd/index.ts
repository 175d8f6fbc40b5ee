import { anyAddress } from "../../../kubernetes/ip-family.ts";
import { indexPrefix, notation } from "../../indexing/index-format.ts";
import {
  APPLICATION_LOGS,
  hasIndex,
  type LogPipeline,
  MAX_FIELDS_BYTES,
  NODE_VARIABLE,
  OPT_OUT_ANNOTATION,
  podFields,
} from "../../pipeline.ts";
import { scriptRules } from "../../processing/processing.ts";
import {
  bufferOf,
  type Collector,
  everyDestination,
  everyStep,
  onlyLines,
  readScripts,
  type Unsupported,
  verbatimOnly,
} from "../collector.ts";
import { BY_INDENTATION, continuationPattern } from "../stack-traces.ts";
import { configurationText, type Options, quoted, type Section, STATE_FOLDER, variable } from "./directives.ts";
import { MIN_BUFFER, output } from "./match.ts";

const CONFIG_FOLDER = "/fluentd/config";
const METRICS_PORT = 24_231;
/** Tags of lines from files: `kubernetes.` and the path of the file. */
const LINES = "kubernetes.**";
const LABEL = "@RECORDS";
/** Ruby plugins, which Fluentd finds by file name, and their helpers. */
const SCRIPTS = readScripts(import.meta.url, [
  "in_pod_files.rb",
  "file_identity.rb",
  "buf_pod_file.rb",
  "filter_pod_record.rb",
  "pod_lookup.rb",
  "filter_pod_lines.rb",
  "line_journal.rb",
  "line_limits.rb",
  "line_rules.rb",
]);
const NO_PLUGIN = "no Fluentd image for Kubernetes has the plugin";
/** Each destination's plugin has its own image. @see https://github.com/fluent/fluentd-kubernetes-daemonset */
const imageWith = (plugin: string) => `docker.io/fluent/fluentd-kubernetes-daemonset:v1.19.3-debian-${plugin}-1.1`;

/**
 * Fluentd: reads the files of all pods or of one application, buffers in files, and retries indefinitely.
 * @see https://docs.fluentd.org/
 */
export const fluentd: Collector = {
  id: "fluentd",
  title: "Fluentd",
  image: imageWith("opensearch"),
  images: {
    // The client for 8 works with Elasticsearch 8 and 9, the client for 9 with 9 only.
    elasticsearch: imageWith("elasticsearch8"),
    cloudwatch: imageWith("cloudwatch"),
    s3: imageWith("s3"),
  },
  documentation: "https://docs.fluentd.org/",
  modes: ["daemonset", "sidecar"],
  destinations: {
    ...everyDestination(true),
    loki: NO_PLUGIN,
    otlp: "its plugin for OTLP is not tested here",
    splunk: NO_PLUGIN,
    firehose: NO_PLUGIN,
    kafka: NO_PLUGIN,
  },
  routes: "which is rendered for one destination here",
  processing: everyStep(true),
  about: {
    parsing: [BY_INDENTATION, "integers beyond 64 bits as text"],
    buffer: "files on the node, including pending multi-line records",
    index: "date in any time zone",
    maintenance: "maintained (CNCF)",
    ownCode: "Ruby plugins for input, buffer, record and processing",
    losses:
      "none up to 11 MB/s, which takes one core; what an HTTP server answers with 4xx other than 401, 408, 425 and 429, or a search engine without JSON",
    cpu: 6,
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  // The image's entry point reads another configuration.
  command: ["tini", "--", "fluentd"],
  graceSeconds: 20,
  liveness: { path: "/metrics", port: METRICS_PORT },
  readiness: { path: "/metrics", port: METRICS_PORT },
  ports: { metrics: METRICS_PORT },
  resources: { cpu: "100m", memory: "200Mi", memoryLimit: "512Mi" },
  logGroupActions: ["logs:DescribeLogStreams"],
  listsLogGroups: true,
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  unsupported,
  render: (pipeline) => ({
    files: {
      "fluent.conf": configurationText(configuration(pipeline)),
      ...SCRIPTS,
    },
    // Kubernetes restarts it, so Fluentd needs no supervisor process.
    args: ["--no-supervisor", "--config", `${CONFIG_FOLDER}/fluent.conf`, "--plugin", CONFIG_FOLDER],
  }),
};

function unsupported(pipeline: LogPipeline): Unsupported[] {
  return [
    ...bufferOf(MIN_BUFFER, "Fluentd", pipeline),
    ...verbatimOnly(pipeline, /%|\$\{/, "'%' and '${' with Fluentd, which reads them as a date or a field"),
    ...onlyLines("Fluentd", pipeline),
  ];
}

/** The whole configuration. @see https://docs.fluentd.org/configuration/config-file */
function configuration(pipeline: LogPipeline): Section[] {
  const node = pipeline.source.kind === "node";
  return [
    // With a full disk it would fill its own log with messages about it.
    { name: "system", options: { log_level: "warn", emit_error_log_interval: "60s" } },
    {
      name: "source",
      options: { "@type": "prometheus", bind: anyAddress(pipeline.context.ipFamily), port: METRICS_PORT },
    },
    { name: "source", options: { "@type": "prometheus_output_monitor" } },
    node ? nodeSource(pipeline) : APPLICATION_SOURCE,
    ...joins(pipeline),
    { name: "match", of: LINES, options: { "@type": "relabel", "@label": LABEL } },
    { name: "label", of: LABEL, sections: [record(pipeline), output(pipeline)] },
  ];
}

/** Common options for reading files. @see https://docs.fluentd.org/input/tail */
const TAIL: Options = {
  "@type": "pod_files",
  "@id": "files",
  tag: "kubernetes.*",
  pos_file: `${STATE_FOLDER}/positions`,
  read_from_head: true,
  follow_inodes: true,
  refresh_interval: 1,
  // The first scan would read before anything else starts: with a full buffer, or without an API server, Fluentd would neither answer
  // its probes nor react to SIGTERM.
  skip_refresh_on_startup: true,
  rotate_wait: 0,
  // Per file, so that no file starves the others until they are deleted unread: at 20 MB/s, four times what it could send, 4m lost half
  // of all lines and 1m none. With a limit, a rotated file is also read to its end, however long that takes.
  read_bytes_limit_per_second: "1m",
  max_line_size: "2m",
};

/** Reads the pods' files and the rotated files that are not compressed yet. */
function nodeSource(pipeline: LogPipeline): Section {
  const { include, exclude } = pipeline.namespaces;
  const places = include.length === 0 ? ["*"] : include.map((namespace) => `${namespace}_*`);
  const paths = places.flatMap((place) => ["*.log", "*.log.*"].map((file) => `/var/log/pods/${place}/*/${file}`));
  const without = exclude.map((namespace) => `/var/log/pods/${namespace}_*/*/*`);
  return {
    name: "source",
    options: {
      ...TAIL,
      path: paths.join(","),
      exclude_path: JSON.stringify([...without, "/var/log/pods/*/*/*.gz", "/var/log/pods/*/*/*.tmp"]),
    },
    sections: [
      {
        name: "parse",
        options: {
          "@type": "regexp",
          expression: "/^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]+) (?<log>.*)$/",
          // The first format is seven times as fast. The fallback reads full seconds, which a runtime may write without a fraction.
          time_type: "mixed",
          time_format: "%Y-%m-%dT%H:%M:%S.%N%z",
          time_format_fallbacks: "%iso8601",
        },
      },
    ],
  };
}

/** Reads every file that the application writes, line by line. */
const APPLICATION_SOURCE: Section = {
  name: "source",
  options: { ...TAIL, path: `${APPLICATION_LOGS}/*.log` },
  sections: [{ name: "parse", options: { "@type": "none", message_key: "log" } }],
};

/**
 * Joins the parts of a line, and then the lines of a stack trace or record; lines that wait too long for the rest go to the label.
 * Empty if there is nothing to join.
 */
function joins({ multiline, source, processing }: LogPipeline): Section[] {
  const traces = continuationPattern(multiline);
  const { firstLines } = scriptRules(processing, "onigmo") ?? {};
  if (traces === undefined && source.kind === "application") return [];
  return [
    {
      name: "filter",
      of: LINES,
      options: {
        "@type": "pod_lines",
        label: LABEL,
        journal: `${STATE_FOLDER}/held`,
        continuation: traces === undefined ? undefined : quoted(`/${traces}/`),
        first_lines: firstLines === undefined ? undefined : quoted(JSON.stringify(firstLines)),
      },
    },
  ];
}

/** The filter that builds the record: `filter_pod_record.rb` with the pipeline's parameters. */
function record(pipeline: LogPipeline): Section {
  const { source, labels, metadata, parseJson, destination, teamNames } = pipeline;
  const { firstLines: _, ...rules } = scriptRules(pipeline.processing, "onigmo") ?? {};
  return {
    name: "filter",
    of: LINES,
    options: {
      "@type": "pod_record",
      node: variable(NODE_VARIABLE),
      opt_out: OPT_OUT_ANNOTATION,
      labels: metadata.labels,
      annotations: metadata.annotations,
      parse_json: parseJson,
      fields_bytes: destination.kind === "opensearch" ? MAX_FIELDS_BYTES : undefined,
      ...(source.kind === "application"
        ? {
            application: quoted(JSON.stringify({ kubernetes: podFields(pipeline, source.pod), team: source.pod.team })),
          }
        : {
            required_labels: quoted(JSON.stringify(labels)),
            teams: Object.keys(teamNames).length === 0 ? undefined : quoted(JSON.stringify(teamNames)),
          }),
      rules: Object.keys(rules).length === 0 ? undefined : quoted(JSON.stringify(rules)),
      stream: destination.kind === "cloudwatch" ? true : undefined,
      ...indexOptions(pipeline),
    },
  };
}

function indexOptions({ destination, index: format, source }: LogPipeline): Options {
  if (!hasIndex(destination)) return {};
  const node = source.kind === "node";
  return {
    index_prefix: quoted(node ? format.prefix : indexPrefix(format, source.pod)),
    index_separator: quoted(format.separator),
    index_date: quoted(notation(format.datePattern, "strftime")),
    index_zone: quoted(format.timeZone),
    index_split: node ? format.splitBy : "none",
  };
}
