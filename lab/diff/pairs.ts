import type { Json, PlannedResourceDocument } from "./document.ts";
import { isGroup } from "./document.ts";
import { outsideName } from "./replacement.ts";

/** One resource of each plan that are the same, or the one in the other's place. */
export interface Pair {
  readonly before: PlannedResourceDocument;
  readonly after: PlannedResourceDocument;
  /** Whether Pulumi knows them for two: their URNs differ. */
  readonly renamed: boolean;
}

export interface Pairing {
  readonly pairs: readonly Pair[];
  readonly deleted: readonly PlannedResourceDocument[];
  readonly added: readonly PlannedResourceDocument[];
}

/**
 * Pairs the resources of two plans by URN, and what is left by likeness: of the same type below the same types of parents, the
 * most alike first.
 */
export function pairUp(base: readonly PlannedResourceDocument[], head: readonly PlannedResourceDocument[]): Pairing {
  const byUrn = new Map(base.map((resource) => [resource.urn, resource]));
  const pairs: Pair[] = [];
  const added: PlannedResourceDocument[] = [];
  for (const after of head) {
    const before = byUrn.get(after.urn);
    if (before === undefined) added.push(after);
    else pairs.push({ before, after, renamed: false });
    byUrn.delete(after.urn);
  }
  const renames = likeliest([...byUrn.values()], added);
  const gone = new Set(renames.map((pair) => pair.before));
  const come = new Set(renames.map((pair) => pair.after));
  return {
    pairs: [...pairs, ...renames],
    deleted: [...byUrn.values()].filter((resource) => !gone.has(resource)),
    added: added.filter((resource) => !come.has(resource)),
  };
}

/** Less alike than this, they are two things. */
const ALIKE = 0.5;

function likeliest(deleted: readonly PlannedResourceDocument[], added: readonly PlannedResourceDocument[]): Pair[] {
  const candidates = deleted.flatMap((before) =>
    added
      .filter((after) => qualifiedType(after.urn) === qualifiedType(before.urn))
      .map((after) => ({ before, after, score: likeness(before, after) })),
  );
  const taken = new Set<PlannedResourceDocument>();
  const pairs: Pair[] = [];
  for (const { before, after, score } of candidates.sort((one, other) => other.score - one.score)) {
    if (score < ALIKE || taken.has(before) || taken.has(after)) continue;
    taken.add(before).add(after);
    pairs.push({ before, after, renamed: true });
  }
  return pairs;
}

/** Types of the parents and of the resource, as `parent$child` in the URN. */
export function qualifiedType(urn: string): string {
  return urn.split("::")[2] ?? urn;
}

/** From 0 (nothing in common) to 1: half by the Pulumi names, half by the inputs. The same object outside is the same. */
function likeness(before: PlannedResourceDocument, after: PlannedResourceDocument): number {
  if (outsideName(before) === outsideName(after) && outsideName(before) !== before.name) return 1;
  return (sharedText(before.name, after.name) + sharedLeaves(before.inputs, after.inputs)) / 2;
}

/** How much of the longer name is the other's start or end. */
function sharedText(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length);
  const longer = Math.max(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  return longer === 0 ? 1 : (start + end) / longer;
}

/** Share of the values that both have in the same place. */
function sharedLeaves(one: Json, other: Json): number {
  const [left, right] = [leaves(one), leaves(other)];
  const all = new Set([...left, ...right]).size;
  return all === 0 ? 1 : (left.size + right.size - all) / all;
}

function leaves(value: Json, path = ""): Set<string> {
  const inner = Array.isArray(value) ? Object.entries(value) : isGroup(value) ? Object.entries(value) : undefined;
  if (inner === undefined) return new Set([`${path}=${JSON.stringify(value)}`]);
  return new Set(inner.flatMap(([key, below]) => [...leaves(below, `${path}.${key}`)]));
}
