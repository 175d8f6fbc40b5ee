import { amount } from "../../../schema/values.ts";
import { indexPrefix, notation } from "../../index-format.ts";
import { hasIndex, type LogPipeline, MAX_FIELDS_BYTES, NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../pipeline.ts";
import type { Collector, Unsupported } from "../collector.ts";
import { BIRTHS_FILE, BIRTHS_PROGRAM } from "./births.ts";
import { BUFFER_FILE, BUFFER_PROGRAM } from "./buffer.ts";
import { FILES_SOURCE_FILE, FILES_SOURCE_PROGRAM } from "./files.ts";
import { RECORD_FILTER, RECORD_FILTER_FILE, RECORD_FILTER_PROGRAM } from "./filter.ts";
import { JOURNAL_FILE, JOURNAL_PROGRAM } from "./journal.ts";
import { LINES_FILTER_FILE, LINES_FILTER_PROGRAM } from "./lines.ts";
import { MIN_BUFFER, output } from "./outputs.ts";
import { POD_LOOKUP_FILE, POD_LOOKUP_PROGRAM } from "./pods.ts";
import { applicationSource, joins, LINES, nodeSource } from "./sources.ts";
import { configurationText, type Options, quoted, type Section, variable } from "./text.ts";

const CONFIG_FOLDER = "/fluentd/config";
const STATE_FOLDER = "/var/lib/fluentd";
const METRICS_PORT = 24_231;
const LABEL = "@RECORDS";
/** Each destination's plugin is in an image of its own. @see https://github.com/fluent/fluentd-kubernetes-daemonset */
const imageWith = (plugin: string) => `docker.io/fluent/fluentd-kubernetes-daemonset:v1.19.3-debian-${plugin}-1.1`;

/**
 * Fluentd, from the files of all pods or of one application, with a buffer in files and retries without end.
 * @see https://docs.fluentd.org/
 */
export const fluentd: Collector = {
  id: "fluentd",
  title: "Fluentd",
  image: imageWith("opensearch"),
  images: {
    // Its client is understood by Elasticsearch 8 and 9; that of the image for 9 by 9 alone.
    elasticsearch: imageWith("elasticsearch8"),
    cloudwatch: imageWith("cloudwatch"),
    s3: imageWith("s3"),
  },
  documentation: "https://docs.fluentd.org/",
  carriers: ["daemonset", "sidecar"],
  destinations: {
    stdout: true,
    file: true,
    http: true,
    opensearch: true,
    elasticsearch: true,
    cloudwatch: true,
    s3: true,
    loki: "no image of Fluentd for Kubernetes has the plugin for it",
  },
  about: {
    parsing: "CRI parts joined; stack traces by indentation, the last line of Python's apart; JSON to fields",
    buffer: "files on the node, up to buffer.size; lines that wait for the next are on disk too",
    index: "prefix, split value and strftime date, in any time zone",
    maintenance: "maintained (CNCF)",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  // The image's own entry point reads another configuration.
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
      [FILES_SOURCE_FILE]: FILES_SOURCE_PROGRAM,
      [BIRTHS_FILE]: BIRTHS_PROGRAM,
      [BUFFER_FILE]: BUFFER_PROGRAM,
      [RECORD_FILTER_FILE]: RECORD_FILTER_PROGRAM,
      [POD_LOOKUP_FILE]: POD_LOOKUP_PROGRAM,
      [LINES_FILTER_FILE]: LINES_FILTER_PROGRAM,
      [JOURNAL_FILE]: JOURNAL_PROGRAM,
    },
    // Kubernetes starts it again if it ends: no process of its own is needed for that.
    args: ["--no-supervisor", "--config", `${CONFIG_FOLDER}/fluent.conf`, "--plugin", CONFIG_FOLDER],
  }),
};

function unsupported({ destination, buffer: { size } }: LogPipeline): Unsupported[] {
  const found: Unsupported[] = [];
  if (amount(size) < amount(MIN_BUFFER))
    found.push({ path: ["buffer", "size"], message: `at least ${MIN_BUFFER} for Fluentd`, value: size });
  if (destination.kind === "http" && /%|\$\{/.test(destination.url)) {
    const message = "a URL without '%' and '${' for Fluentd, which takes them for a date or a field";
    found.push({ path: ["destination", "url"], message, value: destination.url });
  }
  return found;
}

/** The whole configuration. @see https://docs.fluentd.org/configuration/config-file */
function configuration(pipeline: LogPipeline): Section[] {
  const node = pipeline.source.kind === "node";
  return [
    // With its disk full it would fill it with what it says of that.
    { name: "system", options: { log_level: "warn", emit_error_log_interval: "60s" } },
    { name: "source", options: { "@type": "prometheus", bind: "0.0.0.0", port: METRICS_PORT } },
    { name: "source", options: { "@type": "prometheus_output_monitor" } },
    node ? nodeSource(pipeline, STATE_FOLDER) : applicationSource(STATE_FOLDER),
    ...joins(pipeline, LABEL, STATE_FOLDER),
    { name: "match", of: LINES, options: { "@type": "relabel", "@label": LABEL } },
    {
      name: "label",
      of: LABEL,
      sections: [record(pipeline), output(pipeline, STATE_FOLDER)],
    },
  ];
}

function record(pipeline: LogPipeline): Section {
  const { source, labels, metadata: wanted, parseJson, destination } = pipeline;
  return {
    name: "filter",
    of: LINES,
    options: {
      "@type": RECORD_FILTER,
      node: variable(NODE_VARIABLE),
      opt_out: OPT_OUT_ANNOTATION,
      labels: wanted.labels,
      annotations: wanted.annotations,
      parse_json: parseJson,
      fields_bytes: destination.kind === "opensearch" ? MAX_FIELDS_BYTES : undefined,
      ...(source.kind === "application"
        ? { application: application(pipeline) }
        : { required_labels: quoted(JSON.stringify(labels)) }),
      stream: destination.kind === "cloudwatch" ? true : undefined,
      ...index(pipeline),
    },
  };
}

/** What each record of an application has, which is known now. */
function application({ source, metadata: wanted }: LogPipeline): string | undefined {
  if (source.kind === "node") return undefined;
  const { namespace, pod, container, team, app } = source.pod;
  const labels = wanted.labels && app !== undefined ? { labels: { "app_kubernetes_io/name": app } } : {};
  const kubernetes = { namespace_name: namespace, pod_name: pod, container_name: container, ...labels };
  return quoted(JSON.stringify({ kubernetes, team }));
}

function index({ destination, index: format, source }: LogPipeline): Options {
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
