import type { Settings } from "../../components/settings.ts";

/** One stack of a fleet, planned. */
export interface PlannedStack {
  readonly stack: string;
  readonly settings: Settings;
  /** Registered resources, components included. */
  readonly resources: number;
}

/** A setting that is not the same on all stacks. */
export interface Difference {
  /** Path, such as `cluster.nodeGroups[0].maxSize`. */
  readonly setting: string;
  /** Values in the order of the stacks; undefined where a stack has no such setting. */
  readonly values: readonly (string | undefined)[];
}

/** The settings that differ between the stacks, defaults included, in the order of their paths. */
export function differences(stacks: readonly { readonly settings: object }[]): Difference[] {
  const flat = stacks.map((stack) => new Map(leaves(stack.settings, "")));
  const paths = [...new Set(flat.flatMap((each) => [...each.keys()]))].sort();
  return paths
    .map((setting) => ({ setting, values: flat.map((each) => each.get(setting)) }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** Single values with their paths. An entry of a list that has a name goes by it, so that another order is no difference. */
function leaves(value: unknown, path: string): [string, string][] {
  if (typeof value !== "object" || value === null) return value === undefined ? [] : [[path, String(value)]];
  if (Array.isArray(value)) {
    if (value.length === 0) return [[path, "none"]];
    return value.flatMap((item, index) => leaves(item, `${path}[${nameOf(item) ?? index}]`));
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null || !("name" in item)) return undefined;
  return typeof item.name === "string" ? item.name : undefined;
}
