import type { Settings } from "../core/knob.ts";
import { count, flag } from "../core/knob.ts";
import type { Report } from "../core/report.ts";
import type { Rule, StackRule } from "../core/rule.ts";
import type { Stack } from "../core/stack.ts";
import type { Section } from "../fluent-bit/config.ts";
import { fluentBitConfigs, mountsOf, onNode, type RunningConfig } from "../fluent-bit/in-stack.ts";
import { nameOf, namespaceOf, podSpecOf } from "../kubernetes/pod-spec.ts";
import { indexMistake } from "./index-name.ts";
import { fluentBit } from "./sources.ts";

const READS = ["kubernetes:apps/v1:DaemonSet", "kubernetes:core/v1:ConfigMap"];
const LEAST_RETRIES = count("leastRetries", "Fewest retries of a chunk before it is given up", 10, 1);
const PLAIN_INSIDE = flag(
  "plainInside",
  "Whether logs may go without TLS to a Service of the cluster, a name in .svc",
  true,
);
/** Outputs over the network whose TLS is a choice; those of AWS always use it. */
const NETWORK_OUTPUTS = [
  "es",
  "opensearch",
  "http",
  "loki",
  "forward",
  "splunk",
  "gelf",
  "influxdb",
  "kafka-rest",
  "opentelemetry",
  "syslog",
  "tcp",
  "datadog",
  "slack",
  "nrlogs",
];
const FILE_INPUTS = ["tail", "systemd"];

type Check = (running: RunningConfig, report: Report, settings: Settings) => void;

function fluentBitRule(facts: Omit<StackRule, "checkStack" | "family" | "types">, check: Check): StackRule {
  return {
    ...facts,
    family: "collectors",
    types: READS,
    checkStack: (stack: Stack, report, settings) =>
      report.each(fluentBitConfigs(stack, report), (running) => check(running, report, settings)),
  };
}

/** What keeps Fluent Bit from losing logs, and from sending them where others read them. */
export const COLLECTORS_FLUENT_BIT: readonly Rule[] = [
  fluentBitRule(
    {
      id: "collectors-buffer-on-disk",
      level: "mandatory",
      title: "Fluent Bit buffers in files and keeps its positions, both on a path of the node",
      reason: "A memory buffer and positions inside the pod go with it: lines are lost, or read again.",
      fix: "set storage.type filesystem and DB on the input, and storage.path on the service, under a hostPath mount",
      source: fluentBit("Buffering and storage", "administration/buffering-and-storage"),
    },
    ({ workload, file, config }, report) => {
      const pod = podSpecOf(workload);
      const mounts = pod === undefined ? [] : mountsOf(pod);
      const onDisk = (section: Section, option: string) => {
        const path = section.get(option);
        if (path === undefined)
          report.wrongIn(file, `${section.name} has no ${option}`, "so its state goes with the pod");
        else if (onNode(path, mounts) === undefined)
          report.wrongIn(file, `${option} of ${section.name} is ${path}`, "which goes with the pod");
      };
      for (const input of config.inputs.filter(({ name }) => FILE_INPUTS.includes(name))) {
        const type = input.get("storage.type");
        if (type !== "filesystem")
          report.wrongIn(
            file,
            `storage.type of ${input.name} is ${type ?? "not set"}`,
            "so what waits is in memory alone",
          );
        onDisk(input, "db");
      }
      if (config.inputs.length > 0) onDisk(config.service, "storage.path");
      for (const output of config.outputs.filter((one) => one.get("storage.total_limit_size") === undefined)) {
        report.wrongIn(
          file,
          `${output.name} has no storage.total_limit_size`,
          "so an outage fills the node's disk",
          "set storage.total_limit_size on the output",
        );
      }
    },
  ),
  fluentBitRule(
    {
      id: "collectors-retries",
      level: "mandatory",
      title: "Fluent Bit tries again until logs are delivered",
      reason: "By default a chunk that is refused once more is thrown away.",
      fix: "set Retry_Limit no_limits on the output",
      source: fluentBit("Scheduling and retries", "administration/scheduling-and-retries"),
      knobs: [LEAST_RETRIES],
    },
    ({ file, config }, report, settings) => {
      for (const output of config.outputs) {
        const limit = (output.get("retry_limit") ?? "not set").toLowerCase();
        const unlimited = ["no_limits", "false", "off"].includes(limit);
        if (!unlimited && !(Number(limit) >= settings.get(LEAST_RETRIES)))
          report.wrongIn(file, `Retry_Limit of ${output.name} is ${limit}`, "so an outage loses logs");
      }
    },
  ),
  fluentBitRule(
    {
      id: "collectors-grace",
      level: "mandatory",
      title: "Fluent Bit's Grace ends before Kubernetes kills it",
      reason: "A Grace that the pod does not get is cut off in the middle of a flush.",
      fix: "set Grace below terminationGracePeriodSeconds of the pod",
      source: fluentBit("Service section, grace", "administration/configuring-fluent-bit/yaml/service-section"),
    },
    ({ workload, config, file }, report) => {
      const period = podSpecOf(workload)?.at("terminationGracePeriodSeconds");
      const seconds = period?.number() ?? 30;
      const grace = Number(config.service.get("grace") ?? 5);
      if (config.inputs.length > 0 && !(grace < seconds))
        report.wrongIn(
          file,
          `Grace is ${config.service.get("grace") ?? "not set (5)"}`,
          `and the pod of ${workload.label} gets ${seconds} s`,
        );
    },
  ),
  fluentBitRule(
    {
      id: "collectors-tls",
      level: "mandatory",
      title: "Logs that leave the cluster travel by TLS, and the other side is verified",
      reason: "Logs hold what users do; without verification anybody on the way reads them.",
      fix: "set tls on and tls.verify on for the output",
      source: fluentBit("Transport security", "administration/transport-security"),
      knobs: [PLAIN_INSIDE],
    },
    ({ file, config }, report, settings) => {
      for (const output of config.outputs.filter(({ name }) => NETWORK_OUTPUTS.includes(name))) {
        const host = output.get("host") ?? "127.0.0.1";
        const inside = /\.svc(\.|$)/.test(host) || ["127.0.0.1", "localhost", "::1"].includes(host);
        const verify = output.get("tls.verify");
        if (verify !== undefined && !output.isOn("tls.verify"))
          report.wrongIn(file, `tls.verify of ${output.name} is ${verify}`, `so anybody may stand for ${host}`);
        if (!output.isOn("tls") && !(inside && settings.get(PLAIN_INSIDE)))
          report.wrongIn(
            file,
            `tls of ${output.name} is ${output.get("tls") ?? "not set"}`,
            `so logs travel to ${host} in the clear`,
          );
      }
    },
  ),
  fluentBitRule(
    {
      id: "collectors-index-names",
      level: "mandatory",
      title: "Index names are legal in OpenSearch and Elasticsearch",
      reason: "A name that the server refuses loses every line that would go there.",
      fix: "use lower-case letters, digits, - and _, not first; 255 bytes at most",
      source: {
        id: "OpenSearch: index naming restrictions",
        url: "https://docs.opensearch.org/latest/api-reference/index-apis/create-index/",
      },
    },
    ({ file, config }, report) => {
      for (const output of config.outputs.filter(({ name }) => ["es", "opensearch"].includes(name))) {
        for (const option of ["index", "logstash_prefix"]) {
          const name = output.get(option);
          const mistake = name === undefined ? undefined : indexMistake(name);
          if (mistake !== undefined) report.wrongIn(file, `${option} of ${output.name} is ${name}`, mistake);
        }
      }
    },
  ),
  fluentBitRule(
    {
      id: "collectors-own-logs",
      level: "mandatory",
      title: "Fluent Bit leaves its own logs out",
      reason: "An error that it logs, reads and fails to send makes the next one.",
      fix: "set Exclude_Path on the input to its own files, such as /var/log/containers/fluent-bit-*.log",
      source: fluentBit("Tail, Exclude_Path", "data-pipeline/inputs/tail"),
    },
    ({ workload, file, config }, report) => {
      const [name, namespace] = [nameOf(workload), namespaceOf(workload)];
      for (const input of config.inputs.filter((one) => one.name === "tail" && readsPods(one))) {
        const excluded = (input.get("exclude_path") ?? "").split(",").map((path) => path.trim());
        if (!excluded.some((path) => leavesOut(path, name, namespace)))
          report.wrongIn(
            file,
            `Exclude_Path of ${input.name} is ${input.get("exclude_path") ?? "not set"}`,
            `which takes the logs of ${namespace}/${name} in`,
          );
      }
    },
  ),
];

function readsPods(input: Section): boolean {
  return /\/(pods|containers)\//.test(input.get("path") ?? "") && (input.get("path") ?? "").includes("*");
}

/** A glob over the files of pods names its own by the pod's name or by the namespace. */
function leavesOut(path: string, name: string, namespace: string): boolean {
  const words = path.split(/[/*]/).flatMap((part) => [part, ...part.split("_")]);
  return (
    words.includes(namespace) ||
    words.some((word) => word.replace(/-$/, "") === name || word === `${namespace}_${name}-`)
  );
}
