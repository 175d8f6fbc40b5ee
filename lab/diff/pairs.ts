import type { Json, PlannedResourceDocument } from "./document.ts";
import { outsideName } from "./document.ts";

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
