import assert from "node:assert/strict";
import { type Planned, type Recording, UNKNOWN } from "../../lab/plan/recording.ts";

/** Changes a plan in one place. */
export type Mutation = (plan: Recording) => Recording;

/** Sets a field of a resource. Null takes it away. A path is written as `spec.containers[0].image`. */
export function set(resource: string, path: string, value: Planned): Mutation {
  return (plan) => ({ ...plan, resources: changed(plan, resource, (inputs) => at(inputs, keysOf(path), () => value)) });
}

/** Puts another text in the place of one that stands in a text field of a resource. */
export function replace(resource: string, path: string, from: string, to: string): Mutation {
  const edit = (text: Planned) => {
    assert.ok(typeof text === "string" && text.includes(from), `${resource}: ${path} has no ${JSON.stringify(from)}`);
    return text.replace(from, to);
  };
  return (plan) => ({ ...plan, resources: changed(plan, resource, (inputs) => at(inputs, keysOf(path), edit)) });
}

/** Takes a resource out. */
export function remove(resource: string): Mutation {
  return (plan) => {
    one(plan, resource);
    return { ...plan, resources: plan.resources.filter(({ name, custom }) => !(name === resource && custom)) };
  };
}

/** Sets an output that is not secret. */
export function output(name: string, value: Planned): Mutation {
  return (plan) => ({
    ...plan,
    outputs: { ...plan.outputs, [name]: value },
    secretOutputs: plan.secretOutputs.filter((secret) => secret !== name),
  });
}

type Inputs = { readonly [key: string]: Planned };
type Edit = (value: Planned) => Planned;

/** A resource by its name, or by `KIND NAME` where names are not enough. */
function one(plan: Recording, resource: string): Recording["resources"][number] {
  const [name = "", kind] = resource.split(" ").reverse();
  const found = plan.resources.filter(
    (planned) =>
      planned.name === name &&
      (kind === undefined ? Object.keys(planned.inputs).length > 0 : planned.type.endsWith(`:${kind}`)),
  );
  const [only] = found;
  assert.ok(only !== undefined && found.length === 1, `${found.length} resources ${resource}`);
  return only;
}

function changed(plan: Recording, resource: string, edit: (inputs: Inputs) => Planned): Recording["resources"] {
  const target = one(plan, resource);
  const inputs = edit(target.inputs);
  assert.ok(isInputs(inputs));
  return plan.resources.map((planned) => (planned === target ? { ...planned, inputs } : planned));
}

function keysOf(path: string): (string | number)[] {
  const parts = path.match(/\["[^"]+"\]|\[\d+\]|[^.[\]]+/g) ?? [];
  return parts.map((part) => {
    if (part.startsWith('["')) return part.slice(2, -2);
    return part.startsWith("[") ? Number(part.slice(1, -1)) : part;
  });
}

function at(value: Planned, [key, ...rest]: readonly (string | number)[], edit: Edit): Planned {
  if (key === undefined) return edit(value);
  if (typeof key === "number") {
    assert.ok(Array.isArray(value), `no list to look for [${key}] in`);
    const list: readonly Planned[] = value;
    return [...list.slice(0, key), at(list[key] ?? null, rest, edit), ...list.slice(key + 1)];
  }
  const group = isInputs(value) ? value : {};
  const inner = at(group[key] ?? null, rest, edit);
  const others = Object.fromEntries(Object.entries(group).filter(([name]) => name !== key));
  return inner === null ? others : { ...others, [key]: inner };
}

function isInputs(value: Planned | undefined): value is Inputs {
  return typeof value === "object" && value !== null && value !== UNKNOWN && !Array.isArray(value);
}
