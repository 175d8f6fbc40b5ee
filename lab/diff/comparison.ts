import { isUtf8 } from "node:buffer";
import { type VersionStep, versionStep } from "eks-dns-logging-corefile/addon";
import { SECRET } from "../../policies/core/resource.ts";
import { providerUrn } from "../../policies/core/stack.ts";
import {
  type Json,
  outsideName,
  type PlanDocument,
  type PlannedResourceDocument,
  type PolicyFinding,
  type PolicyRun,
  pairUp,
} from "./document.ts";
import { changedFields, type FieldChange, pathText, type ShownField } from "./fields.ts";
import {
  type ComparedPair,
  comparePair,
  DATA_LOSS_ON_REPLACE,
  replacesItsResources,
  whyReplaced,
} from "./replacement.ts";

/** What would happen to one resource. */
export interface ResourceChange {
  readonly kind: (typeof KINDS)[number];
  readonly type: string;
  /** Pulumi name in head, or in base if head has none. */
  readonly name: string;
  readonly urn: string;
  /** Name outside Pulumi, such as `ts-team/curl-ts`. */
  readonly outside: string;
  /** The resource that it replaces, if that has another name. */
  readonly previous?: { readonly name: string; readonly urn: string; readonly outside: string };
  readonly fields: readonly ShownField[];
  /** Why it is replaced, as text. */
  readonly reasons: readonly string[];
  /** Data that would be lost; for a cluster's version, why EKS refuses it. */
  readonly warning?: string;
}

/** The comparison of two plans of one stack. */
export interface StackComparison {
  readonly stack: string;
  readonly changes: readonly ResourceChange[];
  /** Number of resources that are equal in both plans. */
  readonly unchanged: number;
  readonly outputs: readonly ShownField[];
  /** Clusters whose Kubernetes version changes. */
  readonly upgrades: readonly ClusterUpgrade[];
  /** Absent if head's plan ran no policies. */
  readonly policies?: PolicyComparison;
}

/** The kinds of changes, in display order. */
export const KINDS = ["replaced", "deleted", "changed", "added"] as const;

/** Compares two plans of a stack: the effect of `pulumi up` of head on a deployed base. */
export function comparePlans(base: PlanDocument, head: PlanDocument): StackComparison {
  const { deleted, added, ...paired } = pairUp(base.resources.filter(isShown), head.resources.filter(isShown));
  const pairs = paired.pairs.map((pair) => comparePair(pair, base, head));
  const reasons = whyReplaced(pairs);
  const changes = [
    ...pairs.map((pair) => changeOf(pair, reasons.get(pair) ?? [])),
    ...deleted.map((resource) => unmatched("deleted", resource)),
    ...added.map((resource) => unmatched("added", resource)),
  ].filter((change) => change !== undefined);
  const policies = comparePolicies(base.policies, head.policies);
  return {
    stack: head.stack,
    changes: changes.toSorted(byKindAndName),
    unchanged: pairs.length - changes.filter(({ kind }) => kind === "changed" || kind === "replaced").length,
    outputs: changedFields(base.outputs, head.outputs).map((field) => shown(field)),
    upgrades: clusterUpgrades(head.stack, changes),
    ...(policies === undefined ? {} : { policies }),
  };
}

/** Whether to show a resource: components that only group resources are described by their children. */
function isShown(resource: PlannedResourceDocument): boolean {
  return resource.custom || Object.keys(resource.inputs).length > 0;
}

function byKindAndName(one: ResourceChange, other: ResourceChange): number {
  const kinds = KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind);
  const warned = Number(one.warning === undefined) - Number(other.warning === undefined);
  return kinds || warned || (one.urn < other.urn ? -1 : Number(one.urn > other.urn));
}

/** Resource options whose changes a reviewer should see. */
function optionsOf(resource: PlannedResourceDocument) {
  const { protect, retainOnDelete, ignoreChanges } = resource;
  return { protect, retainOnDelete, ignoreChanges, provider: providerUrn(resource.provider) };
}

function changeOf(pair: ComparedPair, reasons: readonly string[]): ResourceChange | undefined {
  const { before, after, renamed } = pair;
  const secret = secretKeys(before, after);
  const inputs = pair.changes.map((field) =>
    shown(field, {
      replaces: pair.forcing.includes(field),
      view: secret.has(field.path[0] ?? "") ? masked : viewOf(after.type, field),
    }),
  );
  const options = changedFields(optionsOf(before), optionsOf(after), ["options"]).map((field) => shown(field));
  const fields = [...inputs, ...options];
  const kind = reasons.length > 0 ? "replaced" : "changed";
  if (kind === "changed" && fields.length === 0) return undefined;
  const previous = { name: before.name, urn: before.urn, outside: outsideName(before) };
  // A provider has no name outside; it matters only if it replaces its resources.
  const isHarmless = kind === "changed" || (isProvider(before) && !replacesItsResources(pair));
  const warning = isHarmless ? undefined : lossOf(before, "replaced", after);
  const change = {
    ...described(kind, after),
    ...(renamed || previous.outside !== outsideName(after) ? { previous } : {}),
    fields,
    reasons,
  };
  const shownWarning = warning ?? versionWarning(change);
  return shownWarning === undefined ? change : { ...change, warning: shownWarning };
}

function unmatched(kind: "added" | "deleted", resource: PlannedResourceDocument): ResourceChange {
  const warning = kind === "deleted" && !isProvider(resource) ? lossOf(resource, "deleted") : undefined;
  return {
    ...described(kind, resource),
    fields: [],
    reasons: [],
    ...(warning === undefined ? {} : { warning }),
  };
}

function described(kind: ResourceChange["kind"], resource: PlannedResourceDocument) {
  return { kind, type: resource.type, name: resource.name, urn: resource.urn, outside: outsideName(resource) };
}

function isProvider({ type }: PlannedResourceDocument): boolean {
  return type.startsWith("pulumi:providers:");
}

function lossOf(
  resource: PlannedResourceDocument,
  verb: "replaced" | "deleted",
  successor: PlannedResourceDocument = resource,
): string | undefined {
  const content = DATA_LOSS_ON_REPLACE[resource.type];
  if (content === undefined) return undefined;
  const [oldName, newName] = [outsideName(resource), outsideName(successor)];
  const what = `${content.noun} ${oldName} would be ${verb}${oldName === newName ? "" : ` by ${newName}`}`;
  if (resource.protect) return `${what}, which Pulumi refuses while it is protected`;
  if (resource.retainOnDelete) return `${what} in the stack; the old one stays and must be deleted by hand`;
  return `${what}: ${content.loss}`;
}

function secretKeys(...sides: readonly PlannedResourceDocument[]): Set<string> {
  const marked = sides.flatMap(({ secrets }) => secrets.map((path) => path.split(/[.[]/)[0] ?? ""));
  const isSecret = sides.some(({ type }) => type === "kubernetes:core/v1:Secret");
  return new Set([...marked, ...(isSecret ? ["data", "stringData"] : [])]);
}

/** The decoded text of a base64 value; any other value unchanged. */
function decoded(value: Json): Json {
  if (typeof value !== "string") return value;
  const bytes = Buffer.from(value, "base64");
  return bytes.toString("base64") === value && isUtf8(bytes) ? bytes.toString() : value;
}

/** Converts a value for display. */
type View = (value: Json) => Json;

const unchanged: View = (value) => value;
const masked: View = () => SECRET;

/** Decodes EC2 user data from base64, so that a reviewer can read it. */
function viewOf(type: string, { path }: FieldChange): View {
  return type === "aws:ec2/launchTemplate:LaunchTemplate" && pathText(path) === "userData" ? decoded : unchanged;
}

interface ShownOptions {
  readonly replaces: boolean;
  readonly view: View;
}

function shown({ path, before, after }: FieldChange, options?: ShownOptions): ShownField {
  const { replaces, view } = options ?? { replaces: false, view: unchanged };
  return {
    path: pathText(path),
    ...(before === undefined ? {} : { before: view(before) }),
    ...(after === undefined ? {} : { after: view(after) }),
    replaces,
  };
}

/** Policy findings of head, compared with those of base. */
export interface PolicyComparison {
  /** New in head: a rule is violated or undecided that was not in base. */
  readonly fresh: readonly PolicyFinding[];
  /** Already in base. */
  readonly known: readonly PolicyFinding[];
  /** In base, but no longer in head. */
  readonly fixed: readonly PolicyFinding[];
  /** Exempt by name in head, each with its reason. */
  readonly exempt: readonly PolicyFinding[];
  /** Exempt findings that base did not have. */
  readonly newlyExempt: readonly PolicyFinding[];
  /** Errors in the policy configuration. */
  readonly issues: readonly string[];
  /** Number of issues, and of mandatory rules that head violates or leaves undecided; the check fails on any. */
  readonly failing: number;
}

/** Compares policy findings. Undefined if head's plan ran no policies. */
function comparePolicies(base: PolicyRun | undefined, head: PolicyRun | undefined): PolicyComparison | undefined {
  if (head === undefined) return undefined;
  const before = (base?.findings ?? []).filter(isOpen);
  const after = head.findings.filter(isOpen);
  const exempt = head.findings.filter(({ outcome }) => outcome === "exempt");
  const beforeKeys = new Set(before.map(keyOf));
  const exemptKeys = new Set((base?.findings ?? []).filter(({ outcome }) => outcome === "exempt").map(keyOf));
  const afterKeys = new Set(after.map(keyOf));
  return {
    fresh: after.filter((finding) => !beforeKeys.has(keyOf(finding))),
    known: after.filter((finding) => beforeKeys.has(keyOf(finding))),
    fixed: before.filter((finding) => !afterKeys.has(keyOf(finding))),
    exempt,
    newlyExempt: exempt.filter((finding) => !exemptKeys.has(keyOf(finding))),
    issues: head.issues,
    failing: after.filter((finding) => finding.level === "mandatory").length + head.issues.length,
  };
}

function isOpen(finding: PolicyFinding): boolean {
  return finding.outcome !== "exempt" && finding.level !== "disabled";
}

/** A rule may find several issues in one resource, distinguished only by their messages. */
function keyOf({ rule, urn, outcome, message }: PolicyFinding): string {
  return JSON.stringify([rule, urn, outcome, message]);
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
function clusterUpgrades(stack: string, changes: readonly ResourceChange[]): ClusterUpgrade[] {
  return changes.flatMap((change) => {
    const step = stepOf(change);
    if (step === undefined) return [];
    const effects =
      step.kind === "refused" ? [] : [controlPlane(step, stack), ...addons(changes), ...nodeGroups(changes)];
    return [{ cluster: change.outside, step, effects }];
  });
}

/** Why EKS refuses a version change; undefined for an upgrade and for any other change. */
function versionWarning(change: ResourceChange): string | undefined {
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

function stepOf({ kind, type, fields }: ResourceChange): VersionStep | undefined {
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

function addons(changes: readonly ResourceChange[]): string[] {
  return changes.flatMap(({ type, kind, outside, fields }) => {
    const version = fields.find(({ path }) => path === "addonVersion");
    if (type !== ADDON || version === undefined) return [];
    return [`add-on ${outside}: ${kind === "replaced" ? "replaced" : "in place"}, ${arrow(version)}`];
  });
}

function nodeGroups(changes: readonly ResourceChange[]): string[] {
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
