import { stringify } from "yaml";
import { fluentBit } from "../../components/logging/collectors/fluent-bit/index.ts";
import { logPipeline } from "../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import type { Configuration } from "./line-cost-node.ts";

const OPENSEARCH = { host: "127.0.0.1", port: 9200 };
const PATH = "/var/log/containers/*.log";
/** What both peers need that their destination is OpenSearch. */
const OUTPUT = { name: "opensearch", ...OPENSEARCH, suppress_type_name: "on", retry_limit: "no_limits" };

/** This project's configuration for settings below `logging`. */
function ours(name: string, settings: object): Configuration {
  const destination = { kind: "opensearch", ...OPENSEARCH, tls: false };
  const parsed = LoggingSettings.parse({ collector: fluentBit.id, destination, ...settings });
  return { name, files: fluentBit.render(logPipeline(parsed, { cluster: "bench", region: undefined })).files };
}

/** The default values of Fluent Bit's own chart. @see https://github.com/fluent/helm-charts/blob/main/charts/fluent-bit/values.yaml */
const HELM_CHART = {
  service: { flush: 1, log_level: "info" },
  pipeline: {
    inputs: [
      {
        name: "tail",
        path: PATH,
        "multiline.parser": "docker, cri",
        tag: "kube.*",
        mem_buf_limit: "5MB",
        skip_long_lines: "on",
        // So that it reads what is there; as delivered it reads what is written after its start.
        read_from_head: "on",
      },
    ],
    filters: [
      {
        name: "kubernetes",
        match: "kube.*",
        kube_tag_prefix: "kube.var.log.containers.",
        merge_log: "on",
        keep_log: "off",
        "k8s-logging.parser": "on",
        "k8s-logging.exclude": "on",
      },
    ],
    outputs: [{ ...OUTPUT, match: "kube.*", logstash_format: "on" }],
  },
};

/**
 * The application logs of the chart amazon-cloudwatch-observability, to OpenSearch. Its filter asks the kubelet, once a pod; here it
 * asks the API server as often.
 * @see https://github.com/aws-observability/helm-charts/tree/main/charts/amazon-cloudwatch-observability
 */
const CLOUDWATCH_CHART = {
  service: {
    flush: 5,
    grace: 30,
    log_level: "error",
    "storage.path": "/var/lib/fluent-bit/flb-storage/",
    "storage.sync": "normal",
    "storage.checksum": "off",
    "storage.backlog.mem_limit": "5M",
  },
  pipeline: {
    inputs: [
      {
        name: "tail",
        tag: "application.*",
        path: PATH,
        "multiline.parser": "docker, cri",
        db: "/var/lib/fluent-bit/flb_container.db",
        mem_buf_limit: "50MB",
        skip_long_lines: "on",
        refresh_interval: 10,
        rotate_wait: 30,
        "storage.type": "filesystem",
        read_from_head: "on",
      },
    ],
    filters: [
      {
        name: "kubernetes",
        match: "application.*",
        kube_tag_prefix: "application.var.log.containers.",
        merge_log: "on",
        merge_log_key: "log_processed",
        "k8s-logging.parser": "on",
        "k8s-logging.exclude": "off",
        labels: "off",
        annotations: "off",
        buffer_size: 0,
      },
    ],
    outputs: [{ ...OUTPUT, match: "application.*", logstash_format: "on" }],
  },
};

/** What is compared: this project as it is by default and without stack traces, and two charts that many clusters run. */
export function configurations(): Configuration[] {
  const peer = (name: string, text: object) => ({ name, files: { "fluent-bit.yaml": stringify(text) } });
  return [
    ours("this project", {}),
    ours("this project, multiline: []", { multiline: [] }),
    peer("Helm chart defaults, kubernetes filter", HELM_CHART),
    peer("amazon-cloudwatch-observability, to OpenSearch", CLOUDWATCH_CHART),
  ];
}
