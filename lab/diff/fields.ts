import { isDeepStrictEqual } from "node:util";
import { isGroup, type Json } from "./document.ts";

/**
 * Where a value is in a resource. A step is a key, `[curl]` for the list's member of that name, or `[0]` where members have no names.
 */
export type FieldPath = readonly string[];

/** A value that differs. An absent `before` was added, an absent `after` was removed. */
export interface FieldChange {
  readonly path: FieldPath;
  readonly before?: Json;
  readonly after?: Json;
}

/**
 * Where two values differ, each as deep as both sides have the same shape. Members of a list are matched by their `name`, as
 * Kubernetes itself merges containers, ports and volumes; another order of the same members is shown as one change of the list.
 * Text that is JSON on both sides, such as an IAM policy, is compared by its fields.
 */
export function changedFields(before: Json | undefined, after: Json | undefined, path: FieldPath = []): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const inner =
    isGroup(before) && isGroup(after) ? changedKeys(before, after, path) : changedInside(before, after, path);
  if (inner.length > 0) return inner;
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function changedInside(before: Json | undefined, after: Json | undefined, path: FieldPath): FieldChange[] {
  if (Array.isArray(before) && Array.isArray(after)) return changedMembers(before, after, path);
  if (typeof before !== "string" || typeof after !== "string") return [];
  const [old, current] = [parsedGroup(before), parsedGroup(after)];
  return old === undefined || current === undefined ? [] : changedKeys(old, current, path);
}

type Group = { readonly [key: string]: Json };

function changedKeys(before: Group, after: Group, path: FieldPath): FieldChange[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].sort().flatMap((key) => changedFields(own(before, key), own(after, key), [...path, key]));
}

/** A key such as `constructor` is only there where it was written. */
function own(group: Group, key: string): Json | undefined {
  return Object.hasOwn(group, key) ? group[key] : undefined;
}

function changedMembers(before: readonly Json[], after: readonly Json[], path: FieldPath): FieldChange[] {
  const [old, current] = [byName(before), byName(after)];
  if (old === undefined || current === undefined) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      changedFields(before[index], after[index], [...path, `[${index}]`]),
    );
  }
  const names = new Set([...old.keys(), ...current.keys()]);
  return [...names].flatMap((name) => changedFields(old.get(name), current.get(name), [...path, `[${name}]`]));
}

/** The members by their names, or undefined where one has none or two have the same. */
function byName(members: readonly Json[]): Map<string, Json> | undefined {
  const named = new Map<string, Json>();
  for (const member of members) {
    const name = isGroup(member) ? member.name : undefined;
    if (typeof name !== "string" || named.has(name)) return undefined;
    named.set(name, member);
  }
  return named;
}

function parsedGroup(text: string): Group | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const value: Json = JSON.parse(text);
    return isGroup(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A path as people write it: `spec.containers[curl].image`, `data["fluent-bit.yaml"]`. */
export function pathText(path: FieldPath): string {
  return path.reduce((text, step) => {
    if (isMember(step)) return `${text}${step}`;
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

export function isMember(step: string): boolean {
  return step.startsWith("[");
}

/** Paths of the values in a value that have nothing below them. */
export function leafPaths(value: Json | undefined, path: FieldPath = []): FieldPath[] {
  if (value === undefined) return [];
  const below = Array.isArray(value)
    ? value.flatMap((member, index) => leafPaths(member, [...path, `[${index}]`]))
    : isGroup(value)
      ? Object.entries(value).flatMap(([key, inner]) => leafPaths(inner, [...path, key]))
      : [];
  return below.length > 0 ? below : [path];
}
