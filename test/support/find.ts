import assert from "node:assert/strict";
import type { PlannedResource } from "../../lab/plan/recording.ts";

/** The one resource of that type and name; fails with what there is instead. */
export function find(resources: readonly PlannedResource[], type: string, name: string): PlannedResource {
  const found = resources.filter((resource) => resource.type === type && resource.name === name);
  const [only] = found;
  const there = resources.map((resource) => `${resource.type} ${resource.name}`).join("\n  ");
  assert.ok(only !== undefined && found.length === 1, `${found.length} resources ${type} ${name} among\n  ${there}`);
  return only;
}

/** The resources of a type, in the order of registration. */
export function ofType(resources: readonly PlannedResource[], type: string): PlannedResource[] {
  return resources.filter((resource) => resource.type === type);
}
