import {
  credentialsFolder,
  PASSWORD_FILE_NAME,
  TOKEN_FILE_NAME,
  tlsOf,
  USER_FILE_NAME,
} from "../../destinations/destination-secrets.ts";
import { IndexFormat } from "../../indexing/index-format.ts";
import { type LogPipeline, NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../pipeline.ts";
import { type Collector, everyDestination, everyStep, type Unsupported, unless } from "../collector.ts";
import { firstLinePattern, LACKED_BY_INDENTATION } from "../stack-traces.ts";
import { yamlText } from "../yaml-text.ts";
import {
  joinStages,
  POD_LABEL as LIMIT_LABEL,
  processingStages,
  ruleLabel,
  ruleLabels,
  unsupportedReplacement,
} from "./processing-stages.ts";

const CONFIG_FOLDER = "/etc/promtail";
const STATE_FOLDER = "/var/lib/promtail";
const HTTP_PORT = 9080;
/** Prefix of a target's labels that hold its pod's labels until they are in the record. */
const POD_LABEL = "pod_label_";
/** Key of a line's time, if it is valid. */
const WRITTEN = "written";
const LOKI_ONLY = "Promtail sends to Loki only";

/**
 * Promtail, at its end of life and kept for existing users. It supports only Loki, and so labels and no index. Each line is the record that
 * Fluent Bit sends, but without the pod's annotations. It has no buffer: unsent lines stay in the kubelet's files, and it does not read
 * files that were rotated away while it was stopped.
 * @see https://grafana.com/docs/loki/latest/send-data/promtail/
 */
export const promtail: Collector = {
  id: "promtail",
  title: "Promtail",
  image: "docker.io/grafana/promtail:3.6.11",
  documentation: "https://grafana.com/docs/loki/latest/send-data/promtail/",
  modes: ["daemonset"],
  destinations: { ...everyDestination(LOKI_ONLY), loki: true },
  authenticates: { loki: ["token"] },
  routes: "which sends to Loki only",
  processing: everyStep(true),
  about: {
    parsing: [
      `stack traces by indentation, without empty lines and except ${LACKED_BY_INDENTATION}`,
      "'_' also for '/' and '-' in label keys",
      "a replacement character for each byte of a cut one",
    ],
    buffer: "none; unsent lines stay in the kubelet's files",
    index: "none; Loki has labels",
    maintenance: "end of life since March 2026; use Grafana Alloy or the OpenTelemetry Collector",
    ownCode: "templates for the record and card numbers",
    losses:
      "files that rotate twice unread, in an outage or on half a core; in a stop up to 1 MiB, and files that rotate before it reads again",
    cpu: 6,
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  graceSeconds: 10,
  readiness: { path: "/ready", port: HTTP_PORT },
  ports: { metrics: HTTP_PORT },
  readsCredentials: "files",
  resources: { cpu: "50m", memory: "64Mi", memoryLimit: "256Mi" },
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: { "promtail.yaml": yamlText(configuration(pipeline)) },
    args: [`-config.file=${CONFIG_FOLDER}/promtail.yaml`],
    // It reads the pods of the node with this name; in a pod the variable is the pod's name unless it is set.
    environment: { HOSTNAME: `$(${NODE_VARIABLE})` },
  }),
};

function unsupported({ index, metadata, processing }: LogPipeline): Unsupported[] {
  const plain: Record<string, unknown> = IndexFormat.parse({});
  const replacement = unsupportedReplacement(processing);
  const groups = "must use groups only at the beginning of both pattern and replacement, with Promtail";
  const none = "must be false with Promtail, which keeps none";
  return [
    ...Object.entries(index).flatMap(([key, value]) =>
      unless(
        value === plain[key],
        `index.${key}`,
        "must not be set with Promtail, since Loki has labels and no index",
        value,
      ),
    ),
    ...unless(replacement === undefined, "processing.redact", groups, replacement),
    ...unless(!metadata.annotations, "metadata.annotations", none, true),
  ];
}

/** @see https://grafana.com/docs/loki/latest/send-data/promtail/configuration/ */
function configuration(pipeline: LogPipeline): object {
  return {
    server: {
      http_listen_port: HTTP_PORT,
      grpc_listen_address: "127.0.0.1",
      grpc_listen_port: 0,
      log_level: "info",
      // Else it is never ready on a node without a pod to collect from, and the rollout of its DaemonSet never ends.
      health_check_target: false,
    },
    // The position is stored when a line is read, not when it is sent, so a shorter period loses more in a kill.
    positions: { filename: `${STATE_FOLDER}/positions.yaml`, sync_period: "10s" },
    target_config: { sync_period: "1s" },
    clients: [client(pipeline)],
    scrape_configs: [
      {
        job_name: "pods",
        // Only of its own node, whose name is in HOSTNAME.
        kubernetes_sd_configs: [{ role: "pod" }],
        relabel_configs: relabeling(pipeline),
        pipeline_stages: stages(pipeline),
      },
    ],
  };
}

function client({ destination }: LogPipeline): object {
  if (destination.kind !== "loki") throw new Error(`destination ${destination.kind}: ${LOKI_ONLY}`);
  const { url, tenant, credentials, token } = destination;
  const tls = tlsOf(destination);
  return {
    url: new URL("/loki/api/v1/push", url).href,
    tenant_id: tenant,
    basic_auth: credentials && {
      username_file: `${credentialsFolder()}/${USER_FILE_NAME}`,
      password_file: `${credentialsFolder()}/${PASSWORD_FILE_NAME}`,
    },
    bearer_token_file: token && `${credentialsFolder()}/${TOKEN_FILE_NAME}`,
    tls_config: tls && { insecure_skip_verify: !tls.verify, ca_file: tls.caFile },
    // 0 means unlimited: lines rejected with 429 or 5xx wait in the files.
    backoff_config: { min_period: "500ms", max_period: "30s", max_retries: 0 },
  };
}

/** Containers to read, and the labels of their streams. */
function relabeling(pipeline: LogPipeline): object[] {
  const { namespaces, labels, metadata, teamNames, processing } = pipeline;
  const meta = (name: string) => `__meta_kubernetes_${name}`;
  const copy = (source: string, target: string) => ({ source_labels: [meta(source)], target_label: target });
  const namespace = [meta("namespace")];
  return [
    ...(namespaces.include.length === 0
      ? []
      : [{ source_labels: namespace, regex: namespaces.include.join("|"), action: "keep" }]),
    { source_labels: namespace, regex: namespaces.exclude.join("|"), action: "drop" },
    {
      source_labels: [meta(`pod_annotation_${labelName(OPT_OUT_ANNOTATION)}`)],
      regex: "(?i)(?:true|on|yes)",
      action: "drop",
    },
    ...Object.entries(labels).map(([key, value]) => ({
      source_labels: [meta(`pod_label_${labelName(key)}`)],
      regex: value.replaceAll(".", "\\."),
      action: "keep",
    })),
    // Not by the pod's UID: the folder of a static pod has another. By separators, since "$1_" would be a group of that name.
    { source_labels: [meta("namespace"), meta("pod_name")], separator: "_", target_label: "__folder" },
    {
      source_labels: ["__folder", meta("pod_container_name")],
      separator: "_*/",
      replacement: "/var/log/pods/$1/*.log",
      target_label: "__path__",
    },
    { replacement: "eks-dns-logging", target_label: "job" },
    copy("namespace", "namespace"),
    copy("pod_name", "pod"),
    copy("pod_container_name", "container"),
    copy("pod_node_name", "node"),
    { source_labels: namespace, regex: "(.+)-team", target_label: "team" },
    ...Object.entries(teamNames).map(([name, team]) => ({
      source_labels: namespace,
      regex: name,
      replacement: team,
      target_label: "team",
    })),
    ...ruleLabels(pipeline).map((key) => copy(`pod_label_${labelName(key)}`, ruleLabel(key))),
    ...(processing.limit.length === 0
      ? []
      : [{ source_labels: [meta("namespace"), meta("pod_name")], separator: "/", target_label: LIMIT_LABEL }]),
    ...(metadata.labels ? [{ action: "labelmap", regex: meta("pod_label_(.+)"), replacement: `${POD_LABEL}$1` }] : []),
  ];
}

/** The stages that build the record: parts are joined per file, so its name is removed last. */
function stages({ multiline, parseJson, metadata, processing }: LogPipeline): object[] {
  return [
    { cri: { max_partial_lines: 10_000 } },
    // Some programs end lines with a carriage return too; the other collectors remove it, and patterns may match the end of a line.
    { replace: { expression: "(\\r)\\z", replace: "" } },
    // In a line that no runtime wrote, any word is parsed as the time, and is not masked.
    { regex: { source: "time", expression: `^(?P<${WRITTEN}>\\d{4}-\\d\\d-\\d\\dT[0-9:.Z+-]+)$` } },
    ...joinStages(processing, firstLinePattern(multiline)),
    ...processingStages(processing),
    { template: { source: "record", template: recordTemplate(parseJson, metadata.labels, processing.fields) } },
    { output: { source: "record" } },
    { labelallow: ["job", "namespace", "pod", "container", "stream", "team"] },
  ];
}

/** @see https://grafana.com/docs/loki/latest/send-data/promtail/stages/template/ */
function recordTemplate(parseJson: boolean, labels: boolean, added: Readonly<Record<string, string>>): string {
  const value = (name: string) => `{{ toRawJson .${name} }}`;
  const names = { namespace_name: "namespace", pod_name: "pod", container_name: "container", host: "node" };
  const kubernetes = Object.entries(names).map(([key, label]) => `"${key}":${value(label)}`);
  const ifSet = (key: string, from = key) => `{{ if .${from} }},"${key}":${value(from)}{{ end }}`;
  // Unchanged from the line, since numbers are rounded when written again; through JSON, which replaces invalid UTF-8.
  const fields = `{{ if hasPrefix "{" .Entry }}{{ if kindIs "map" (fromJson .Entry) }},"fields":{{ fromJson (toRawJson .Entry) }}{{ end }}{{ end }}`;
  // A template cannot detect the last item, so the comma precedes each but the first.
  const podLabels = `{{ $comma := "" }}{{ range $key, $value := . }}{{ if hasPrefix "${POD_LABEL}" $key }}{{ $comma }}{{ toRawJson (trimPrefix "${POD_LABEL}" $key) }}:{{ toRawJson $value }}{{ $comma = "," }}{{ end }}{{ end }}`;
  return [
    // Absent in a line that no runtime wrote.
    `{"log":{{ toRawJson .Entry }}${ifSet("stream")}${ifSet("time", WRITTEN)}`,
    `,"kubernetes":{${kubernetes.join(",")}${labels ? `,"labels":{ ${podLabels}}` : ""}}`,
    ifSet("team"),
    parseJson ? fields : "",
    // Names and values contain no special character of JSON or templates.
    ...Object.entries(added).map(([name, value]) => `,"${name}":"${value}"`),
    "}",
  ].join("");
}

/** The Prometheus label name of a Kubernetes label or annotation. */
function labelName(key: string): string {
  return key.replaceAll(/[^a-zA-Z0-9_]/g, "_");
}
