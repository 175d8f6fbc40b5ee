import { type Field, isKnownSo, type Resource, someKnown } from "../../core/resource.ts";
import { aws, type Report, type Rule } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { ADDON, configurationOf, inside, isClusterDns, isCoreDns } from "../../readers/cluster-dns.ts";
import { CONFIG_MAP, nameOf, namespaceOf, podSpecOf, proportionalTargets } from "../../readers/workload.ts";
import type { Group } from "../../readers/yaml-texts.ts";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const DEPLOYMENT_PATCH = "kubernetes:apps/v1:DeploymentPatch";
const SCALERS = [
  "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
  "kubernetes:autoscaling/v1:HorizontalPodAutoscaler",
];
const ALONE = "so one node takes DNS away";

export const COREDNS_REPLICAS: Rule = {
  id: "coredns-replicas",
  family: "coredns",
  level: "mandatory",
  title: "CoreDNS has at least two replicas, fixed or autoscaled, not both",
  reason: "One pod fails with its node; count and autoscaler overwrite each other.",
  fix: "set replicaCount: 2, or autoScaling: {enabled: true, minReplicas: 2, maxReplicas: 10}",
  source: aws("Scale CoreDNS pods", "eks/latest/userguide/coredns-autoscaling.html"),
  types: [ADDON, DEPLOYMENT, DEPLOYMENT_PATCH, ...SCALERS, CONFIG_MAP],
  checkStack: (stack, report) => {
    report.each(stack.ofType(ADDON), (addon) => {
      const configuration = isCoreDns(addon) ? configurationOf(addon) : undefined;
      if (configuration !== undefined) checkAddon(configuration, addon.at("configurationValues"), report);
    });
    report.each(stack.ofType(DEPLOYMENT, DEPLOYMENT_PATCH), (deployment) => checkDeployment(deployment, stack, report));
  },
};

function checkAddon({ replicaCount, autoScaling }: Group, field: Field, report: Report): void {
  const scales = inside(autoScaling, "enabled") === true;
  if (scales && replicaCount !== undefined)
    report.wrongIn(field, `replicaCount is ${replicaCount}`, "though autoScaling is enabled");
  if (!scales && typeof replicaCount === "number" && replicaCount < 2)
    report.wrongIn(field, `replicaCount is ${replicaCount}`, ALONE);
  const [min, max] = [inside(autoScaling, "minReplicas"), inside(autoScaling, "maxReplicas")];
  if (scales && typeof min === "number" && min < 2) report.wrongIn(field, `autoScaling.minReplicas is ${min}`, ALONE);
  if (scales && typeof min === "number" && typeof max === "number" && max < min)
    report.wrongIn(field, `autoScaling.maxReplicas is ${max}`, `below minReplicas, which is ${min}`);
}

/** A patch only changes what it names. A Deployment without a number has one pod, or as many as its autoscaler sets. */
function checkDeployment(deployment: Resource, stack: Stack, report: Report): void {
  const replicas = deployment.at("spec", "replicas");
  const isLeftOut = replicas.raw === undefined || replicas.raw === null;
  if (isLeftOut && deployment.type === DEPLOYMENT_PATCH) return;
  // Most have more, or are not DNS: an unknown value does not matter for them.
  if (!replicas.isUnknown && (replicas.number() ?? 1) >= 2) return;
  if (!isClusterDns(deployment, stack)) return;
  const scaler = isLeftOut ? scalerOf(deployment, stack) : undefined;
  const least = scaler?.at("spec", "minReplicas");
  if (least !== undefined && (least.number() ?? 1) < 2) report.wrong(least, ALONE, "set spec.minReplicas: 2, or more");
  if (scaler !== undefined || (isLeftOut && isProportional(deployment, stack))) return;
  if ((replicas.number() ?? 1) < 2) report.wrong(replicas, ALONE, "set spec.replicas: 2, or more");
}

/** A Deployment's autoscaler in the same stack. @throws {Undecided} if only unknown values may name one. */
function scalerOf(deployment: Resource, stack: Stack): Resource | undefined {
  const isItsOwn = (scaler: Resource) => {
    if (namespaceOf(scaler) !== namespaceOf(deployment)) return false;
    const target = scaler.at("spec", "scaleTargetRef");
    return target.at("kind").text() === "Deployment" && target.at("name").text() === nameOf(deployment);
  };
  const scalers = stack.ofType(...SCALERS);
  return scalers.find((scaler) => isKnownSo(() => isItsOwn(scaler))) ?? scalers.find(isItsOwn);
}

/**
 * Whether the stack has a cluster-proportional-autoscaler for a Deployment, such as that of CoreDNS's Helm chart, which reads its minimum
 * from a ConfigMap.
 * @throws {Undecided} if only unknown words may name the Deployment.
 */
function isProportional(deployment: Resource, stack: Stack): boolean {
  const [namespace, name] = [namespaceOf(deployment), nameOf(deployment)];
  return someKnown(stack.ofType(DEPLOYMENT), (other) => {
    const pod = podSpecOf(other);
    if (pod === undefined || other === deployment) return false;
    return someKnown(pod.at("containers").items(), (container) => {
      const words = ["command", "args"].flatMap((key) => container.at(key).items());
      const known = words.filter((word) => !word.isUnknown).map((word) => word.text() ?? "");
      const targets = proportionalTargets(known, namespaceOf(other));
      if (targets.namespace !== namespace) return false;
      return (
        targets.has(name) ||
        proportionalTargets(
          words.map((word) => word.text() ?? ""),
          namespace,
        ).has(name)
      );
    });
  });
}
