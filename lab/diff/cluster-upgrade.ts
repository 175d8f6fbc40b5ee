import { type VersionStep, versionStep } from "eks-dns-logging-corefile/addon";
import type { ShownField } from "./fields.ts";

/** The fields of a changed resource that this file reads. */
interface Changed {
  readonly kind: string;
  readonly type: string;
  readonly outside: string;
  readonly fields: readonly ShownField[];
}

/** A change of a cluster's Kubernetes version, with its effects. */
export interface ClusterUpgrade {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly step: VersionStep;
  /** Effects on control plane, add-ons and node groups, one line each. */
  readonly effects: readonly string[];
}

const CLUSTERS: readonly string[] = ["eks:index:Cluster", "aws:eks/cluster:Cluster"];
const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
const ADDON = "aws:eks/addon:Addon";

/** Clusters of a stack whose Kubernetes version changes in place. A replaced cluster may start with any version. */
export function clusterUpgrades(stack: string, changes: readonly Changed[]): ClusterUpgrade[] {
  return changes.flatMap((change) => {
    const step = stepOf(change);
    if (step === undefined) return [];
    const effects =
      step.kind === "refused" ? [] : [controlPlane(step, stack), ...addons(changes), ...nodeGroups(changes)];
    return [{ cluster: change.outside, step, effects }];
  });
}

/** Why EKS refuses a version change; undefined for an upgrade and for any other change. */
export function versionWarning(change: Changed): string | undefined {
  const step = stepOf(change);
  if (step === undefined || step.kind === "upgrade") return undefined;
  if (step.kind === "refused") return `cluster ${change.outside}: ${step.reason}`;
  return (
    `cluster ${change.outside} would go back from Kubernetes ${step.from} to ${step.to}: EKS does so within 7 days of the upgrade, ` +
    "after its node groups, and not for a cluster created with that version"
  );
}

/** The heading of an upgrade, without its effects. */
export function upgradeTitle({ cluster, step: { from, to, kind, reason } }: ClusterUpgrade): string {
  if (kind === "refused") return reason;
  return `Kubernetes ${from} → ${to} of ${cluster} is ${kind === "rollback" ? "a rollback" : "an upgrade"}`;
}

function stepOf({ kind, type, fields }: Changed): VersionStep | undefined {
  if (kind !== "changed" || !CLUSTERS.includes(type)) return undefined;
  const { before, after } = fields.find(({ path }) => path === "version") ?? {};
  return typeof before === "string" && typeof after === "string" ? versionStep(before, after) : undefined;
}

function controlPlane({ kind, from, to }: VersionStep, stack: string): string {
  const [older, newer] = kind === "upgrade" ? [from, to] : [to, from];
  const steps = `npm run lab -- upgrade --stack ${stack} --from ${older} --to ${newer}`;
  return kind === "upgrade"
    ? `control plane: in place; it can be rolled back for 7 days, node groups first; steps: ${steps}`
    : `control plane: in place, after the node groups, an order that pulumi up does not have; steps at the end of: ${steps}`;
}

function addons(changes: readonly Changed[]): string[] {
  return changes.flatMap(({ type, kind, outside, fields }) => {
    const version = fields.find(({ path }) => path === "addonVersion");
    if (type !== ADDON || version === undefined) return [];
    return [`add-on ${outside}: ${kind === "replaced" ? "replaced" : "in place"}, ${arrow(version)}`];
  });
}

function nodeGroups(changes: readonly Changed[]): string[] {
  return changes.flatMap(({ type, kind, outside, fields }) => {
    const version = fields.find(({ path }) => path === "version");
    if (type !== NODE_GROUP || version === undefined) return [];
    const how = kind === "replaced" ? "replaced" : "each node is drained and replaced";
    return [`node group ${outside}: ${how}, ${arrow(version)}`];
  });
}

function arrow({ before, after }: ShownField): string {
  return `${before ?? "not set"} → ${after ?? "not set"}`;
}
