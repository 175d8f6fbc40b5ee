import { count, type Report, type Rule, renamed, type Settings, type StackRule } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { fluentBitConfigs, type RunningConfig, readsOwnLogs } from "../../readers/collectors-in-stack.ts";
import type { Section } from "../../readers/fluent-bit-parser.ts";
import { isHostProcess, mountsOf, nameOf, namespaceOf, onNode, podSpecOf, WORKLOADS } from "../../readers/workload.ts";
import { fluentBit } from "../rule-sources.ts";

/** Types that collector rules read. */
export const READS = [...WORKLOADS, "kubernetes:core/v1:ConfigMap"];

type Check = (running: RunningConfig, report: Report, settings: Settings) => void;

/** A rule on each running Fluent Bit configuration. */
export function fluentBitRule(facts: Omit<StackRule, "checkStack" | "family" | "types">, check: Check): StackRule {
  return {
    ...facts,
    family: "collectors",
    types: READS,
    checkStack: (stack: Stack, report, settings) =>
      report.each(fluentBitConfigs(stack, report), (running) => check(running, report, settings)),
  };
}

/** Outputs without a remote server. */
const NEVER_AWAY = ["null", "counter", "flowcounter", "prometheus_exporter"];

const MIN_RETRIES = renamed("leastRetries", count("minRetries", "Minimum number of retries", 10, 1));
const FILE_INPUTS = ["tail", "systemd"];

/** Whether each input with a disk buffer stops reading while it is full; lines then wait in the node's files. */
function stopsWhenFull(inputs: readonly Section[]): boolean {
  const buffered = inputs.filter((input) => input.get("storage.type")?.toLowerCase() === "filesystem");
  return buffered.length > 0 && buffered.every((input) => input.isOn("storage.pause_on_chunks_overlimit"));
}

/** Reliable delivery by Fluent Bit. */
export const COLLECTORS_DELIVERY: readonly Rule[] = [
  fluentBitRule(
    {
      id: "collectors-buffer-on-disk",
      level: "mandatory",
      title: "Fluent Bit keeps its buffer and positions on the node's disk",
      reason: "Otherwise both are lost with the pod, and lines with them.",
      fix: "set storage.type filesystem and DB on the input, and storage.path on the service, under a hostPath mount",
      source: fluentBit("Buffering and storage", "administration/buffering-and-storage"),
    },
    ({ workload, isOnNode, service, inputs, outputs }, report) => {
      // A sidecar only has the pod's own volumes.
      if (!isOnNode) return;
      const pod = podSpecOf(workload);
      const mounts = pod === undefined ? [] : mountsOf(pod);
      const isHostsOwn = pod !== undefined && isHostProcess(pod);
      const onDisk = (section: Section, option: string) => {
        const path = section.get(option);
        if (path === undefined)
          report.wrongIn(section.file, `${section.name} has no ${option}`, "so its state is lost with the pod");
        else if (!isHostsOwn && onNode(path, mounts) === undefined)
          report.wrongIn(section.file, `${option} of ${section.name} is ${path}`, "which is lost with the pod");
      };
      const reading = inputs.filter(({ name }) => FILE_INPUTS.includes(name));
      report.each(reading, (input) => {
        const type = input.get("storage.type");
        if (type?.toLowerCase() !== "filesystem")
          report.wrongIn(
            input.file,
            `storage.type of ${input.name} is ${type ?? "not set"}`,
            "so what waits is in memory alone",
          );
        onDisk(input, "db");
      });
      if (inputs.length > 0) report.part(() => onDisk(service, "storage.path"));
      const endless = outputs.filter(
        (one) => !NEVER_AWAY.includes(one.name) && one.written("storage.total_limit_size") === undefined,
      );
      if (endless.length === 0 || stopsWhenFull(inputs)) return;
      for (const output of endless) {
        report.wrongIn(
          output.file,
          `${output.name} has no storage.total_limit_size`,
          "so an outage fills the node's disk",
          "set storage.total_limit_size on the output, or storage.pause_on_chunks_overlimit on each input",
        );
      }
    },
  ),
  fluentBitRule(
    {
      id: "collectors-retries",
      level: "mandatory",
      title: "Fluent Bit retries until logs are delivered",
      reason: "By default a chunk is dropped after one retry.",
      fix: "set Retry_Limit no_limits on the output",
      source: fluentBit("Scheduling and retries", "administration/scheduling-and-retries"),
      options: [MIN_RETRIES],
    },
    ({ outputs }, report, settings) =>
      report.each(outputs, (output) => {
        if (NEVER_AWAY.includes(output.name)) return;
        const limit = (output.get("retry_limit") ?? "not set").toLowerCase();
        const unlimited = ["no_limits", "false", "off"].includes(limit);
        if (!unlimited && !(Number(limit) >= settings.get(MIN_RETRIES)))
          report.wrongIn(output.file, `Retry_Limit of ${output.name} is ${limit}`, "so an outage loses logs");
      }),
  ),
  fluentBitRule(
    {
      id: "collectors-grace",
      level: "mandatory",
      title: "Fluent Bit's Grace is shorter than the pod's termination grace period",
      reason: "Otherwise Kubernetes kills it during a flush.",
      fix: "set Grace below the pod's terminationGracePeriodSeconds",
      source: fluentBit("Service section, grace", "administration/configuring-fluent-bit/yaml/service-section"),
    },
    ({ workload, service, inputs }, report) => {
      const period = podSpecOf(workload)?.at("terminationGracePeriodSeconds");
      const seconds = period?.number() ?? 30;
      const grace = Number(service.get("grace") ?? 5);
      if (inputs.length > 0 && !(grace < seconds))
        report.wrongIn(
          service.file,
          `Grace is ${service.get("grace") ?? "not set (5)"}`,
          `and the pod of ${workload.label} gets ${seconds} s`,
        );
    },
  ),
  fluentBitRule(
    {
      id: "collectors-own-logs",
      level: "mandatory",
      title: "Fluent Bit excludes its own logs",
      reason: "Otherwise each failure to send is logged, read, and fails again.",
      fix: "exclude its own files with Exclude_Path on the input, such as /var/log/containers/fluent-bit-*.log",
      source: fluentBit("Tail, Exclude_Path", "data-pipeline/inputs/tail"),
    },
    ({ workload, isOnNode, inputs }, report) => {
      if (!isOnNode) return;
      report.each(
        inputs.filter(({ name }) => name === "tail"),
        (input) => {
          if (readsOwnLogs(input, workload))
            report.wrongIn(
              input.file,
              `Exclude_Path of ${input.name} is ${input.written("exclude_path") ?? "not set"}`,
              `which takes the logs of ${namespaceOf(workload)}/${nameOf(workload)} in`,
            );
        },
      );
    },
  ),
];
