import type { CasesByRule } from "./cases.ts";
import { BOTH, classic, F, FLUENT_BIT, file, line, UNKNOWN_FILE, variable } from "./collector.ts";

/** Outputs over the network, beside the one of the samples. */
const PLAIN =
  "es http loki forward splunk gelf influxdb kafka-rest opentelemetry syslog tcp datadog prometheus_remote_write skywalking websocket".split(
    " ",
  );
const dated = (format: string) =>
  line("logstash_prefix: pods", `logstash_format: on\n      logstash_dateformat: "${format}"`);

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
      stdout: file(FLUENT_BIT.replace("opensearch", "stdout").replace(/ {6}tls.*\n/g, "")),
    },
    bad: {
      "no verification": [
        line("tls.verify: on", "tls.verify: off"),
        `${F}tls.verify of opensearch is off, so anybody may stand for search.example.com. Fix: set tls on`,
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
      "no verification of AWS": [
        file(FLUENT_BIT.replace("opensearch", "cloudwatch_logs").replace("tls.verify: on", "tls.verify: off")),
        `${F}tls.verify of cloudwatch_logs is off, so anybody may stand for search.example.com`,
      ],
      "a host whose name has .svc in its middle": [
        file(FLUENT_BIT.replace("search.example.com", "logs.svc.example.com").replace("tls: on", "tls: off")),
        `${F}tls of opensearch is off, so logs travel to logs.svc.example.com`,
      ],
      "a service of the internet that is not named": [
        file(FLUENT_BIT.replace("opensearch", "datadog").replace(/ {6}(tls|host).*\n/g, "")),
        `${F}tls of datadog is not set, so logs travel to datadoghq.com`,
      ],
      "in the clear": [
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
      "nothing said": [line("      tls: on\n", ""), `${F}tls of opensearch is not set`],
      "the classic format": [
        classic("tls.verify                On", "tls.verify Off"),
        `${F}tls.verify of opensearch is Off`,
      ],
    },
    unknown: {
      ...UNKNOWN_FILE,
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
        `${F}logstash_dateformat of opensearch is %Y.%m.%e, whose %e may give`,
      ],
      "a date with names of months": [
        dated("%d-%b-%Y"),
        `${F}logstash_dateformat of opensearch is %d-%b-%Y, whose %b may give`,
      ],
      "a date with slashes": [
        dated("%Y/%m/%d"),
        `${F}logstash_dateformat of opensearch is %Y/%m/%d, which has "/" in it`,
      ],
      "a time with a letter": [
        dated("%Y.%m.%dT%H"),
        `${F}logstash_dateformat of opensearch is %Y.%m.%dT%H, which has upper-case`,
      ],
      "a separator that is none": [
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
