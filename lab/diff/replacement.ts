import { outsideName, type PlanDocument, type PlannedResourceDocument, UNKNOWN_TEXT, valueAt } from "./document.ts";
import { changedFields, type FieldChange, type FieldPath, isMember, leafPaths, pathText } from "./fields.ts";
import type { Pair } from "./pairs.ts";
import { ID_SOURCES, KUBERNETES_IDENTITY, PROVIDER_IDENTITY, REPLACING_FIELDS } from "./replacement-table.ts";

/** Fields of a resource that cannot be changed in place, as the settings of its provider have it. */
function replacingFields(resource: PlannedResourceDocument, plan: PlanDocument): string[] {
  const fields = [...(REPLACING_FIELDS[resource.type] ?? [])];
  if (resource.type === "pulumi:providers:kubernetes") {
    // With an identity of its own on both sides the provider ignores the kubeconfig, and adding one replaces nothing.
    return valueAt(resource.inputs, PROVIDER_IDENTITY.pinned) === undefined
      ? [...PROVIDER_IDENTITY.fromKubeconfig]
      : [PROVIDER_IDENTITY.pinned];
  }
  if (!resource.type.startsWith("kubernetes:")) return fields;
  fields.push(...KUBERNETES_IDENTITY);
  const provider = plan.resources.find((other) => other.urn === providerUrn(resource));
  const mutable = (setting: string) =>
    String(provider?.inputs[setting]) === "true" && valueAt(resource.inputs, "immutable") !== true;
  if (resource.type === "kubernetes:core/v1:ConfigMap" && !mutable("enableConfigMapMutable"))
    fields.push("data", "binaryData");
  if (resource.type === "kubernetes:core/v1:Secret") {
    fields.push("type", ...(mutable("enableSecretMutable") ? [] : ["data", "stringData"]));
  }
  return fields;
}

/** URN of a resource's provider, without the id that differs in each plan. Empty for the default one. */
export function providerUrn(resource: PlannedResourceDocument): string {
  const end = resource.provider.lastIndexOf("::");
  return end < 0 ? "" : resource.provider.slice(0, end);
}

/** Whether a change touches one of the fields: the field itself, something below it, or a group that holds it. */
function touches(change: FieldChange, fields: readonly string[]): boolean {
  return leavesOf(change).some((leaf) => fields.some((field) => startsWith(leaf, field)));
}

/** Whether a change is in these fields only. */
function isWithin(change: FieldChange, fields: readonly string[]): boolean {
  return leavesOf(change).every((leaf) => fields.some((field) => startsWith(leaf, field)));
}

function leavesOf({ path, before, after }: FieldChange): FieldPath[] {
  return [...leafPaths(before, path), ...leafPaths(after, path)];
}

/** `*` stands for any key, `[*]` for each member of a list. */
function startsWith(path: FieldPath, field: string): boolean {
  return field.split(/\.|(?=\[)/).every((step, index) => {
    const actual = path[index];
    return actual !== undefined && (actual === step || step === "*" || (step === "[*]" && isMember(actual)));
  });
}

/**
 * The fields that get another id because the resource that the id comes from is replaced: they are unknown on both sides, so that
 * the plans alone look the same.
 * @param replaced types of the replaced resources that this one depends on.
 */
function fieldsWithNewIds(
  resource: PlannedResourceDocument,
  fields: readonly string[],
  replaced: ReadonlySet<string>,
): string[] {
  return fields.filter((field) => {
    const source = ID_SOURCES[field];
    return source !== undefined && replaced.has(source) && holdsUnknown(valueAt(resource.inputs, ...field.split(".")));
  });
}

function holdsUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return value === UNKNOWN_TEXT;
}

/** A pair with what differs between its sides. */
export interface ComparedPair extends Pair {
  /** Inputs that differ, but for those in ignoreChanges. */
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
  const paths = forcing.length === 0 ? [] : [`${fields} cannot be changed in place`];
  if (!renamed) return paths;
  const names = `its Pulumi name changes: ${before.name} → ${after.name}`;
  const same = outsideName(before) === outsideName(after) && outsideName(after) !== after.name;
  return [same ? `${names}; an alias would prevent this` : names, ...paths];
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
  return fieldsWithNewIds(after, fixed, types).map((field) => `${field} changes, since its source is replaced`);
}

/** Whether a replaced provider replaces what it made: one under another name with the same identity takes it over. */
export function takesAlong({ renamed, forcing }: ComparedPair): boolean {
  return !renamed || forcing.length > 0;
}
