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

/** A setting of the rules that differ between the two standards. */
export const STANDARD = text("standard", "Pod Security standard", "restricted", ["baseline", "restricted"]);

type Check = (field: Field, report: Report, settings: Settings) => void;

/** What a rule on pods says of itself. */
export interface Facts extends Omit<ResourceRule, "check" | "types" | "family"> {
  /** Whether the rule forbids values, so that it judges patches too. Default: it asks for what is missing. */
  readonly forbids?: true;
  /** Whether the rule reads fields that Windows pods cannot have. Default false. */
  readonly linuxOnly?: true;
}

/** A rule on the pod of every kind that makes pods. */
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

/** A rule on each container of the pod of every kind that makes pods: init and ephemeral ones too, unless named. */
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
