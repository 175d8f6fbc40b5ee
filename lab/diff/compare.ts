import { type Json, type PlanDocument, type PlannedResourceDocument, SECRET } from "./document.ts";
import { changedFields, type FieldChange, pathText } from "./fields.ts";
import { type Pair, pairUp } from "./pairs.ts";
import { comparePolicies, type PolicyComparison } from "./policies.ts";
import { fieldsWithNewIds, forcesReplacement, outsideName, providerUrn, replacingFields } from "./replacement.ts";
import { HOLDS } from "./replacement-table.ts";

/** A field that differs, ready to be shown: secrets are masked. An absent side was added or removed. */
export interface ShownField {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  /** Whether this change is why the resource is replaced. */
  readonly replaces: boolean;
}

/** What would happen to one resource. */
export interface ResourceChange {
  readonly kind: "added" | "changed" | "replaced" | "deleted";
  readonly type: string;
  /** Pulumi name: that of head, or of base where head has none. */
  readonly name: string;
  readonly urn: string;
  /** What it is called outside Pulumi, such as `ts-team/curl-ts`. */
  readonly outside: string;
  /** The one in whose place it comes, where that is called something else. */
  readonly previous?: { readonly name: string; readonly urn: string; readonly outside: string };
  readonly fields: readonly ShownField[];
  /** Why it is replaced, in words. */
  readonly reasons: readonly string[];
  /** What would be lost, for what holds more than its own settings. */
  readonly warning?: string;
}

/** Two plans of one stack compared. */
export interface StackComparison {
  readonly stack: string;
  readonly changes: readonly ResourceChange[];
  /** How many resources are the same in both plans. */
  readonly unchanged: number;
  readonly outputs: readonly ShownField[];
  /** Absent where head's plan ran no policies. */
  readonly policies?: PolicyComparison;
}

const ORDER: readonly ResourceChange["kind"][] = ["replaced", "deleted", "changed", "added"];

/** Compares two plans of a stack: what `pulumi up` of head would do where base stands. */
export function comparePlans(base: PlanDocument, head: PlanDocument): StackComparison {
  const { pairs, deleted, added } = pairUp(base.resources.filter(isShown), head.resources.filter(isShown));
  const reasons = whyReplaced(pairs, base, head);
  const changes = [
    ...pairs.map((pair) => changeOf(pair, reasons.get(pair) ?? [], fixedFields(pair, base, head))),
    ...deleted.map((resource) => lone("deleted", resource)),
    ...added.map((resource) => lone("added", resource)),
  ].filter((change) => change !== undefined);
  const policies = comparePolicies(base.policies, head.policies);
  return {
    stack: head.stack,
    changes: changes.toSorted(byKindAndName),
    unchanged: pairs.length - changes.filter(({ kind }) => kind === "changed" || kind === "replaced").length,
    outputs: changedFields(base.outputs, head.outputs).map((field) => shown(field, false, false)),
    ...(policies === undefined ? {} : { policies }),
  };
}

/** Components that only group are told by what is in them. */
function isShown(resource: PlannedResourceDocument): boolean {
  return resource.custom || Object.keys(resource.inputs).length > 0;
}

function byKindAndName(one: ResourceChange, other: ResourceChange): number {
  const kinds = ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind);
  const warned = Number(one.warning === undefined) - Number(other.warning === undefined);
  return kinds || warned || (one.urn < other.urn ? -1 : Number(one.urn > other.urn));
}

function fixedFields({ before, after }: Pair, base: PlanDocument, head: PlanDocument): string[] {
  const then = new Set(replacingFields(before, base));
  // A provider's identity that only one side pins decides nothing.
  return replacingFields(after, head).filter(
    (field) => after.type !== "pulumi:providers:kubernetes" || then.has(field),
  );
}

/** Why each replaced pair is replaced. What hangs on a replaced resource is replaced with it. */
function whyReplaced(pairs: readonly Pair[], base: PlanDocument, head: PlanDocument): Map<Pair, string[]> {
  const reasons = new Map(pairs.map((pair) => [pair, ownReasons(pair, fixedFields(pair, base, head))]));
  const replaced = (pair: Pair) => (reasons.get(pair)?.length ?? 0) > 0;
  for (let settled = false; !settled; ) {
    const gone = pairs.filter(replaced);
    const inherited = pairs
      .filter((pair) => !replaced(pair))
      .map((pair) => ({ pair, why: inheritedReasons(pair, gone, fixedFields(pair, base, head)) }))
      .filter(({ why }) => why.length > 0);
    for (const { pair, why } of inherited) reasons.set(pair, why);
    settled = inherited.length === 0;
  }
  return reasons;
}

function ownReasons(pair: Pair, fixed: readonly string[]): string[] {
  const { before, after, renamed } = pair;
  const fields = inputChanges(pair).filter((field) => forcesReplacement(field, fixed));
  const paths =
    fields.length === 0 ? [] : [`${fields.map(({ path }) => pathText(path)).join(", ")} cannot be changed on it`];
  if (!renamed) return paths;
  const names = `its Pulumi name is another: ${before.name} → ${after.name}`;
  const same = outsideName(before) === outsideName(after) && outsideName(after) !== after.name;
  return [same ? `${names}; an alias would keep it` : names, ...paths];
}

function inheritedReasons({ after }: Pair, gone: readonly Pair[], fixed: readonly string[]): string[] {
  // A provider under another name with the same identity takes over what the old one made.
  const provider = gone.find((pair) => pair.after.urn === providerUrn(after) && !pair.renamed);
  if (provider !== undefined) return [`its provider ${provider.after.name} is replaced`];
  const sources = gone.filter((pair) => after.dependencies.includes(pair.after.urn));
  const types = new Set(sources.map((pair) => pair.after.type));
  return fieldsWithNewIds(after, fixed, types).map((field) => `${field} is another, as what it comes from is replaced`);
}

function inputChanges({ before, after }: Pair): FieldChange[] {
  return changedFields(before.inputs, after.inputs);
}

/** Options that a reviewer should see change. */
function optionsOf(resource: PlannedResourceDocument) {
  const { protect, retainOnDelete, ignoreChanges } = resource;
  return { protect, retainOnDelete, ignoreChanges, provider: providerUrn(resource) };
}

function changeOf(pair: Pair, reasons: string[], fixed: readonly string[]): ResourceChange | undefined {
  const { before, after, renamed } = pair;
  const secret = secretKeys(before, after);
  const inputs = inputChanges(pair).map((field) =>
    shown(field, secret.has(field.path[0] ?? ""), forcesReplacement(field, fixed)),
  );
  const options = changedFields(optionsOf(before), optionsOf(after), ["options"]).map((field) =>
    shown(field, false, false),
  );
  const fields = [...inputs, ...options];
  const kind = reasons.length > 0 ? "replaced" : "changed";
  if (kind === "changed" && fields.length === 0) return undefined;
  const previous = { name: before.name, urn: before.urn, outside: outsideName(before) };
  const warning = kind === "replaced" ? lossOf(before, "replaced", after) : undefined;
  return {
    ...described(kind, after),
    ...(renamed || previous.outside !== outsideName(after) ? { previous } : {}),
    fields,
    reasons,
    ...(warning === undefined ? {} : { warning }),
  };
}

function lone(kind: "added" | "deleted", resource: PlannedResourceDocument): ResourceChange {
  const warning = kind === "deleted" ? lossOf(resource, "deleted") : undefined;
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

function lossOf(
  resource: PlannedResourceDocument,
  verb: "replaced" | "deleted",
  successor: PlannedResourceDocument = resource,
): string | undefined {
  const holds = HOLDS[resource.type];
  // A provider is nothing outside: it matters where it takes its resources along.
  if (holds === undefined || (verb === "deleted" && resource.type.startsWith("pulumi:providers:"))) return undefined;
  const [then, now] = [outsideName(resource), outsideName(successor)];
  const what = `${holds.noun} ${then} would be ${verb}${then === now ? "" : ` by ${now}`}`;
  if (resource.protect) return `${what}, which Pulumi refuses as long as it is protected`;
  if (resource.retainOnDelete) return `${what} in the stack; the old one stays and has to be taken care of by hand`;
  return `${what}: ${holds.loss}`;
}

function secretKeys(...sides: readonly PlannedResourceDocument[]): Set<string> {
  const marked = sides.flatMap(({ secrets }) => secrets.map((path) => path.split(/[.[]/)[0] ?? ""));
  const isSecret = sides.some(({ type }) => type === "kubernetes:core/v1:Secret");
  return new Set([...marked, ...(isSecret ? ["data", "stringData"] : [])]);
}

function shown({ path, before, after }: FieldChange, secret: boolean, replaces: boolean): ShownField {
  return {
    path: pathText(path),
    ...(before === undefined ? {} : { before: secret ? SECRET : before }),
    ...(after === undefined ? {} : { after: secret ? SECRET : after }),
    replaces,
  };
}
