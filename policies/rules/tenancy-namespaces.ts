import type { Field } from "../core/field.ts";
import { texts } from "../core/knob.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule, StackRule } from "../core/rule.ts";
import { isInDefault, isTeamNamespace, NAMESPACE, NAMESPACED_TYPES } from "../kubernetes/namespace.ts";
import { nameOf, namespaceOf } from "../kubernetes/pod-spec.ts";
import { cis, kubernetes } from "./sources.ts";

const LABEL = "team";
const ENFORCE = "pod-security.kubernetes.io/enforce";
const LEVELS = texts("levels", "Pod Security levels that a namespace may enforce", ["baseline", "restricted"]);
const QUOTA = texts("hard", "What a quota must bound", ["limits.memory", "pods", "requests.cpu", "requests.memory"]);

/** A rule that wants an object of a type in each namespace of a team. */
function neededInEach(
  facts: Omit<StackRule, "checkStack" | "family" | "types" | "level">,
  type: string,
  isEnough: (object: Resource, settings: Parameters<StackRule["checkStack"]>[2]) => boolean,
  problem: string,
): StackRule {
  return {
    ...facts,
    family: "tenancy",
    level: "mandatory",
    types: [NAMESPACE, type],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(NAMESPACE), (namespace) => {
        if (!isTeamNamespace(namespace)) return;
        const name = nameOf(namespace);
        const there = stack.ofType(type).filter((object) => namespaceOf(object) === name);
        if (!there.some((object) => isEnough(object, settings))) report.missing(namespace, problem);
      }),
  };
}

/** What every namespace carries, and what a team's namespace bounds. */
export const TENANCY_NAMESPACES: readonly Rule[] = [
  {
    id: "tenancy-team-label",
    family: "tenancy",
    level: "mandatory",
    title: "A team's namespace carries the label team",
    reason: "Network policies, costs and searches in the logs find a team by it.",
    fix: "set metadata.labels.team to the team's name",
    source: cis("4.5.1"),
    types: [NAMESPACE],
    check: (namespace, report) => {
      if (!isTeamNamespace(namespace)) return;
      const label = namespace.at("metadata", "labels", LABEL);
      if (!/^[a-z0-9]([\w.-]{0,61}[a-z0-9])?$/i.test(label.text() ?? ""))
        report.wrong(label, "so nothing says whose namespace it is");
    },
  },
  {
    id: "tenancy-pod-security",
    family: "tenancy",
    level: "mandatory",
    title: "Every namespace enforces a Pod Security level",
    reason: "Without the label the API server admits privileged pods, whoever makes them.",
    fix: `set metadata.labels["${ENFORCE}"]: restricted`,
    source: cis("4.2.1"),
    knobs: [LEVELS],
    types: [NAMESPACE],
    check: (namespace, report, settings) => {
      const label = namespace.at("metadata", "labels", ENFORCE);
      const levels = settings.get(LEVELS);
      if (!levels.includes(label.text() ?? "")) report.wrong(label, `which is none of ${levels.join(", ")}`);
    },
  },
  neededInEach(
    {
      id: "tenancy-quota",
      title: "Every team's namespace has a quota",
      reason: "One team could otherwise take the nodes of all.",
      fix: "add a ResourceQuota with spec.hard for limits.memory, pods, requests.cpu and requests.memory",
      source: kubernetes("Resource quotas", "concepts/policy/resource-quotas/"),
      knobs: [QUOTA],
    },
    "kubernetes:core/v1:ResourceQuota",
    (quota, settings) => settings.get(QUOTA).every((key) => quota.at("spec", "hard", key).isSet),
    "no ResourceQuota of this stack bounds it",
  ),
  neededInEach(
    {
      id: "tenancy-limits",
      title: "Every team's namespace gives containers a memory limit and requests",
      reason: "Under a quota the API server refuses pods that name none, and a pod without a limit fills its node.",
      fix: "add a LimitRange with default and defaultRequest for type Container",
      source: kubernetes("Limit ranges", "concepts/policy/limit-range/"),
    },
    "kubernetes:core/v1:LimitRange",
    (range) => range.at("spec", "limits").items().some(givesDefaults),
    "no LimitRange of this stack gives its containers requests and a memory limit",
  ),
  {
    id: "tenancy-default-namespace",
    family: "tenancy",
    level: "mandatory",
    title: "Nothing is made in the namespace default",
    reason: "It has no quota, no Pod Security level and no network policy, and no team owns it.",
    fix: "set metadata.namespace to a namespace of its own",
    source: cis("4.5.2"),
    types: NAMESPACED_TYPES,
    check: (resource, report) => {
      if (isInDefault(resource)) report.wrong(resource.at("metadata", "namespace"), "so it lands in default");
    },
  },
];

function givesDefaults(limit: Field): boolean {
  return (
    limit.at("type").text() === "Container" &&
    limit.at("default", "memory").isSet &&
    limit.at("defaultRequest", "cpu").isSet
  );
}
