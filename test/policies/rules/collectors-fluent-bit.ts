import { type Group, UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import {
  BOTH,
  COLLECTOR,
  classic,
  D,
  F,
  FLUENT_BIT,
  file,
  line,
  SPLIT,
  sidecar,
  spec,
  split,
  UNKNOWN_FILE,
  variable,
} from "./collector.ts";
import { named, type Sample } from "./samples.ts";

const withVariable = (sample: Sample, entry: Group): Sample =>
  named(sample, "collector", "spec.template.spec.containers.0.env", [entry]);

/** The collector with its state in a folder of a Windows node, as its manifests write the path. */
const onWindows = (sample: Sample): Sample => {
  const text = FLUENT_BIT.replaceAll("/state/", "C:\\\\State\\\\").replaceAll("/var/log/", "C:\\\\var\\\\log\\\\");
  return named(sample, "config", "data", { "fluent-bit.yaml": text });
};

export const COLLECTORS_FLUENT_BIT_CASES: CasesByRule = {
  "collectors-buffer-on-disk": {
    good: {
      ...BOTH,
      "a configuration of two files": split(SPLIT.main, SPLIT.input),
      "other letters": line("filesystem", "Filesystem"),
      "an output without a remote server": file(
        FLUENT_BIT.replace("- name: opensearch", '- name: "null"').replace(/ {6}storage\.total_limit_size.*\n/, ""),
      ),
      "a folder that is mounted from a Windows node": onWindows(
        spec("containers.0.volumeMounts.1.mountPath", "C:\\state"),
      ),
      "a process of the Windows node itself": onWindows(
        spec("securityContext", { windowsOptions: { hostProcess: true } }),
      ),
      "a Fluent Bit sidecar, with the pod's volumes": sidecar(),
      "a path by a variable of the container": withVariable(
        line("/state/positions.db", `${variable("STATE")}/positions.db`),
        { name: "STATE", value: "/state" },
      ),
      "a path by a variable of the file": file(
        `env:\n  state: /state\n${FLUENT_BIT.replace("/state/positions.db", `${variable("state")}/positions.db`)}`,
      ),
      "a path by a variable of the classic format": classic(
        "[SERVICE]\n    Grace         5\n    storage.path  /state",
        `@SET state=/state\n[SERVICE]\n    storage.path  ${variable("state")}`,
      ),
      "an input that stops reading while the buffer is full": file(
        FLUENT_BIT.replace("type: filesystem", "type: filesystem\n      storage.pause_on_chunks_overlimit: on").replace(
          /.*total_limit_size.*\n/,
          "",
        ),
      ),
      "an input that is no file": line("- name: tail", "- name: fluentbit_metrics\n    - name: tail"),
    },
    bad: {
      "a buffer in memory": [
        line("      storage.type: filesystem\n", ""),
        `${F}storage.type of tail is not set, so waiting lines are only in memory. Fix: set storage.type filesystem`,
      ],
      "an explicit buffer in memory": [line("filesystem", "memory"), `${F}storage.type of tail is memory`],
      "no positions": [
        line("      db: /state/positions.db\n", ""),
        `${F}tail has no db, so its state is lost with the pod`,
      ],
      "positions inside the pod": [
        line("/state/positions.db", "/tmp/positions.db"),
        `${F}db of tail is /tmp/positions.db, which is lost with the pod`,
      ],
      "no path of the buffer": [line("  storage.path: /state/buffer\n", ""), `${F}service has no storage.path`],
      "a buffer inside the pod": [line("/state/buffer", "/tmp/buffer"), `${F}storage.path of service is /tmp/buffer`],
      "plugins in capital letters": [
        line("- name: tail", "- Name: Tail\n      storage.type: memory\n    - name: tail"),
        `${F}storage.type of tail is memory`,
        `${F}tail has no db`,
      ],
      "no path of the buffer in a configuration of two files": [
        split(SPLIT.main.replace(/ {4}storage.path.*\n/, ""), SPLIT.input),
        'ConfigMap/logging/fluent-bit: data["fluent-bit.conf"]: service has no storage.path',
      ],
      "a collector whose image is not known, by its configuration": [
        named(
          named(line("filesystem", "memory"), "collector", "spec.template.spec.containers.0.image", UNKNOWN),
          "collector",
          "spec.template.spec.volumes.2",
          undefined,
        ),
        `${F}storage.type of tail is memory`,
      ],
      "a folder of a Windows container": [
        onWindows(spec("containers.0.volumeMounts.1.mountPath", "C:\\other")),
        `${F}db of tail is C:\\\\State\\\\positions.db, which is lost with the pod`,
        `${F}storage.path of service is C:\\\\State\\\\buffer`,
      ],
      "a volume that is lost with the pod": [
        spec("volumes.1", { name: "state", emptyDir: {} }),
        `${F}db of tail is /state/positions.db, which is lost with the pod`,
        `${F}storage.path of service is /state/buffer`,
      ],
      "a buffer without an end": [
        line("      storage.total_limit_size: 2G\n", ""),
        `${F}opensearch has no storage.total_limit_size, so an outage fills the node's disk. Fix: set storage.total`,
      ],
      "an unlimited buffer with only one of two inputs that stops": [
        file(
          FLUENT_BIT.replace(
            "    - name: tail",
            "    - {name: http, storage.type: filesystem, storage.pause_on_chunks_overlimit: on}\n    - name: tail",
          ).replace(/.*total_limit_size.*\n/, ""),
        ),
        `${F}opensearch has no storage.total_limit_size`,
      ],
      "the classic format": [classic("filesystem", "memory"), `${F}storage.type of tail is memory`],
    },
    unknown: {
      ...UNKNOWN_FILE,
      "unknown volumes": [spec("volumes", UNKNOWN), `${D}volumes is known only`],
      "a path by a variable without a value": [
        withVariable(line("/state/positions.db", `${variable("STATE")}/positions.db`), {
          name: "STATE",
          valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
        }),
        `ConfigMap/logging/fluent-bit: data["fluent-bit.yaml"] has ${variable("STATE")} for db of tail, whose value this stack does`,
      ],
    },
  },
  "collectors-retries": {
    good: {
      ...BOTH,
      "many retries": line("no_limits", "20"),
      "off, another word for it": line("retry_limit: no_limits", "Retry_Limit: off"),
      ...Object.fromEntries(
        ["null", "counter", "flowcounter", "prometheus_exporter"].map((name) => [
          `${name}, which waits for nobody`,
          line("    - name: opensearch", `    - { name: "${name}", match: "*" }\n    - name: opensearch`),
        ]),
      ),
    },
    bad: {
      "one retry": [
        line("no_limits", "1"),
        `${F}Retry_Limit of opensearch is 1, so an outage loses logs. Fix: set Retry`,
      ],
      "an unset value": [line("      retry_limit: no_limits\n", ""), `${F}Retry_Limit of opensearch is not set`],
      "one retry in a sidecar": [
        sidecar("no_limits", "1"),
        `${F}Retry_Limit of opensearch is 1, so an outage loses logs`,
      ],
      "one retry in the second file": [
        split(SPLIT.main, SPLIT.input.replace("False", "1")),
        'ConfigMap/logging/fluent-bit: data["application-log.conf"]: Retry_Limit of opensearch is 1',
      ],
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
      "longer than the pod's, in a configuration of two files": [
        split(SPLIT.main.replace("Grace         5", "Grace 30"), SPLIT.input),
        'ConfigMap/logging/fluent-bit: data["fluent-bit.conf"]: Grace is 30, and the pod of DaemonSet/logging/fluent-bit gets 15 s',
      ],
      "longer than that of an application's pod": [
        sidecar("grace: 5", "grace: 40"),
        `${F}Grace is 40, and the pod of Deployment/logging/app gets 30 s`,
      ],
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
  "collectors-own-logs": {
    good: {
      ...BOTH,
      "its own file": line("*_logging_*.log", "fluent-bit-*_logging_*.log"),
      "its own file on the node's other path": file(
        FLUENT_BIT.replace("/var/log/containers/*.log", "/var/log/pods/*/*/*.log").replace(
          "/var/log/containers/*_logging_*.log",
          "/var/log/pods/logging_fluent-bit-*/*/*.log",
        ),
      ),
      "a part of its name": line("*_logging_*.log", "*fluent*"),
      "one of a list, by other wildcards": line("*_logging_*.log", "other*.log, /var/log/containers/fluent?bit-*"),
      "the node's own logs, in a folder above": file(
        FLUENT_BIT.replace("/var/log/containers/*.log", "/var/log/*.log").replace(/ {6}exclude_path.*\n/, ""),
      ),
      "its own files on a Windows node": onWindows(COLLECTOR),
      "one of a class of letters": line("*_logging_*.log", "[!a-e]*"),
      "only one team's logs": file(
        FLUENT_BIT.replace("/var/log/containers/*.log", "/var/log/containers/*_ts-team_*.log").replace(
          / {6}exclude_path.*\n/,
          "",
        ),
      ),
      "one file of the node": file(
        FLUENT_BIT.replace("/var/log/containers/*.log", "/var/log/syslog").replace(/ {6}exclude_path.*\n/, ""),
      ),
    },
    bad: {
      "no exclusion": [
        line("      exclude_path: /var/log/containers/*_logging_*.log\n", ""),
        `${F}Exclude_Path of tail is not set, so it reads the logs of logging/fluent-bit. Fix: exclude its own files`,
      ],
      "its own files on the path that is not read": [
        line("/var/log/containers/*_logging_*.log", "/var/log/pods/logging_fluent-bit-*/*/*.log"),
        `${F}Exclude_Path of tail is /var/log/pods/logging_fluent-bit-*/*/*.log, so it reads`,
      ],
      "nothing, by a class of no letters": [
        line("*_logging_*.log", "[z-a]*.log"),
        `${F}Exclude_Path of tail is /var/log/containers/[z-a]*.log, so it reads`,
      ],
      "others, by a class of letters": [
        line("*_logging_*.log", "[a-e]*.log"),
        `${F}Exclude_Path of tail is /var/log/containers/[a-e]*.log, so it reads`,
      ],
      "its own files on the path of pods": [
        file(FLUENT_BIT.replace("/var/log/containers/*.log", "/var/log/pods/*/*/*.log")),
        `${F}Exclude_Path of tail is /var/log/containers/*_logging_*.log, so it reads`,
      ],
      "its own files on a Windows node": [
        named(COLLECTOR, "config", "data", {
          "fluent-bit.yaml": FLUENT_BIT.replace(
            "/var/log/containers/*.log",
            "C:\\\\var\\\\log\\\\containers\\\\*.log",
          ).replace(/ {6}exclude_path.*\n/, ""),
        }),
        `${F}Exclude_Path of tail is not set, so it reads`,
      ],
      "others left out": [
        line("*_logging_*.log", "*_kube-system_*.log"),
        `${F}Exclude_Path of tail is /var/log/containers/*_kube-system_*.log, so it reads`,
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
