import { z } from "zod";

/** JSON as `lab plan --json` prints it. */
export type Json = z.infer<ReturnType<typeof z.json>>;

/** A resource of a plan. Fields that older revisions do not print have defaults. */
const PlannedResourceDocument = z.object({
  urn: z.string(),
  type: z.string(),
  name: z.string(),
  custom: z.boolean().default(true),
  inputs: z.record(z.string(), z.json()),
  secrets: z.array(z.string()).default([]),
  unknowns: z.array(z.string()).default([]),
  parent: z.string().default(""),
  dependencies: z.array(z.string()).default([]),
  provider: z.string().default(""),
  protect: z.boolean().default(false),
  retainOnDelete: z.boolean().default(false),
  deleteBeforeReplace: z.boolean().default(false),
  ignoreChanges: z.array(z.string()).default([]),
  formerUrns: z.array(z.string()).default([]),
});
export type PlannedResourceDocument = z.infer<typeof PlannedResourceDocument>;

/** The finding of one policy rule about one resource. */
const PolicyFinding = z.object({
  rule: z.string(),
  level: z.enum(["mandatory", "advisory", "disabled"]),
  /** `undecided`: the rule met a value known only after deployment. `exempt`: allowed by name, with a reason. */
  outcome: z.enum(["violated", "undecided", "exempt"]),
  urn: z.string().default(""),
  message: z.string(),
});
export type PolicyFinding = z.infer<typeof PolicyFinding>;

/** The result of a policy run. Its issues are errors in the configuration, such as an exemption without a reason. */
const PolicyRun = z.object({ findings: z.array(PolicyFinding), issues: z.array(z.string()).default([]) });
export type PolicyRun = z.infer<typeof PolicyRun>;

/** The plan of a stack at a revision. `policies` is absent if that revision runs none. */
export const PlanDocument = z.object({
  stack: z.string(),
  resources: z.array(PlannedResourceDocument),
  outputs: z.record(z.string(), z.json()).default({}),
  policies: PolicyRun.optional(),
});
export type PlanDocument = z.infer<typeof PlanDocument>;

/** What a plan prints for a value known only after deployment. */
export const UNKNOWN_TEXT = "(known after deployment)";

/** The plan of a revision without the stack. */
export function emptyPlan(stack: string): PlanDocument {
  return { stack, resources: [], outputs: {} };
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/**
 * Rewrites URNs to the engine's form, with the types of all parents except the stack's. Older revisions print only the nearest parent's
 * type.
 */
export function withEngineUrns(plan: PlanDocument): PlanDocument {
  const byUrn = new Map(plan.resources.map((resource) => [resource.urn, resource]));
  const urns = new Map<string, string>();
  const urnOf = (urn: string): string => {
    const found = urns.get(urn);
    const resource = byUrn.get(urn);
    if (found !== undefined || resource === undefined || resource.parent === "") return found ?? urn;
    const [head, project] = urn.split("::");
    const parents = urnOf(resource.parent).split("::")[2] ?? "";
    const type = parents === STACK_TYPE ? resource.type : `${parents}$${resource.type}`;
    const full = [head, project, type, resource.name].join("::");
    urns.set(urn, full);
    return full;
  };
  const providerOf = (provider: string) => {
    const end = provider.lastIndexOf("::");
    return end < 0 ? provider : urnOf(provider.slice(0, end)) + provider.slice(end);
  };
  const resources = plan.resources.map((resource) => ({
    ...resource,
    urn: urnOf(resource.urn),
    parent: urnOf(resource.parent),
    dependencies: resource.dependencies.map(urnOf),
    provider: providerOf(resource.provider),
  }));
  if (plan.policies === undefined) return { ...plan, resources };
  const findings = plan.policies.findings.map((finding) => ({ ...finding, urn: urnOf(finding.urn) }));
  return { ...plan, resources, policies: { ...plan.policies, findings } };
}

export function isGroup(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, or undefined. */
export function valueAt(value: Json | undefined, ...keys: readonly string[]): Json | undefined {
  return keys.reduce<Json | undefined>((inner, key) => (isGroup(inner) ? inner[key] : undefined), value);
}

/** Name of a resource outside Pulumi: `ts-team/curl-ts`, `eks-dns-logging-dev`. Its Pulumi name if it has no other. */
export function outsideName(resource: PlannedResourceDocument): string {
  const { metadata } = resource.inputs;
  if (isGroup(metadata)) {
    return [metadata.namespace, metadata.name].filter((part) => typeof part === "string").join("/") || resource.name;
  }
  const names = ["name", "bucket", "nodeGroupName", "addonName"].map((key) => resource.inputs[key]);
  return names.find((name): name is string => typeof name === "string" && name !== UNKNOWN_TEXT) ?? resource.name;
}

/** The same resource in both plans, or a resource and the one that replaces it. */
export interface Pair {
  readonly before: PlannedResourceDocument;
  readonly after: PlannedResourceDocument;
  /** Whether the URNs differ, which makes them two resources to Pulumi. */
  readonly renamed: boolean;
}

export interface Pairing {
  readonly pairs: readonly Pair[];
  readonly deleted: readonly PlannedResourceDocument[];
  readonly added: readonly PlannedResourceDocument[];
}

/**
 * Pairs the resources of two plans by URN or by an alias in head. The rest is paired by similarity among resources of the same type under
 * the same parent types, most similar first.
 */
export function pairUp(base: readonly PlannedResourceDocument[], head: readonly PlannedResourceDocument[]): Pairing {
  const byUrn = new Map(base.map((resource) => [resource.urn, resource]));
  const pairs: Pair[] = [];
  const added: PlannedResourceDocument[] = [];
  for (const after of head) {
    const before = [after.urn, ...after.formerUrns].flatMap((urn) => byUrn.get(urn) ?? [])[0];
    if (before === undefined) added.push(after);
    else {
      pairs.push({ before, after, renamed: false });
      byUrn.delete(before.urn);
    }
  }
  const renames = bestMatches([...byUrn.values()], added);
  const renamedFrom = new Set(renames.map((pair) => pair.before));
  const renamedTo = new Set(renames.map((pair) => pair.after));
  return {
    pairs: [...pairs, ...renames],
    deleted: [...byUrn.values()].filter((resource) => !renamedFrom.has(resource)),
    added: added.filter((resource) => !renamedTo.has(resource)),
  };
}

/** Minimum similarity of a pair. */
const MIN_SIMILARITY = 0.5;

function bestMatches(deleted: readonly PlannedResourceDocument[], added: readonly PlannedResourceDocument[]): Pair[] {
  const addedByType = Map.groupBy(added.map(traitsOf), ({ resource }) => qualifiedType(resource.urn));
  const candidates = deleted
    .map(traitsOf)
    .flatMap((before) =>
      (addedByType.get(qualifiedType(before.resource.urn)) ?? []).map((after) => ({
        before: before.resource,
        after: after.resource,
        score: similarity(before, after),
      })),
    )
    .filter(({ score }) => score >= MIN_SIMILARITY);
  const taken = new Set<PlannedResourceDocument>();
  const pairs: Pair[] = [];
  for (const { before, after } of candidates.sort((one, other) => other.score - one.score)) {
    if (taken.has(before) || taken.has(after)) continue;
    taken.add(before).add(after);
    pairs.push({ before, after, renamed: true });
  }
  return pairs;
}

/** The compared traits of a resource, cached because each resource is compared with all others of its type. */
interface Traits {
  readonly resource: PlannedResourceDocument;
  readonly outside: string;
  readonly leaves: ReadonlySet<string>;
}

function traitsOf(resource: PlannedResourceDocument): Traits {
  return { resource, outside: outsideName(resource), leaves: leaves(resource.inputs) };
}

/** Types of the parents and of the resource, as `parent$child` in the URN. */
function qualifiedType(urn: string): string {
  return urn.split("::")[2] ?? urn;
}

/** From 0 (nothing in common) to 1: half by Pulumi name, half by inputs. The same name outside Pulumi counts as 1. */
function similarity(before: Traits, after: Traits): number {
  if (before.outside === after.outside && before.outside !== before.resource.name) return 1;
  return (sharedText(before.resource.name, after.resource.name) + sharedLeaves(before.leaves, after.leaves)) / 2;
}

/** Share of the longer name that the shorter shares at its start or end. */
function sharedText(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length);
  const longer = Math.max(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  return longer === 0 ? 1 : (start + end) / longer;
}

/** Jaccard index of the leaves: values that are equal at the same path, divided by all. */
function sharedLeaves(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0;
  for (const leaf of one) if (other.has(leaf)) shared += 1;
  const all = one.size + other.size - shared;
  return all === 0 ? 1 : shared / all;
}

function leaves(value: Json, path = ""): Set<string> {
  if (typeof value !== "object" || value === null) return new Set([`${path}=${JSON.stringify(value)}`]);
  return new Set(Object.entries(value).flatMap(([key, below]) => [...leaves(below, `${path}.${key}`)]));
}
