import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import { texts } from "../core/rule-option.ts";
import { someKnown } from "../core/some-known.ts";
import { nameOf } from "../kubernetes/pod-spec.ts";
import { kubernetes } from "./sources.ts";
import { inNamespace, isIn, isTeams, LABEL, NAMES, NAMESPACE } from "./team-namespaces.ts";

const QUOTA = "kubernetes:core/v1:ResourceQuota";
const LIMITS = "kubernetes:core/v1:LimitRange";
const HARD = texts("hard", "What a quota must bound", ["pods", "requests.cpu", "requests.memory", "limits.memory"]);
/** Other names of the same bound. See https://kubernetes.io/docs/concepts/policy/resource-quotas/#compute-resource-quota */
const ALSO: Readonly<Record<string, string>> = {
  pods: "count/pods",
  "requests.cpu": "cpu",
  "requests.memory": "memory",
};
const DEFAULTS = [
  ["default", "memory"],
  ["defaultRequest", "cpu"],
  ["defaultRequest", "memory"],
] as const;

/** How much of the cluster a team may take. */
export const TENANCY_SHARES: readonly Rule[] = [
  {
    id: "tenancy-quota",
    family: "tenancy",
    level: "mandatory",
    title: "Each team's namespace has a quota on pods, CPU and memory",
    reason: "Without one a team takes the whole cluster, by mistake or not.",
    fix: "add a ResourceQuota with hard limits to the namespace",
    source: kubernetes("Multi-tenancy, quotas", "concepts/security/multi-tenancy/#quotas"),
    options: [LABEL, NAMES, HARD],
    types: [NAMESPACE, QUOTA],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(NAMESPACE), (namespace) => {
        if (!isTeams(namespace, settings)) return;
        const name = nameOf(namespace);
        const quotas = inNamespace(stack, QUOTA, name);
        const [first] = quotas;
        if (first === undefined) return report.missing(namespace, "no ResourceQuota is in it");
        if (!someKnown(quotas, (quota) => isIn(quota, name) && boundsAll(quota)))
          return report.missing(namespace, "each ResourceQuota in it is for some pods alone, by its scopes");
        report.each(settings.get(HARD), (key) => {
          const bounds = (quota: Resource) =>
            quota
              .at("spec", "hard")
              .entries()
              .some(([bound]) => [key, ALSO[key]].includes(bound));
          if (!someKnown(quotas, (quota) => isIn(quota, name) && boundsAll(quota) && bounds(quota)))
            report.wrong(first.at("spec", "hard", key), "so the team may take all");
        });
      }),
  },
  {
    id: "tenancy-limits",
    family: "tenancy",
    level: "mandatory",
    title: "Each team's namespace has default requests and limits for containers",
    reason: "Under a quota a container without them is refused; without a default memory limit one takes the node.",
    fix: "add a LimitRange with default.memory and defaultRequest of type Container",
    source: kubernetes("Limit ranges", "concepts/policy/limit-range/"),
    options: [LABEL, NAMES],
    types: [NAMESPACE, LIMITS],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(NAMESPACE), (namespace) => {
        if (!isTeams(namespace, settings)) return;
        const name = nameOf(namespace);
        const ranges = inNamespace(stack, LIMITS, name);
        const [first] = ranges;
        if (first === undefined) return report.missing(namespace, "no LimitRange is in it");
        report.each(DEFAULTS, (path) => {
          if (!someKnown(ranges, (range) => isIn(range, name) && hasDefault(range, path)))
            report.wrongIn(
              first.at("spec", "limits"),
              `no ${path.join(".")} for containers`,
              "so one without it takes what it likes",
            );
        });
      }),
  },
];

/** One with a scope counts only the pods of that scope, such as those that end. */
function boundsAll(quota: Resource): boolean {
  const scopes = quota.at("spec", "scopes").items().length;
  return scopes === 0 && quota.at("spec", "scopeSelector", "matchExpressions").items().length === 0;
}

function hasDefault(range: Resource, path: readonly string[]): boolean {
  return someKnown(
    range.at("spec", "limits").items(),
    (limit) => limit.at("type").text() === "Container" && limit.at(...path).isSet,
  );
}
