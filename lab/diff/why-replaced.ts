import type { PlanDocument } from "./document.ts";
import { changedFields, type FieldChange, pathText } from "./fields.ts";
import type { Pair } from "./pairs.ts";
import { fieldsWithNewIds, isWithin, outsideName, providerUrn, replacingFields, touches } from "./replacement.ts";

/** A pair with what differs between its sides. */
export interface ComparedPair extends Pair {
  /** Inputs that differ, but for those that Pulumi is told to ignore. */
  readonly changes: readonly FieldChange[];
  /** Those of them that force a replacement. */
  readonly forcing: readonly FieldChange[];
  /** All fields that would force one. */
  readonly fixed: readonly string[];
}

export function comparePair(pair: Pair, base: PlanDocument, head: PlanDocument): ComparedPair {
  const { before, after, renamed } = pair;
  // What is made anew takes all its inputs.
  const ignored = renamed ? [] : after.ignoreChanges;
  const changes = changedFields(before.inputs, after.inputs).filter((change) => !isWithin(change, ignored));
  const then = new Set(replacingFields(before, base));
  // A provider's identity that only one side pins decides nothing.
  const fixed = replacingFields(after, head).filter((field) => !after.type.startsWith("pulumi:") || then.has(field));
  return { ...pair, changes, fixed, forcing: changes.filter((change) => touches(change, fixed)) };
}

/** Why each replaced pair is replaced, in words. What hangs on a replaced resource is replaced with it. */
export function whyReplaced(pairs: readonly ComparedPair[]): Map<ComparedPair, readonly string[]> {
  const reasons = new Map<ComparedPair, readonly string[]>();
  const add = (pair: ComparedPair, why: readonly string[]) => {
    if (why.length > 0) reasons.set(pair, why);
    return why.length > 0;
  };
  for (const pair of pairs) add(pair, ownReasons(pair));
  for (let settled = false; !settled; ) {
    const gone = [...reasons.keys()];
    const rest = pairs.filter((pair) => !reasons.has(pair));
    settled = rest.filter((pair) => add(pair, inheritedReasons(pair, gone))).length === 0;
  }
  return reasons;
}

function ownReasons({ before, after, renamed, forcing }: ComparedPair): string[] {
  const fields = shortList(forcing.map(({ path }) => pathText(path)));
  const paths = forcing.length === 0 ? [] : [`${fields} cannot be changed on it`];
  if (!renamed) return paths;
  const names = `its Pulumi name is another: ${before.name} → ${after.name}`;
  const same = outsideName(before) === outsideName(after) && outsideName(after) !== after.name;
  return [same ? `${names}; an alias would keep it` : names, ...paths];
}

/** The fields themselves are shown with what differs in them. */
function shortList(paths: readonly string[]): string {
  return paths.length <= 3 ? paths.join(", ") : `${paths.slice(0, 2).join(", ")} and ${paths.length - 2} more`;
}

function inheritedReasons({ after, fixed }: ComparedPair, gone: readonly ComparedPair[]): string[] {
  const provider = gone.find((pair) => pair.after.urn === providerUrn(after) && takesAlong(pair));
  if (provider !== undefined) return [`its provider ${provider.after.name} is replaced`];
  const sources = gone.filter((pair) => after.dependencies.includes(pair.after.urn));
  const types = new Set(sources.map((pair) => pair.after.type));
  return fieldsWithNewIds(after, fixed, types).map((field) => `${field} is another, as what it comes from is replaced`);
}

/** Whether a replaced provider replaces what it made: one under another name with the same identity takes it over. */
export function takesAlong({ renamed, forcing }: ComparedPair): boolean {
  return !renamed || forcing.length > 0;
}
