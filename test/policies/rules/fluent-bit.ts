import { UNKNOWN } from "../../../policies/core/value.ts";
import type { CasesByRule } from "./cases.ts";
import { BOTH, COLLECTOR, classic, D, F, FLUENT_BIT, file, line, spec, UNKNOWN_FILE } from "./collector.ts";
import { named } from "./samples.ts";

export const FLUENT_BIT_CASES: CasesByRule = {
  "collectors-buffer-on-disk": {
    good: {
      ...BOTH,
      "an input that is no file": line("- name: tail", "- name: fluentbit_metrics\n    - name: tail"),
    },
    bad: {
      "a buffer in memory": [
        line("      storage.type: filesystem\n", ""),
        `${F}storage.type of tail is not set, so what waits is in memory alone. Fix: set storage.type filesystem`,
      ],
      "a buffer in memory, said": [line("filesystem", "memory"), `${F}storage.type of tail is memory`],
      "no positions": [
        line("      db: /state/positions.db\n", ""),
        `${F}tail has no db, so its state goes with the pod`,
      ],
      "positions inside the pod": [
        line("/state/positions.db", "/tmp/positions.db"),
        `${F}db of tail is /tmp/positions.db, which goes with the pod`,
      ],
      "no path of the buffer": [line("  storage.path: /state/buffer\n", ""), `${F}service has no storage.path`],
      "a buffer inside the pod": [line("/state/buffer", "/tmp/buffer"), `${F}storage.path of service is /tmp/buffer`],
      "a volume that goes with the pod": [
        spec("volumes.1", { name: "state", emptyDir: {} }),
        `${F}db of tail is /state/positions.db, which goes with the pod`,
        `${F}storage.path of service is /state/buffer`,
      ],
      "a buffer without an end": [
        line("      storage.total_limit_size: 2G\n", ""),
        `${F}opensearch has no storage.total_limit_size, so an outage fills the node's disk. Fix: set storage.total`,
      ],
      "the classic format": [classic("filesystem", "memory"), `${F}storage.type of tail is memory`],
    },
    unknown: { ...UNKNOWN_FILE, "unknown volumes": [spec("volumes", UNKNOWN), `${D}volumes is known only`] },
  },
  "collectors-retries": {
    good: {
      ...BOTH,
      "many retries": line("no_limits", "20"),
      "off, another word for it": line("retry_limit: no_limits", "Retry_Limit: off"),
    },
    bad: {
      "one retry": [
        line("no_limits", "1"),
        `${F}Retry_Limit of opensearch is 1, so an outage loses logs. Fix: set Retry`,
      ],
      "nothing said": [line("      retry_limit: no_limits\n", ""), `${F}Retry_Limit of opensearch is not set`],
      "no retry": [line("no_limits", "no_retries"), `${F}Retry_Limit of opensearch is no_retries`],
      "a projected ConfigMap": [
        named(line("no_limits", "1"), "collector", "spec.template.spec.volumes.0", {
          name: "config",
          projected: { sources: [{ configMap: { name: "fluent-bit" } }] },
        }),
        `${F}Retry_Limit of opensearch is 1`,
      ],
      "the classic format": [classic("False", "3"), `${F}Retry_Limit of opensearch is 3`],
    },
    unknown: UNKNOWN_FILE,
  },
  "collectors-grace": {
    good: {
      ...BOTH,
      "the default of both": named(
        line("  grace: 5\n", ""),
        "collector",
        "spec.template.spec.terminationGracePeriodSeconds",
        undefined,
      ),
    },
    bad: {
      "longer than the pod's": [
        line("grace: 5", "grace: 30"),
        `${F}Grace is 30, and the pod of DaemonSet/logging/fluent-bit gets 15 s. Fix: set Grace below`,
      ],
      "as long": [line("grace: 5", "grace: 15"), `${F}Grace is 15, and`],
      "a pod that gets none": [spec("terminationGracePeriodSeconds", 5), `${F}Grace is 5, and the pod of`],
      "the default on a pod that gets less": [
        named(line("  grace: 5\n", ""), "collector", "spec.template.spec.terminationGracePeriodSeconds", 2),
        `${F}Grace is not set (5), and`,
      ],
    },
    unknown: {
      ...UNKNOWN_FILE,
      "an unknown period": [
        spec("terminationGracePeriodSeconds", UNKNOWN),
        `${D}terminationGracePeriodSeconds is known only`,
      ],
    },
  },
  "collectors-tls": {
    good: {
      ...BOTH,
      "a Service of the cluster": file(
        FLUENT_BIT.replace("search.example.com", "opensearch.logging.svc").replace(/ {6}tls.*\n/g, ""),
      ),
      "an output of AWS": line("- name: opensearch", "- name: cloudwatch_logs"),
      stdout: file(FLUENT_BIT.replace("opensearch", "stdout").replace(/ {6}tls.*\n/g, "")),
    },
    bad: {
      "no verification": [
        line("tls.verify: on", "tls.verify: off"),
        `${F}tls.verify of opensearch is off, so anybody may stand for search.example.com. Fix: set tls on`,
      ],
      "in the clear": [
        line("tls: on", "tls: off"),
        `${F}tls of opensearch is off, so logs travel to search.example.com in the`,
      ],
      "nothing said": [line("      tls: on\n", ""), `${F}tls of opensearch is not set`],
      "the classic format": [
        classic("tls.verify                On", "tls.verify Off"),
        `${F}tls.verify of opensearch is Off`,
      ],
    },
    unknown: UNKNOWN_FILE,
  },
  "collectors-index-names": {
    good: {
      ...BOTH,
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
      "too long": [line("prefix: pods", `prefix: ${"p".repeat(256)}`), `${F}logstash_prefix of opensearch is ppp`],
      "the classic format": [
        classic("tls.verify ", "Index Logs\n    tls.verify "),
        `${F}index of opensearch is Logs, which has upper-case`,
      ],
    },
    unknown: UNKNOWN_FILE,
  },
  "collectors-own-logs": {
    good: {
      ...BOTH,
      "its own file": line("*_logging_*.log", "fluent-bit-*_logging_*.log"),
      "its own file on the node's other path": line(
        "/var/log/containers/*_logging_*.log",
        "/var/log/pods/logging_fluent-bit-*/*/*.log",
      ),
      "one file of the node": file(
        FLUENT_BIT.replace("/var/log/containers/*.log", "/var/log/syslog").replace(/ {6}exclude_path.*\n/, ""),
      ),
    },
    bad: {
      "nothing left out": [
        line("      exclude_path: /var/log/containers/*_logging_*.log\n", ""),
        `${F}Exclude_Path of tail is not set, which takes the logs of logging/fluent-bit in. Fix: set Exclude_Path`,
      ],
      "others left out": [
        line("*_logging_*.log", "*_kube-system_*.log"),
        `${F}Exclude_Path of tail is /var/log/containers/*_kube-system_*.log, which takes`,
      ],
    },
    unknown: {
      ...UNKNOWN_FILE,
      "an unknown name": [
        named(COLLECTOR, "collector", "metadata.name", UNKNOWN),
        "DaemonSet/logging/collector: metadata.name is known only",
      ],
    },
  },
};
