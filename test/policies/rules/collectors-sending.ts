import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { BOTH, classic, F, FLUENT_BIT, file, line, UNKNOWN_FILE, variable } from "./collector.ts";
import type { Sample } from "./samples.ts";

/** Outputs over the network, beside the one of the samples. */
const PLAIN =
  "es http loki forward splunk gelf influxdb kafka-rest opentelemetry syslog tcp datadog prometheus_remote_write skywalking websocket".split(
    " ",
  );
const dated = (format: string) =>
  line("logstash_prefix: pods", `logstash_format: on\n      logstash_dateformat: "${format}"`);

/** An output in the place of the samples'. */
const sendingBy = (output: string) => {
  const [before = ""] = FLUENT_BIT.split("    - name: opensearch");
  return file(`${before}    ${output}\n      retry_limit: no_limits\n`);
};
const nodes = (...some: readonly string[]) => {
  const upstream = `upstream_servers:\n  - name: all\n    nodes:\n${some.map((one) => `      - ${one}\n`).join("")}`;
  return file(`${upstream}${FLUENT_BIT.replace("- name: opensearch", "- name: forward\n      upstream: all")}`);
};
/** Outputs that send in the clear, with what the rule says. */
const PLAIN_OUTPUTS: readonly (readonly [output: string, message: string])[] = [
  ["- name: nats\n      host: n.example.com", "nats has no TLS, so logs travel to n.example.com"],
  ["- name: udp\n      host: u.example.com\n      tls: on", "udp has no TLS, so logs travel to u.example.com"],
  [
    "- name: s3\n      endpoint: http://minio.example.com:9000",
    "endpoint of s3 is http://minio.example.com:9000, so logs travel to minio.example.com",
  ],
  [
    "- name: cloudwatch_logs\n      endpoint: http://logs.example.com",
    "endpoint of cloudwatch_logs is http://logs.example.com, so logs travel to logs.example.com",
  ],
  ["- name: cloudwatch_logs\n      tls: off", "tls of cloudwatch_logs is off, so logs travel to logs.amazonaws.com"],
  [
    "- name: nrlogs\n      base_uri: http://log-api.newrelic.com/log/v1?Api-Key=hunter2",
    "base_uri of nrlogs is http://log-api.newrelic.com, so logs travel to log-api.newrelic.com",
  ],
  ["- name: es\n      cloud_id: a:b", "tls of es is not set, so logs travel to Elastic Cloud"],
  [
    "- name: azure_blob\n      account_name: a",
    "tls of azure_blob is not set, so logs travel to blob.core.windows.net",
  ],
  [
    "- name: gelf\n      host: g.example.com\n      mode: tcp\n      tls: on",
    "mode of gelf is tcp, so logs travel to g.example.com",
  ],
  [
    "- name: syslog\n      host: s.example.com\n      tls: on",
    "mode of syslog is not set (udp), so logs travel to s.example.com",
  ],
  [
    "- name: oracle_log_analytics\n      host: o.example.com",
    "tls of oracle_log_analytics is not set, so logs travel to o.example.com",
  ],
  [
    "- name: pgsql\n      host: p.example.com",
    "connection_options of pgsql require no TLS, so logs travel to p.example.com",
  ],
];

/** A collector that its operator makes. */
const operated = (config: Value): Sample => [
  {
    type: "kubernetes:opentelemetry.io/v1beta1:OpenTelemetryCollector",
    name: `agent-${typeof config}`,
    props: { metadata: { name: "agent", namespace: "logging" }, spec: { config } },
  },
];

export const COLLECTORS_SENDING_CASES: CasesByRule = {
  "collectors-tls": {
    good: {
      ...BOTH,
      "a Service of the cluster": file(
        FLUENT_BIT.replace("search.example.com", "opensearch.logging.svc").replace(/ {6}tls.*\n/g, ""),
      ),
      "a Service by its whole name": file(
        FLUENT_BIT.replace("search.example.com", "opensearch.logging.svc.cluster.local").replace(/ {6}tls.*\n/g, ""),
      ),
      "Kafka by TLS": file(
        FLUENT_BIT.replace("- name: opensearch", "- name: kafka\n      brokers: b-1.example.com:9096").replace(
          "tls: on",
          "rdkafka.security.protocol: SASL_SSL",
        ),
      ),
      "Kafka by a block for TLS that turns nothing off": operated({
        receivers: {},
        exporters: { kafka: { brokers: ["b-1.example.com:9096"], tls: { insecure_skip_verify: false } } },
      }),
      "Kafka by a block for TLS, in Alloy": file(
        'otelcol.exporter.kafka "k" {\n  brokers = ["b-1.example.com:9096"]\n  tls {\n    insecure_skip_verify = false\n  }\n}\n',
      ),
      "Kafka in the cluster": file(
        FLUENT_BIT.replace("- name: opensearch", "- name: kafka\n      brokers: kafka.kafka.svc:9092").replace(
          / {6}tls.*\n/g,
          "",
        ),
      ),
      "a Service of the same namespace": file(
        FLUENT_BIT.replace("search.example.com", "elasticsearch-master").replace(/ {6}tls.*\n/g, ""),
      ),
      "an output that always uses TLS": file(FLUENT_BIT.replace("opensearch", "slack").replace(/ {6}tls.*\n/g, "")),
      "an output of AWS": line("- name: opensearch", "- name: cloudwatch_logs"),
      ...Object.fromEntries(
        [
          "- name: syslog\n      mode: tls",
          "- name: syslog\n      mode: dtls",
          "- name: syslog\n      mode: tcp\n      tls: on",
          "- name: gelf\n      mode: tls\n      tls: on",
          "- name: s3\n      endpoint: https://minio.example.com",
          "- name: s3\n      endpoint: http://minio.minio.svc:9000",
          "- name: azure_blob\n      endpoint: https://storage.example.com",
          "- name: pgsql\n      connection_options: -c sslmode=verify-full",
          "- name: forward\n      unix_path: /run/fluent.sock",
        ].map((output) => [output.replace(/\s+/g, " "), sendingBy(output)]),
      ),
      "a Service by its name and its namespace": file(
        FLUENT_BIT.replace("search.example.com", "opensearch.search").replace(/ {6}tls.*\n/g, ""),
      ),
      "a Service in a namespace that is called as a domain, which the stack has": [
        ...file(FLUENT_BIT.replace("search.example.com", "opensearch.dev").replace(/ {6}tls.*\n/g, "")),
        { type: "kubernetes:core/v1:Namespace", name: "dev", props: { metadata: { name: "dev" } } },
      ],
      "no verification without TLS, in the cluster": file(
        FLUENT_BIT.replace("search.example.com", "opensearch.logging.svc").replace(/tls(.*): on/g, "tls$1: off"),
      ),
      "nodes with TLS, and one of the cluster": nodes(
        "{ host: a.example.com, tls: on }",
        "{ host: aggregator.logging.svc }",
      ),
      "another collector's sink by TLS, and one in the cluster": file(
        "sinks:\n  a: { type: loki, endpoint: https://l.example.com }\n  b: { type: loki, endpoint: http://loki.logging }\n",
      ),
      "TLS to a host and a path that only the collector knows": sendingBy(
        `- name: http\n      host: \${LOGS_HOST}\n      uri: /in/\${TENANT}\n      tls: on`,
      ),
      "brokers that only the collector knows": sendingBy(
        `- name: kafka\n      brokers: \${BROKERS}\n      rdkafka.security.protocol: SSL`,
      ),
      stdout: file(FLUENT_BIT.replace("opensearch", "stdout").replace(/ {6}tls.*\n/g, "")),
    },
    bad: {
      "no verification": [
        line("tls.verify: on", "tls.verify: off"),
        `${F}tls.verify of opensearch is off, so anybody can impersonate search.example.com. Fix: set tls on`,
      ],
      ...Object.fromEntries(
        PLAIN.map((output) => [
          `${output}, which is plain unless told otherwise`,
          [
            file(FLUENT_BIT.replace("- name: opensearch", `- name: ${output}`).replace("tls: on", "tls: off")),
            `${F}tls of ${output} is off, so logs travel to search.example.com`,
          ] as const,
        ]),
      ),
      ...Object.fromEntries(
        PLAIN_OUTPUTS.map(([output, message]) => [
          output.replace(/\s+/g, " "),
          [sendingBy(output), `${F}${message} in the clear. Fix: `] as const,
        ]),
      ),
      ...Object.fromEntries(
        ["example.com", "logs.io", "search.internal", "search.dev"].map((host) => [
          `a domain of two parts: ${host}`,
          [
            file(FLUENT_BIT.replace("search.example.com", host).replace(/ {6}tls.*\n/g, "")),
            `${F}tls of opensearch is not set, so logs travel to ${host} in the clear`,
          ] as const,
        ]),
      ),
      "nodes that lines are shared among": [
        nodes("{ host: a.example.com }", "{ host: b.example.com, tls: on, tls_verify: off }"),
        `${F}tls of node is not set, so logs travel to a.example.com in the clear`,
        `${F}tls.verify of node is off, so anybody can impersonate b.example.com`,
      ],
      "nodes in a separate file": [
        classic(
          "[OUTPUT]",
          "[UPSTREAM]\n    Name all\n[NODE]\n    Name a\n    Host a.example.com\n[OUTPUT]\n    Upstream x",
        ),
        `${F}tls of node is not set, so logs travel to a.example.com in the clear`,
      ],
      "another collector's sinks": [
        file(
          "sinks:\n  a: { type: loki, endpoint: http://l.example.com, tls: { verify_certificate: false } }\n  b: { type: kafka, bootstrap_servers: k.example.com:9092 }\n",
        ),
        `${F}tls.verify_certificate of a is false, so anybody can impersonate l.example.com. Fix: let it verify`,
        `${F}endpoint of a is http://l.example.com, so its lines travel to l.example.com in the clear. Fix: use https://`,
        `${F}bootstrap_servers of b is k.example.com:9092, so its lines travel to k.example.com in the clear`,
      ],
      "an operated collector, in either form of its configuration": [
        [
          operated({ receivers: {}, exporters: { otlphttp: { endpoint: "http://o.example.com" } } }),
          operated('receivers: {}\nexporters: { otlp: { endpoint: "o.example.com:4317", tls: { insecure: true } } }\n'),
        ].flat(),
        "OpenTelemetryCollector/logging/agent: spec.config: endpoint of otlphttp is http://o.example.com, so its lines travel",
        "OpenTelemetryCollector/logging/agent: spec.config: endpoint of otlp is o.example.com:4317, so its lines travel",
      ],
      "no verification for AWS": [
        file(FLUENT_BIT.replace("opensearch", "cloudwatch_logs").replace("tls.verify: on", "tls.verify: off")),
        `${F}tls.verify of cloudwatch_logs is off, so anybody can impersonate search.example.com`,
      ],
      "a host whose name has .svc in its middle": [
        file(FLUENT_BIT.replace("search.example.com", "logs.svc.example.com").replace("tls: on", "tls: off")),
        `${F}tls of opensearch is off, so logs travel to logs.svc.example.com`,
      ],
      "a service of the internet that is not named": [
        file(FLUENT_BIT.replace("opensearch", "datadog").replace(/ {6}(tls|host).*\n/g, "")),
        `${F}tls of datadog is not set, so logs travel to datadoghq.com`,
      ],
      "no encryption": [
        line("tls: on", "tls: off"),
        `${F}tls of opensearch is off, so logs travel to search.example.com in the`,
      ],
      "Kafka without TLS": [
        file(
          FLUENT_BIT.replace("- name: opensearch", "- name: kafka\n      brokers: b-1.example.com:9092").replace(
            / {6}tls.*\n/g,
            "",
          ),
        ),
        `${F}rdkafka.security.protocol of kafka is not set, so logs travel to b-1.example.com in the clear`,
      ],
      "an unset value": [line("      tls: on\n", ""), `${F}tls of opensearch is not set`],
      "the classic format": [
        classic("tls.verify                On", "tls.verify Off"),
        `${F}tls.verify of opensearch is Off`,
      ],
    },
    unknown: {
      ...UNKNOWN_FILE,
      "an operated collector's endpoint": [
        operated({ receivers: {}, exporters: { otlphttp: { endpoint: UNKNOWN } } }),
        "OpenTelemetryCollector/logging/agent: spec.config.exporters.otlphttp.endpoint is known only",
      ],
      "a switch by a variable": [
        line("tls: on", `tls: ${variable("TLS")}`),
        `ConfigMap/logging/fluent-bit: data["fluent-bit.yaml"] has ${variable("TLS")} for tls of opensearch`,
      ],
    },
  },
  "collectors-index-names": {
    good: {
      ...BOTH,
      "a date that is not used": line("logstash_prefix: pods", "logstash_dateformat: '%d/%m'"),
      "a date in digits": dated("%Y.%m.%d.%H"),
      "a placeholder": line("logstash_prefix: pods", "index: $kubernetes['namespace_name']-%Y"),
      "another output": file(FLUENT_BIT.replace("opensearch", "loki").replace("prefix: pods", "prefix: PODS")),
    },
    bad: {
      "upper case": [
        line("prefix: pods", "prefix: Pods"),
        `${F}logstash_prefix of opensearch is Pods, which has upper-case`,
      ],
      "a forbidden letter": [
        line("logstash_prefix: pods", "index: a*b"),
        `${F}index of opensearch is a*b, which has "*" in it`,
      ],
      "a bad beginning": [
        line("prefix: pods", "prefix: _pods"),
        `${F}logstash_prefix of opensearch is _pods, which begins with _`,
      ],
      ...Object.fromEntries(
        [".", ".."].map((name) => [
          `the folder ${name}`,
          [
            line("logstash_prefix: pods", `index: ${name}`),
            `${F}index of opensearch is ${name}, which means a folder`,
          ] as const,
        ]),
      ),
      "a date whose days are padded by spaces": [
        dated("%Y.%m.%e"),
        `${F}logstash_dateformat of opensearch is %Y.%m.%e, whose %e may produce`,
      ],
      "a date with names of months": [
        dated("%d-%b-%Y"),
        `${F}logstash_dateformat of opensearch is %d-%b-%Y, whose %b may produce`,
      ],
      "a date with slashes": [
        dated("%Y/%m/%d"),
        `${F}logstash_dateformat of opensearch is %Y/%m/%d, which has "/" in it`,
      ],
      "a time with a letter": [
        dated("%Y.%m.%dT%H"),
        `${F}logstash_dateformat of opensearch is %Y.%m.%dT%H, which has upper-case`,
      ],
      "an invalid separator": [
        line("logstash_prefix: pods", "logstash_format: on\n      logstash_prefix_separator: ':'"),
        `${F}logstash_prefix_separator of opensearch is :, which has ":" in it`,
      ],
      "too long": [line("prefix: pods", `prefix: ${"p".repeat(256)}`), `${F}logstash_prefix of opensearch is ppp`],
      "the classic format": [
        classic("tls.verify ", "Index Logs\n    tls.verify "),
        `${F}index of opensearch is Logs, which has upper-case`,
      ],
    },
    unknown: UNKNOWN_FILE,
  },
};
