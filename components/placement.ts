import type { ClusterSettings, EksClusterSettings } from "./cluster/settings.ts";
import type { DnsSettings } from "./dns/settings.ts";
import type { SettingsIssue } from "./schema/errors.ts";
import { isObject } from "./schema/values.ts";

/** Settings under `dns` that configure the EKS add-on, and so nothing on a cluster whose CoreDNS is somebody else's. */
const ADDON_SETTINGS: readonly string[] = [
  ...["addonVersion", "replicas", "autoscaling", "resources", "podDisruptionBudget", "topologySpread", "affinity"],
  ...["nodeSelector", "tolerations", "podLabels", "podAnnotations", "computeType", "conflicts", "timeouts"],
];

/**
 * A warning for DNS settings that do nothing on an existing cluster: its CoreDNS is not part of the stack.
 * @param given The section `dns` as it stands in the stack's file.
 */
export function unusedDnsSettings(given: unknown): SettingsIssue[] {
  if (!isObject(given)) return [];
  const message = "has no effect on an existing cluster, whose CoreDNS this stack does not manage";
  const issues: SettingsIssue[] = ADDON_SETTINGS.filter((key) => given[key] !== undefined).map((key) => ({
    path: ["dns", key],
    message,
    severity: "warning",
  }));
  if (given.corefile !== undefined && !isObject(given.nodeLocalCache)) {
    const message =
      "only rendered with cluster.kind existing: apply the Corefile that `lab plan --manifests` writes to the cluster's CoreDNS";
    issues.push({ path: ["dns", "corefile"], message, severity: "warning" });
  }
  return issues;
}

type NodeGroup = EksClusterSettings["nodeGroups"][number];
type Toleration = NonNullable<DnsSettings["tolerations"]>[number];

/** The tolerations that the add-on has by itself. @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html */
const ADDON_TOLERATIONS: readonly Toleration[] = [
  { key: "CriticalAddonsOnly", operator: "Exists" },
  { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
];

const TIMEOUT = "its add-on fails after 20 minutes";

/**
 * Errors of CoreDNS and of the curl pods that no node of a new cluster could run. EKS reports them after 20 minutes, as an add-on that
 * is DEGRADED.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
 */
export function placementIssues(
  cluster: Extract<ClusterSettings, { kind: "eks" }>,
  dns: Pick<DnsSettings, "nodeSelector" | "tolerations" | "computeType">,
): SettingsIssue[] {
  if (dns.computeType === "Fargate") {
    const message = "must not be Fargate, since this stack creates no Fargate profile";
    return [{ path: ["dns", "computeType"], message, value: "Fargate" }];
  }
  const { nodeSelector = {}, tolerations = ADDON_TOLERATIONS } = dns;
  const selected = cluster.nodeGroups.filter((group) => matches(group, nodeSelector));
  if (selected.length === 0) {
    const message = `must match the labels of a node group, or CoreDNS stays pending and ${TIMEOUT}`;
    return [{ path: ["dns", "nodeSelector"], message, value: nodeSelector }];
  }
  const usable = selected.filter((group) => tolerates(group, tolerations));
  if (usable.length === 0) {
    const message = `must tolerate the taints of ${namesOf(selected)}, or CoreDNS stays pending and ${TIMEOUT}`;
    return [{ path: ["dns", "tolerations"], message, value: tolerations }];
  }
  if (!usable.some(startsWithNodes)) return [tooFewNodes(usable, `for CoreDNS, or ${TIMEOUT}`)];
  const untainted = cluster.nodeGroups.filter((group) => tolerates(group, []));
  if (untainted.length > 0 && !untainted.some(startsWithNodes))
    return [tooFewNodes(untainted, "for the curl pods, or the deployment times out")];
  return [];
}

function tooFewNodes(groups: readonly NodeGroup[], why: string): SettingsIssue {
  const message = `minSize or desiredSize of ${namesOf(groups)} must be at least 1 ${why}`;
  return { path: ["cluster", "nodeGroups"], message };
}

function namesOf(groups: readonly NodeGroup[]): string {
  return groups.map(({ name }) => name).join(" or ");
}

function startsWithNodes({ desiredSize, minSize }: NodeGroup): boolean {
  return (desiredSize ?? minSize) > 0;
}

/** Labels that EKS or the kubelet sets: those whose values follow from the settings, and undefined for the others. */
function labelOf({ architecture, capacityType, labels }: NodeGroup, key: string): string | undefined {
  if (key in labels) return labels[key];
  if (key === "kubernetes.io/os") return "linux";
  if (key === "kubernetes.io/arch") return architecture;
  if (key === "eks.amazonaws.com/capacityType") return capacityType;
  return /(^|\.)(kubernetes\.io|k8s\.io|eks\.amazonaws\.com|k8s\.aws)\//.test(key) ? "unknown" : undefined;
}

function matches(group: NodeGroup, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => {
    const label = labelOf(group, key);
    return label === value || label === "unknown";
  });
}

/** Whether pods with these tolerations run on a group's nodes. @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
function tolerates({ taints }: NodeGroup, tolerations: readonly Toleration[]): boolean {
  return taints
    .filter(({ effect }) => effect !== "PreferNoSchedule")
    .every((taint) =>
      tolerations.some(
        ({ key = "", operator = "Equal", value = "", effect }) =>
          (key === "" ? operator === "Exists" : key === taint.key) &&
          (operator === "Exists" || value === taint.value) &&
          (effect === undefined || effect === taint.effect),
      ),
    );
}
