import type { Report, Settings, StackRule } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { fluentBitConfigs, type RunningConfig } from "../../readers/collectors-in-stack.ts";
import { WORKLOADS } from "../../readers/workload.ts";

const READS = [...WORKLOADS, "kubernetes:core/v1:ConfigMap"];

type Check = (running: RunningConfig, report: Report, settings: Settings, stack: Stack) => void;

/** A rule on each configuration of Fluent Bit that runs. */
export function fluentBitRule(facts: Omit<StackRule, "checkStack" | "family" | "types">, check: Check): StackRule {
  return {
    ...facts,
    family: "collectors",
    types: READS,
    checkStack: (stack: Stack, report, settings) =>
      report.each(fluentBitConfigs(stack, report), (running) => check(running, report, settings, stack)),
  };
}
