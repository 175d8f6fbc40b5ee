import {
  addonDefaults,
  type ComponentVerdict,
  parseAddonVersion,
  supportOf,
  type VersionStep,
} from "eks-dns-logging-corefile/addon";
import type { StackComparison } from "../diff/comparison.ts";
import { type PlanDocument, valueAt } from "../diff/document.ts";
import { plural } from "../output/text.ts";
import type { LiveCluster } from "./kubernetes-changes.ts";

/** A step of an upgrade, in EKS's order. */
export interface UpgradeStep {
  readonly title: string;
  /** What happens to it: `in place`, `replaced`, `nodes replaced`, `unchanged`, `by hand`. */
  readonly how: string;
  /** Expected duration. */
  readonly takes: string;
  readonly details: readonly string[];
  readonly source: string;
}

/** Input for the plan of an upgrade. */
export interface UpgradeInput {
  readonly stack: string;
  readonly cluster: string;
  /** File of the stack, such as `Pulumi.dev.yaml`. */
  readonly file: string;
  /** Whether the stack creates the cluster; otherwise its owner upgrades control plane and nodes. */
  readonly ownsCluster: boolean;
  /** What runs the pods, if the stack does not create the cluster. */
  readonly compute?: "managed" | "karpenter" | "auto" | "fargate" | undefined;
  readonly step: VersionStep;
  /** The stack's plan with the target version; undefined if its settings are invalid. */
  readonly target: PlanDocument | undefined;
  /** Why the settings are invalid. */
  readonly refused: readonly string[];
  /** Comparison of the plans before and after; undefined if either is missing. */
  readonly comparison: StackComparison | undefined;
  readonly live: LiveCluster | undefined;
  /** Day, as YYYY-MM-DD. */
  readonly today: string;
}

const GUIDE = "https://docs.aws.amazon.com/eks/latest/userguide";
/** Type token of an EKS add-on. */
export const ADDON = "aws:eks/addon:Addon";
/** Placeholder for the version of an add-on that neither the cluster nor the data contains. */
export const UNKNOWN_VERSION = "unknown";
const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
/** This program's component for CoreDNS. */
const CORE_DNS = "eks-dns-logging:dns:CoreDns";

/** The steps in EKS's order. */
export function stepsOf(input: UpgradeInput, components: readonly ComponentVerdict[]): UpgradeStep[] {
  const { cluster, ownsCluster, step, file } = input;
  const setting = ownsCluster ? "cluster.version" : "cluster.kubernetesVersion";
  const owner = ownsCluster ? [] : [`by the owner of ${cluster}; then set ${setting}: "${step.to}"`];
  return [
    {
      title: "prepare",
      how: "by hand",
      takes: "-",
      details: [
        `read EKS's own findings: aws eks list-insights --cluster-name ${cluster}`,
        "keep five free IP addresses in the cluster's subnets",
      ],
      source: `${GUIDE}/update-cluster.html`,
    },
    {
      title: `control plane ${step.from} → ${step.to}`,
      how: clusterHow(input),
      takes: "several minutes",
      details: [
        ...owner,
        ...(ownsCluster
          ? [
              `${setting}: "${step.to}" in ${file}, then pulumi up, which also updates the add-ons and node groups`,
              "pulumi up updates kube-proxy and vpc-cni before the nodes, and CoreDNS after them, as the version skew policy allows",
            ]
          : []),
        "cannot be paused; EKS rolls back if its health checks fail",
      ],
      source: `${GUIDE}/update-cluster.html`,
    },
    ...nodeSteps(input),
    ...addonSteps(input, components),
    {
      title: "clients",
      how: "by hand",
      takes: "-",
      details: [`kubectl and a cluster autoscaler of ${step.to}`],
      source: `${GUIDE}/update-cluster.html`,
    },
  ];
}

function clusterHow({ ownsCluster, comparison }: UpgradeInput): string {
  if (!ownsCluster) return "by its owner";
  const replaced = comparison?.changes.some(({ type, kind }) => type.endsWith(":Cluster") && kind === "replaced");
  return replaced ? "replaced" : "in place";
}

function nodeSteps({ ownsCluster, compute, target, comparison, step, live }: UpgradeInput): UpgradeStep[] {
  const source = `${GUIDE}/managed-node-update-behavior.html`;
  const count = Object.values(live?.kubelets ?? {}).reduce((sum, nodes) => sum + nodes, 0);
  const takes = "minutes per node, up to 15 to drain it";
  const drain =
    "a new node starts before an old one is drained; a pod that does not leave within 15 minutes fails the update";
  if (compute === "auto" || compute === "fargate") return [managedNodes(compute, step)];
  if (!ownsCluster) return [{ title: "nodes", how: "by their owner", takes, details: [drain], source }];
  const groups = (target?.resources ?? []).filter(({ type }) => type === NODE_GROUP);
  return groups.map(({ urn, name, inputs }) => {
    const replaced = comparison?.changes.some((change) => change.urn === urn && change.kind === "replaced");
    const size = valueAt(inputs, "scalingConfig", "desiredSize");
    const nodes = groups.length === 1 && count > 0 ? `${plural(count, "node")} run` : `${size} in the stack`;
    return {
      title: `node group ${name} → ${step.to}`,
      how: replaced ? "replaced" : "nodes replaced",
      takes,
      details: [`${nodes}, ${valueAt(inputs, "updateConfig", "maxUnavailable") ?? 1} at a time`, drain],
      source,
    };
  });
}

function managedNodes(compute: "auto" | "fargate", { to }: VersionStep): UpgradeStep {
  const source = `${GUIDE}/update-cluster.html`;
  return compute === "auto"
    ? {
        title: "nodes",
        how: "nodes replaced",
        takes: "follows the control plane",
        details: ["EKS Auto Mode replaces them by itself, and respects disruption budgets"],
        source,
      }
    : {
        title: "Fargate pods",
        how: "by hand",
        takes: "-",
        details: [`running pods keep their kubelet: restart the workloads to update it to ${to}`],
        source,
      };
}

function addonSteps(input: UpgradeInput, components: readonly ComponentVerdict[]): UpgradeStep[] {
  return components.flatMap((verdict) => {
    const { component, version, standing, wanted } = verdict;
    if (component === "kubelet") return [];
    const { isManaged, after } = addonAfter(input, verdict);
    const changes = !isSame(after, version);
    const isPinned = !changes && standing === "update";
    const suffix = version === UNKNOWN_VERSION ? "" : ` ${version}`;
    const changed = isManaged ? "in place" : "by its owner";
    const how = changes ? changed : "unchanged";
    return [
      {
        title: changes ? `add-on ${component}${suffix} → ${after ?? "?"}` : `add-on ${component} ${version}`,
        how,
        takes: changes ? "minutes: a rolling update of its pods" : "-",
        details: isPinned ? [`the stack pins it: set ${wanted} to update it`] : [],
        source: `${GUIDE}/updating-an-add-on.html`,
      },
    ];
  });
}

/** The add-on's version after the upgrade, if the stack has the add-on. */
function addonAfter(
  { target, ownsCluster }: UpgradeInput,
  { component, version, standing, wanted }: ComponentVerdict,
): { readonly isManaged: boolean; readonly after: unknown } {
  const planned = target?.resources.find(({ type, inputs }) => type === ADDON && inputs.addonName === component);
  const isManaged = planned !== undefined || (target === undefined && ownsCluster);
  if (isManaged) return { isManaged, after: planned?.inputs.addonVersion ?? wanted };
  return { isManaged, after: standing === "update" ? wanted : version };
}

/** The version of an add-on to roll back to, if the upgrade changes it; `version` is undefined if unknown. */
function addonBefore(
  addon: "kube-proxy" | "coredns",
  input: UpgradeInput,
  components: readonly ComponentVerdict[],
): { readonly version: string | undefined } | undefined {
  const { from, to } = input.step;
  const version = addonDefaults(addon)[from];
  const verdict = components.find(({ component }) => component === addon);
  if (verdict !== undefined) {
    if (isSame(addonAfter(input, verdict).after, verdict.version)) return undefined;
    return { version: addonVersionOf(verdict.version) ?? version };
  }
  // EKS Auto Mode has neither, and an adopted CoreDNS is not an add-on.
  const isAdopted = addon === "coredns" && input.target?.resources.some(({ type }) => type === CORE_DNS);
  if (isAdopted || input.compute === "auto") return undefined;
  return version === addonDefaults(addon)[to] ? undefined : { version };
}

/**
 * The add-on's version, whose image tag may be `v1.35.3-minimal-eksbuild.2`; undefined if a cluster runs another build than EKS's.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-kube-proxy.html
 */
function addonVersionOf(tag: string): string | undefined {
  const version = tag.replace("-minimal-eksbuild.", "-eksbuild.");
  return parseAddonVersion(version) === undefined ? undefined : version;
}

/** Whether an add-on stays at what runs, which is named by its version or by its image's tag. */
function isSame(after: unknown, running: string): boolean {
  return after === running || (after !== undefined && after === addonVersionOf(running));
}

/** How to roll back. @see https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html */
export function wayBack(input: UpgradeInput, components: readonly ComponentVerdict[]): string[] {
  const { cluster, step, ownsCluster, file, today } = input;
  const { from, to } = step;
  const extended = (supportOf(from, today)?.daysLeft ?? 0) < 0;
  const old = (["kube-proxy", "coredns"] as const).flatMap((addon) => {
    const before = addonBefore(addon, input, components);
    if (before === undefined) return [];
    return before.version === undefined
      ? [
          `a version of ${addon} for ${from}, listed by aws eks describe-addon-versions --addon-name ${addon} --kubernetes-version ${from}`,
        ]
      : [`aws eks update-addon --cluster-name ${cluster} --addon-name ${addon} --addon-version ${before.version}`];
  });
  return [
    `possible within 7 days, once, and not for a cluster created with ${to}`,
    ...(extended
      ? [`${from} is in extended support: set the cluster's upgrade policy to EXTENDED first; it costs more`]
      : []),
    `aws eks list-insights --cluster-name ${cluster} --filter '{"categories": ["ROLLBACK_READINESS"]}' and resolve ERROR and UNKNOWN`,
    `node groups first: aws eks update-nodegroup-version --cluster-name ${cluster} --nodegroup-name NAME --kubernetes-version ${from}`,
    ...old.map((command) => `add-ons are not rolled back: ${command}`),
    `aws eks update-cluster-version --name ${cluster} --kubernetes-version ${from}`,
    ownsCluster
      ? `cluster.version: "${from}" in ${file}, then pulumi refresh; pulumi preview must show no version change`
      : `cluster.kubernetesVersion: "${from}" in ${file}`,
  ];
}
