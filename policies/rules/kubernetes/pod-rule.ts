import type { Field } from "../../core/resource.ts";
import { type Report, type ResourceRule, type Settings, text } from "../../core/rule.ts";
import {
  type ContainerList,
  containerLists,
  podPatchOf,
  podSpecOf,
  WORKLOAD_PATCHES,
  WORKLOADS,
} from "../../readers/workload.ts";

/** Setting of rules that differ between the two standards. */
export const STANDARD = text("standard", "Pod Security standard", "restricted", ["baseline", "restricted"]);

type Check = (field: Field, report: Report, settings: Settings) => void;

/** Properties of a rule on pods. */
export interface Facts extends Omit<ResourceRule, "check" | "types" | "family"> {
  /** Whether the rule forbids values, and so checks patches too. Default: it requires values. */
  readonly forbids?: true;
  /** Whether the rule reads fields that Windows pods cannot have. Default false. */
  readonly linuxOnly?: true;
}

/** A rule on pods of all kinds that create them. */
export function podRule({ forbids, linuxOnly, ...facts }: Facts, check: Check): ResourceRule {
  return {
    ...facts,
    family: "pods",
    types: forbids ? [...WORKLOADS, ...WORKLOAD_PATCHES] : WORKLOADS,
    check: (resource, report, settings) => {
      const pod = podSpecOf(resource) ?? (forbids ? podPatchOf(resource) : undefined);
      if (pod === undefined || (linuxOnly && pod.at("os", "name").raw === "windows")) return;
      check(pod, report, settings);
    },
  };
}

/** A rule on each container of pods of all kinds that create them; by default including init and ephemeral ones. */
export function containerRule(
  facts: Facts,
  check: (container: Field, report: Report, settings: Settings, pod: Field) => void,
  lists?: readonly ContainerList[],
): ResourceRule {
  return podRule(facts, (pod, report, settings) => {
    report.each(containerLists(pod, lists), (list) =>
      report.each(list.items(), (container) => check(container, report, settings, pod)),
    );
  });
}
