import type { Report } from "../core/report.ts";
import type { StackRule } from "../core/rule.ts";
import type { Settings } from "../core/rule-option.ts";
import type { Stack } from "../core/stack.ts";
import { fluentBitConfigs, type RunningConfig } from "../fluent-bit/in-stack.ts";
import { WORKLOADS } from "../kubernetes/pod-spec.ts";

const READS = [...WORKLOADS, "kubernetes:core/v1:ConfigMap"];

type Check = (running: RunningConfig, report: Report, settings: Settings) => void;

/** A rule on each configuration of Fluent Bit that runs. */
export function fluentBitRule(facts: Omit<StackRule, "checkStack" | "family" | "types">, check: Check): StackRule {
  return {
    ...facts,
    family: "collectors",
    types: READS,
    checkStack: (stack: Stack, report, settings) =>
      report.each(fluentBitConfigs(stack, report), (running) => check(running, report, settings)),
  };
}
