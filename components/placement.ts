import { z } from "zod";
import { VpcSettings } from "./cluster/eks/network-settings.ts";
import { exceededCapacity } from "./cluster/eks/node-group-settings.ts";
import type { EksClusterSettings } from "./cluster/settings.ts";
import { dnsProfile } from "./dns/profile.ts";
import type { DnsSettings } from "./dns/settings.ts";
import { targetsOf } from "./logging/routing/routes.ts";
import type { LoggingSettings } from "./logging/settings.ts";
import type { SettingsIssue } from "./schema/errors.ts";

/** A group with the known location of its nodes. */
type NodeGroup = EksClusterSettings["nodeGroups"][number] & {
  readonly region: string | undefined;
  /** Zones in the settings; undefined if AWS chooses them. */
  readonly zones: readonly string[] | undefined;
};
type Toleration = NonNullable<DnsSettings["tolerations"]>[number];

/** The add-on's default tolerations. @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html */
const ADDON_TOLERATIONS: readonly Toleration[] = [
  { key: "CriticalAddonsOnly", operator: "Exists" },
  { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
];

const TIMEOUT = "its add-on fails after 20 minutes";

const UNKNOWN = Symbol("a value known only after deployment");

const ZONE = "topology.kubernetes.io/zone";
/** Labels that managed node groups never have: those of control planes, and those that EKS sets elsewhere. */
const NEVER_SET =
  /^(node-role\.kubernetes\.io\/|node-restriction\.kubernetes\.io\/|eks\.amazonaws\.com\/(?!nodegroup(-image)?$|sourceLaunchTemplate(Id|Version)$))/;
const NODE_GROUP = "eks.amazonaws.com/nodegroup";

/** What a stack runs on a new cluster. */
export interface PlacedParts {
  /** Undefined if omitted. */
  readonly dns: DnsSettings | undefined;
  /** Undefined if omitted or invalid. */
  readonly logging:
    | Pick<LoggingSettings, "mode" | "sources" | "destination" | "destinations" | "index" | "buffer">
    | undefined;
  readonly hasCurlPods: boolean;
}

/**
 * Errors for CoreDNS and other pods that no node of a new cluster could run. For CoreDNS, EKS only reports a DEGRADED add-on after 20
 * minutes.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
 */
export function placementIssues(
  cluster: EksClusterSettings,
  parts: PlacedParts,
  region: string | undefined,
): SettingsIssue[] {
  const zones = Array.isArray(cluster.vpc?.zones) ? cluster.vpc.zones : undefined;
  const nodes = cluster.nodeGroups.map((group) => ({ ...group, region, zones }));
  const untainted = nodes.filter((group) => tolerates(group, []));
  const others = withoutTolerations(parts).join(" and ");
  if (others !== "" && untainted.length === 0) {
    const message = `must have at least one group without NoSchedule and NoExecute taints, for ${others}`;
    return [{ path: ["cluster", "nodeGroups"], message }];
  }
  const { dns } = parts;
  // The settings do not say where an adopted CoreDNS runs.
  const issues = dns === undefined || dns.adopt !== undefined ? [] : coreDnsIssues(cluster, dns, nodes);
  if (issues.length > 0 || others === "" || untainted.some(startsWithNodes)) return issues;
  return [tooFewNodes(untainted, `for ${others}, or the deployment times out`)];
}

/** Pods that only run on nodes without taints; pods of DaemonSets tolerate all. */
function withoutTolerations({ hasCurlPods, logging }: PlacedParts): string[] {
  if (logging === undefined) return hasCurlPods ? ["the curl pods"] : [];
  const readsEvents = logging.mode === "daemonset" && logging.sources.includes("events");
  const hasSearch = targetsOf(logging).some(
    ({ destination }) => destination.kind === "opensearch" && destination.inCluster,
  );
  return [
    ...(hasCurlPods ? ["the curl pods"] : []),
    ...(readsEvents ? ["the event reader"] : []),
    ...(hasSearch ? ["the in-cluster OpenSearch"] : []),
  ];
}

function coreDnsIssues(cluster: EksClusterSettings, dns: DnsSettings, nodes: readonly NodeGroup[]): SettingsIssue[] {
  if (dns.computeType === "Fargate") {
    const message = "must not be Fargate, since this stack creates no Fargate profile";
    return [{ path: ["dns", "computeType"], message, value: "Fargate" }];
  }
  const { nodeSelector = {}, tolerations = ADDON_TOLERATIONS } = dns;
  const selected = nodes.filter((group) => matches(group, nodeSelector));
  const group = nodeSelector[NODE_GROUP];
  if (selected.length === 0 && group !== undefined && !nodes.some((candidate) => mayBe(candidate, NODE_GROUP, group))) {
    const message =
      "must be omitted, since the name that AWS gives to a group ends in random characters: select a label of cluster.nodeGroups[].labels";
    return [{ path: ["dns", "nodeSelector", NODE_GROUP], message, value: group }];
  }
  if (selected.length === 0) {
    const message = `must match the labels of a node group, or CoreDNS stays pending and ${TIMEOUT}`;
    return [{ path: ["dns", "nodeSelector"], message, value: nodeSelector }];
  }
  const placed = selected.filter((group) => attracts(group, dns.affinity));
  if (placed.length === 0) {
    const message = `must match the labels of ${namesOf(selected)} by its required nodeAffinity, or CoreDNS stays pending and ${TIMEOUT}`;
    return [{ path: ["dns", "affinity"], message, value: dns.affinity }];
  }
  const unknownKey = spreadKeys(dns).find(({ key }) => !placed.some((group) => labelOf(group, key) !== undefined));
  if (unknownKey !== undefined) {
    const message = `must be a label of ${namesOf(placed)} with DoNotSchedule, or CoreDNS stays pending and ${TIMEOUT}`;
    return [{ path: ["dns", "topologySpread", unknownKey.index, "topologyKey"], message, value: unknownKey.key }];
  }
  const usable = placed.filter((group) => tolerates(group, tolerations));
  if (usable.length === 0) {
    const message = `must tolerate the taints of ${namesOf(placed)}, or CoreDNS stays pending and ${TIMEOUT}`;
    return [{ path: ["dns", "tolerations"], message, value: tolerations }];
  }
  const apart = apartIssue(dns, usable, cluster);
  if (apart !== undefined) return [apart];
  const large = (["cpu", "memory"] as const).flatMap((key) => sizeIssue(dns, usable, key) ?? []);
  if (large.length > 0) return large;
  return usable.some(startsWithNodes) ? [] : [tooFewNodes(usable, `for CoreDNS, or ${TIMEOUT}`)];
}

/** Reports more CoreDNS pods than nodes or zones if a podAntiAffinity separates them. */
function apartIssue(
  dns: DnsSettings,
  usable: readonly NodeGroup[],
  cluster: EksClusterSettings,
): SettingsIssue | undefined {
  const { replicas, autoscaling } = dnsProfile(dns);
  const pods = autoscaling?.minReplicas ?? replicas ?? 0;
  const nodes = usable.reduce((sum, { maxSize }) => sum + maxSize, 0);
  const places = [
    { key: "kubernetes.io/hostname", count: nodes, what: `nodes of ${namesOf(usable)} (maxSize)`, unit: "node" },
    { key: ZONE, ...zonesOf(cluster), unit: "zone" },
  ];
  const keys = apartKeys(dns.affinity);
  const short = places.find(({ key, count }) => keys.includes(key) && pods > count);
  if (short === undefined) return undefined;
  const message = `${pods} CoreDNS pods must not exceed the ${short.count} ${short.what}, since the required podAntiAffinity allows one per ${short.unit}`;
  return { path: ["dns", autoscaling === undefined ? "replicas" : "autoscaling"], message };
}

/** Number of zones that nodes can be in, and the setting that limits it. */
function zonesOf({ vpc, existingVpc }: EksClusterSettings): { readonly count: number; readonly what: string } {
  if (existingVpc !== undefined)
    return { count: existingVpc.privateSubnetIds.length, what: "subnets of cluster.existingVpc" };
  const { zones } = VpcSettings.parse(vpc ?? {});
  return { count: typeof zones === "number" ? zones : zones.length, what: "zones of cluster.vpc" };
}

/** A request that fits on no node of these groups. */
function sizeIssue(
  { resources }: DnsSettings,
  usable: readonly NodeGroup[],
  key: "cpu" | "memory",
): SettingsIssue | undefined {
  const value = resources?.requests?.[key];
  const types = usable.flatMap(({ instanceTypes }) => instanceTypes);
  const most = exceededCapacity([...new Set(types)], key, value);
  if (most === undefined) return undefined;
  const message = `must be less than the ${most} in ${namesOf(usable)}, or CoreDNS stays pending and ${TIMEOUT}`;
  return { path: ["dns", "resources", "requests", key], message, value };
}

function tooFewNodes(groups: readonly NodeGroup[], why: string): SettingsIssue {
  const message = `minSize or desiredSize of ${namesOf(groups)} must be at least 1 ${why}`;
  return { path: ["cluster", "nodeGroups"], message };
}

function namesOf(groups: readonly NodeGroup[]): string {
  return groups.map(({ name }) => name).join(" or ");
}

function startsWithNodes({ desiredSize, minSize }: Pick<NodeGroup, "desiredSize" | "minSize">): boolean {
  return (desiredSize ?? minSize) > 0;
}

/** A label of a group's nodes: the group's own, or one set by EKS or the kubelet. */
function labelOf(group: NodeGroup, key: string): string | typeof UNKNOWN | undefined {
  const { architecture, capacityType, instanceTypes, labels, region, zones } = group;
  if (key in labels) return labels[key];
  if (key === "kubernetes.io/os") return "linux";
  if (key === "kubernetes.io/arch") return architecture;
  if (key === "eks.amazonaws.com/capacityType") return capacityType;
  if (key === "node.kubernetes.io/instance-type" && instanceTypes.length === 1) return instanceTypes[0];
  if (key === "topology.kubernetes.io/region") return region ?? UNKNOWN;
  if (key === ZONE) return zones?.length === 1 ? zones[0] : UNKNOWN;
  if (key.startsWith("topology.kubernetes.io/") || NEVER_SET.test(key)) return undefined;
  return /(^|\.)(kubernetes\.io|k8s\.io|eks\.amazonaws\.com|k8s\.aws)\//.test(key) ? UNKNOWN : undefined;
}

/** Whether a group may have nodes with this label value. */
function mayBe(group: NodeGroup, key: string, value: string): boolean {
  const label = labelOf(group, key);
  if (label !== UNKNOWN) return label === value;
  // Pulumi appends random characters to a group's name.
  if (key === NODE_GROUP) return value.includes(`cluster-nodes-${group.name}`);
  if (key !== ZONE) return true;
  return group.zones?.includes(value) ?? value.startsWith(group.region ?? "");
}

function matches(group: NodeGroup, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => mayBe(group, key, value));
}

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity */
const NodeAffinity = z.object({
  nodeAffinity: z.object({
    requiredDuringSchedulingIgnoredDuringExecution: z.object({
      nodeSelectorTerms: z
        .array(
          z.object({
            matchExpressions: z
              .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) }))
              .default([]),
          }),
        )
        .min(1),
    }),
  }),
});

/** Whether a required nodeAffinity allows a group's nodes, or is invalid. */
function attracts(group: NodeGroup, affinity: DnsSettings["affinity"]): boolean {
  const required = NodeAffinity.safeParse(affinity).data?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return true;
  return required.nodeSelectorTerms.some(({ matchExpressions }) =>
    matchExpressions.every(({ key, operator, values }) => {
      const label = labelOf(group, key);
      if (operator === "In") return values.some((value) => mayBe(group, key, value));
      if (operator === "NotIn") return label === undefined || label === UNKNOWN || !values.includes(label);
      if (operator === "Exists") return label !== undefined;
      return operator !== "DoesNotExist" || label === undefined || label === UNKNOWN;
    }),
  );
}

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity */
const PodAntiAffinity = z.object({
  podAntiAffinity: z.object({
    requiredDuringSchedulingIgnoredDuringExecution: z.array(
      z.object({ topologyKey: z.string(), labelSelector: z.unknown() }),
    ),
  }),
});

/** Labels with different values on any two nodes with CoreDNS pods. */
function apartKeys(affinity: DnsSettings["affinity"]): readonly string[] {
  const required = PodAntiAffinity.safeParse(affinity).data?.podAntiAffinity;
  return (required?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
    .filter(({ labelSelector }) => selectsCoreDns(labelSelector))
    .map(({ topologyKey }) => topologyKey);
}

function selectsCoreDns(labelSelector: unknown): boolean {
  const text = JSON.stringify(labelSelector) ?? "";
  return [
    '{"matchLabels":{"k8s-app":"kube-dns"}}',
    '{"matchExpressions":[{"key":"k8s-app","operator":"In","values":["kube-dns"]}]}',
  ].includes(text);
}

/** Labels that a node needs for CoreDNS pods. */
function spreadKeys({ topologySpread = [] }: DnsSettings): { readonly index: number; readonly key: string }[] {
  return topologySpread.flatMap(({ topologyKey, whenUnsatisfiable }, index) =>
    whenUnsatisfiable === "DoNotSchedule" ? [{ index, key: topologyKey }] : [],
  );
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
