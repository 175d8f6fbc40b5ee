import type { Field } from "../core/field.ts";
import type { Settings } from "../core/knob.ts";
import type { Report } from "../core/report.ts";
import type { ResourceRule } from "../core/rule.ts";
import { type ContainerList, containerLists, podSpecOf, WORKLOADS } from "../kubernetes/pod-spec.ts";

type Facts = Omit<ResourceRule, "check" | "types" | "family">;
type Check = (field: Field, report: Report, settings: Settings) => void;

/** A rule on the pod of every kind that makes pods. */
export function podRule(facts: Facts, check: Check): ResourceRule {
  return {
    ...facts,
    family: "pods",
    types: WORKLOADS,
    check: (resource, report, settings) => {
      const pod = podSpecOf(resource);
      if (pod !== undefined) check(pod, report, settings);
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
