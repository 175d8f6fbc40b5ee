import { type Group, Resource, type Value } from "../../../policies/core/resource.ts";
import { Stack } from "../../../policies/core/stack.ts";

/** A resource of a test; `waitsFor` names others of the same sample. */
export interface SampleResource {
  readonly type: string;
  readonly name: string;
  readonly props: Group;
  readonly waitsFor?: readonly string[];
  readonly secrets?: readonly string[];
  readonly provider?: Group;
  readonly stackTags?: Group;
  /** Type of the component that it is part of. Default: none. */
  readonly parent?: string;
}

/** The stack that a rule judges. */
export type Sample = readonly SampleResource[];

function urnOf({ type, name, parent }: SampleResource): string {
  return `urn:pulumi:dev::test::${parent === undefined ? "" : `${parent}$`}${type}::${name}`;
}

export function stackOf(sample: Sample): Stack {
  const resources = sample.map((resource) => {
    const { waitsFor = [], parent: _, ...facts } = resource;
    const needed = waitsFor.length === 0 ? [] : sample.filter(({ name }) => waitsFor.includes(name));
    return new Resource({ ...facts, urn: urnOf(resource), dependencies: needed.map(urnOf) });
  });
  return new Stack(resources);
}

/** The value with one place in it set, or taken out by `undefined`. Paths are as in `spec.containers.0.image`. */
function changed(value: Group, path: string, to: Value | undefined): Group {
  const result = change(value, path.split("."), to);
  if (typeof result !== "object" || result === null || Array.isArray(result)) throw new Error(`${path} is no path`);
  return Object.fromEntries(Object.entries(result));
}

function change(value: Value | undefined, keys: readonly string[], to: Value | undefined): Value | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return to;
  if (Array.isArray(value)) {
    const items: (Value | undefined)[] = [...value];
    items[Number(key)] = change(items[Number(key)], rest, to);
    return items.filter((item) => item !== undefined);
  }
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const before = entries.find(([name]) => name === key)?.[1];
  const after = change(before, rest, to);
  const others = entries.filter(([name]) => name !== key);
  return Object.fromEntries(after === undefined ? others : [...others, [key, after]]);
}

/** Changes of the first resource of a sample. */
export function first(sample: Sample, path: string, to: Value | undefined): Sample {
  return sample.map((resource, index) =>
    index === 0 ? { ...resource, props: changed(resource.props, path, to) } : resource,
  );
}

/** Changes of the resource of that name. */
export function named(sample: Sample, name: string, path: string, to: Value | undefined): Sample {
  return sample.map((resource) =>
    resource.name === name ? { ...resource, props: changed(resource.props, path, to) } : resource,
  );
}

export function without(sample: Sample, ...names: readonly string[]): Sample {
  return sample.filter(({ name }) => !names.includes(name));
}
