import { anyAddress } from "../../../kubernetes/ip-family.ts";
import { amount } from "../../../schema/values.ts";
import type { LogPipeline } from "../../pipeline.ts";
import {
  type Collector,
  everyDestination,
  everyStep,
  onlyLines,
  readScripts,
  type Unsupported,
  unless,
} from "../collector.ts";
import { configurationText, type Section, STATE_FOLDER } from "./directives.ts";
import { APPLICATION_SOURCE, joins, LINES, nodeSource, record } from "./input.ts";
import { MIN_BUFFER, output } from "./match.ts";

const CONFIG_FOLDER = "/fluentd/config";
const METRICS_PORT = 24_231;
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
    parsing: [
      "stack traces by indentation, except the last line of Python's and some of Go's, PHP's and Rust's",
      "integers beyond 64 bits as text",
    ],
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
  const { destination, buffer } = pipeline;
  const url = destination.kind === "http" ? destination.url : "";
  const verbatim = "must be a URL without '%' and '${' with Fluentd, which reads them as a date or a field";
  const large = `must be at least ${MIN_BUFFER} with Fluentd`;
  return [
    ...unless(amount(buffer.size) >= amount(MIN_BUFFER), "buffer.size", large, buffer.size),
    ...unless(!/%|\$\{/.test(url), "destination.url", verbatim, url),
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
    ...joins(pipeline, LABEL),
    { name: "match", of: LINES, options: { "@type": "relabel", "@label": LABEL } },
    { name: "label", of: LABEL, sections: [record(pipeline), output(pipeline)] },
  ];
}
