import { isDeepStrictEqual } from "node:util";
import { diffArrays } from "diff";
import { stringify } from "yaml";
import { SECRET } from "../../policies/core/resource.ts";
import { isGroup, type Json, UNKNOWN_TEXT } from "./document.ts";

/** The location of a value in a resource. A step is a key, `[curl]` for a list's member of that name, or `[0]` if members have no names. */
export type FieldPath = readonly string[];

/** A value that differs. Without `before` it was added, without `after` removed. */
export interface FieldChange {
  readonly path: FieldPath;
  readonly before?: Json;
  readonly after?: Json;
}

/** A differing field for display: secrets are masked. A missing side means added or removed. */
export interface ShownField {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  /** Whether this change forces the resource's replacement. */
  readonly replaces: boolean;
}

/**
 * The differences between two values, as deep as both have the same structure. List members are matched by `name`, as Kubernetes merges
 * containers, ports and volumes; a mere reordering is one change of the list. Text that is JSON on both sides, such as an IAM policy, is
 * compared field by field.
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
  return [...keys].sort().flatMap((key) => changedFields(ownField(before, key), ownField(after, key), [...path, key]));
}

/** Reads an own property: a key such as `constructor` exists on every object. */
function ownField(group: Group, key: string): Json | undefined {
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

/** List members by name, or undefined if one has no name or two share one. */
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

/** A path in its usual notation: `spec.containers[curl].image`, `data["fluent-bit.yaml"]`. */
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

/** Paths of all leaf values. */
export function leafPaths(value: Json | undefined, path: FieldPath = []): FieldPath[] {
  if (value === undefined) return [];
  const below = childrenOf(value).flatMap(([step, child]) => leafPaths(child, [...path, step]));
  return below.length > 0 ? below : [path];
}

/** The members of a list or the fields of an object, with their step in a path. */
function childrenOf(value: Json): [step: string, child: Json][] {
  if (Array.isArray(value)) return value.map((member, index) => [`[${index}]`, member]);
  return isGroup(value) ? Object.entries(value) : [];
}

/** Longest value on one line; longer ones are cut. */
const LONGEST = 160;

/**
 * A changed field as lines with `-` and `+`: one per side for short values, else a line diff.
 * @param max Maximum number of lines; the rest is counted.
 */
export function fieldLines(field: ShownField, max: number): Line[] {
  const label = field.path || "(all)";
  const note = field.replaces ? "  # forces replacement" : "";
  if (field.before === SECRET && field.after === SECRET) {
    return [{ sign: " ", text: `${label}: ${SECRET}, value differs${note}` }];
  }
  const [before, after] = [linesOf(field.before), linesOf(field.after)];
  if (isShort(field.before) && isShort(field.after)) {
    return [...oneLine("-", label, before, note), ...oneLine("+", label, after, note)];
  }
  return [{ sign: " ", text: `${label}:${note}` }, ...bounded(shortened(diffLines(before, after), 1), max)];
}

function oneLine(sign: "-" | "+", label: string, lines: readonly string[], note: string): Line[] {
  return lines.map((text) => ({ sign, text: `${label}: ${cut(text)}${note}` }));
}

function bounded(lines: readonly Line[], max: number): Line[] {
  const shown = lines.slice(0, max).map(({ sign, text }): Line => ({ sign, text: `    ${cut(text)}` }));
  if (lines.length <= max) return shown;
  return [...shown, { sign: " ", text: `    … and ${lines.length - max} more lines` }];
}

function isShort(value: Json | undefined): boolean {
  if (typeof value === "string") return !value.includes("\n");
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

/** The lines of a value; an absent value has none. */
function linesOf(value: Json | undefined): string[] {
  if (value === undefined) return [];
  if (typeof value === "string") return isShort(value) ? [quoted(value)] : value.replace(/\n$/, "").split("\n");
  if (isShort(value)) return [JSON.stringify(value)];
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split("\n");
}

/** Quotes text unless it is a plain word, so that "5" differs from 5. */
function quoted(text: string): string {
  return text === SECRET || text === UNKNOWN_TEXT ? text : JSON.stringify(text);
}

function cut(text: string): string {
  // Control characters would corrupt the terminal or break the line.
  const plain = text.replaceAll(/\p{Cc}/gu, " ");
  return plain.length <= LONGEST ? plain : `${plain.slice(0, LONGEST)}… (${plain.length} characters)`;
}

/** A line of a diff: in both sides, only before, or only after. */
export interface Line {
  readonly sign: " " | "+" | "-";
  readonly text: string;
}

/** Maximum edit distance: beyond it, all lines of both sides are shown. */
const MAX_EDITS = 300;

/** The shortest edit script from one list of lines to another. */
export function diffLines(before: readonly string[], after: readonly string[]): Line[] {
  // No search if there is no common line, or if one side has too many more lines.
  const linesBefore = new Set(before);
  const isComparable =
    Math.abs(before.length - after.length) <= MAX_EDITS && after.some((line) => linesBefore.has(line));
  const changes = isComparable ? diffArrays([...before], [...after], { maxEditLength: MAX_EDITS }) : undefined;
  if (changes === undefined) return [...signed("-", before), ...signed("+", after)];
  return changes.flatMap(({ added, removed, value }) => signed(added ? "+" : removed ? "-" : " ", value));
}

function signed(sign: Line["sign"], lines: readonly string[]): Line[] {
  return lines.map((text) => ({ sign, text }));
}

/** The lines that differ, each with `context` lines around it; gaps become one line `…`. */
export function shortened(lines: readonly Line[], context: number): Line[] {
  const near = new Array<boolean>(lines.length).fill(false);
  lines.forEach(({ sign }, index) => {
    if (sign !== " ") near.fill(true, Math.max(0, index - context), index + context + 1);
  });
  return lines.flatMap((line, index): Line[] => {
    if (near[index]) return [line];
    return index === 0 || near[index - 1] ? [{ sign: " ", text: "…" }] : [];
  });
}
