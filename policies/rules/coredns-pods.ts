import type { Rule } from "../core/rule.ts";
import { addonRule, inside, isGroup, type Json } from "./coredns-addon.ts";
import { aws } from "./rule-sources.ts";

/** Pods of the add-on unless configured, also the least that its autoscaler keeps. */
const DEFAULT_REPLICAS = 2;

/** How many pods answer, and how many go at once. */
export const COREDNS_PODS: readonly Rule[] = [
  addonRule(
    {
      id: "coredns-replicas",
      level: "mandatory",
      title: "CoreDNS has at least two replicas, fixed or autoscaled, not both",
      reason: "One pod fails with its node; a fixed count and the autoscaler overwrite each other.",
      fix: "set replicaCount: 2, or autoScaling: {enabled: true, minReplicas: 2, maxReplicas: 10}",
      source: aws("Scale CoreDNS pods", "eks/latest/userguide/coredns-autoscaling.html"),
    },
    ({ replicaCount, autoScaling }, field, report) => {
      const scales = inside(autoScaling, "enabled") === true;
      if (scales && replicaCount !== undefined)
        report.wrongIn(field, `replicaCount is ${replicaCount}`, "though autoScaling is enabled");
      if (!scales && typeof replicaCount === "number" && replicaCount < 2)
        report.wrongIn(field, `replicaCount is ${replicaCount}`, "so one node takes DNS away");
      const [least, most] = [inside(autoScaling, "minReplicas"), inside(autoScaling, "maxReplicas")];
      if (scales && typeof least === "number" && least < 2)
        report.wrongIn(field, `autoScaling.minReplicas is ${least}`, "so one node takes DNS away");
      if (scales && typeof least === "number" && typeof most === "number" && most < least)
        report.wrongIn(field, `autoScaling.maxReplicas is ${most}`, `below minReplicas, which is ${least}`);
    },
  ),
  addonRule(
    {
      id: "coredns-disruption",
      level: "mandatory",
      title: "A disruption budget and spreading keep CoreDNS available during drains",
      reason: "Without them, one drain can stop every CoreDNS pod.",
      fix: "leave podDisruptionBudget, affinity and topologySpreadConstraints at the add-on's defaults",
      source: aws("EKS best practices, CoreDNS reliability", "eks/latest/best-practices/scale-cluster-services.html"),
    },
    (configuration, field, report) => {
      const budget = configuration.podDisruptionBudget;
      const replicas = leastReplicas(configuration);
      if (inside(budget, "enabled") === false)
        report.wrongIn(field, "podDisruptionBudget.enabled is false", "so a drain takes all pods");
      const [most, least] = [inside(budget, "maxUnavailable"), inside(budget, "minAvailable")];
      // What may go, of what there is at least; Kubernetes rounds both shares up.
      const may = least === undefined ? podsOf(most, replicas) : replicas - (podsOf(least, replicas) ?? 0);
      const written = least === undefined ? `maxUnavailable is ${most}` : `minAvailable is ${least}`;
      if (may !== undefined && may >= replicas)
        report.wrongIn(field, `podDisruptionBudget.${written}`, `of ${replicas} pods, so a drain takes all`);
      if (may !== undefined && may <= 0)
        report.wrongIn(field, `podDisruptionBudget.${written}`, `of ${replicas} pods, so no node can be drained`);
      const { affinity, topologySpreadConstraints: spread } = configuration;
      const apart = affinity === undefined || keepsApart(inside(affinity, "podAntiAffinity"));
      const spreads = spread === undefined || (Array.isArray(spread) && spread.length > 0);
      if (!apart && !spreads)
        report.wrongIn(
          field,
          `affinity is ${JSON.stringify(affinity)} and topologySpreadConstraints is ${JSON.stringify(spread)}`,
          "so all pods may stand on one node",
        );
    },
  ),
];

/** Pods that run whatever the load. */
function leastReplicas({ replicaCount, autoScaling }: Json): number {
  const count = inside(autoScaling, "enabled") === true ? inside(autoScaling, "minReplicas") : replicaCount;
  return typeof count === "number" ? count : DEFAULT_REPLICAS;
}

/** Pods of a number or a share, such as `50%`, which Kubernetes rounds up; undefined where it is neither. */
function podsOf(value: unknown, replicas: number): number | undefined {
  if (typeof value === "number") return value;
  const share = typeof value === "string" ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  return share === undefined ? undefined : Math.ceil((Number(share) / 100) * replicas);
}

/** Whether an anti-affinity names anything to stay away from. */
function keepsApart(antiAffinity: unknown): boolean {
  return isGroup(antiAffinity) && Object.values(antiAffinity).some((terms) => Array.isArray(terms) && terms.length > 0);
}
