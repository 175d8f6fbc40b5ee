import { z } from "zod";
import { errorMap, issuesOf, relatedKeys, type SettingsIssue } from "./errors.ts";
import { isObject } from "./values.ts";

type Path = readonly PropertyKey[];

/** The valid part of a section of the settings. */
export interface ValidPart<T> {
  readonly value: T;
  /** Paths of settings left out because their issues are already reported. */
  readonly without: readonly Path[];
  /** Further issues of the schema, which checks settings against each other only if both are valid. */
  readonly issues: readonly SettingsIssue[];
}

/** How to divide a section. */
interface Division {
  /** Keys that the others depend on: if one of these is invalid, the others are not checked. */
  readonly essential: readonly string[];
  /** Objects with keys that are left out one by one, because the default of one contradicts no other. Default: only the section. */
  readonly divided?: readonly Path[];
}

/** Keeps the valid settings of a section, so that an issue in one does not hide conflicts between the others. */
export function validPart<T>(
  schema: z.ZodType<T>,
  given: unknown,
  { essential, divided = [] }: Division,
): ValidPart<T> | undefined {
  const without: Path[] = [];
  const issues: SettingsIssue[] = [];
  let rest = given;
  let parsed = schema.safeParse(rest, { error: errorMap });
  while (!parsed.success) {
    const found = parsed.error.issues;
    const further = found.filter((issue) => pathsOf(issue).every((path) => !isWithout(without, path)));
    if (without.length > 0) issues.push(...issuesOf(new z.ZodError(further), rest, []));
    const now: Path[] = [];
    for (const issue of found) {
      const paths = pathsOf(issue);
      if (paths.some((path) => now.some((unit) => startsWith(path, unit)))) continue;
      const units = paths.map((path) => unitOf(path, rest, divided)).filter((unit) => unit.length > 0);
      if (units.length === 0 || units.some((unit) => unit.length === 1 && essential.includes(String(unit[0]))))
        return undefined;
      rest = units.reduce(omit, rest);
      now.push(...units);
    }
    without.push(...now);
    parsed = schema.safeParse(rest, { error: errorMap });
  }
  return { value: parsed.data, without, issues };
}

/** Whether a setting is among those left out, is below one of them, or has one of them. */
export function isWithout(without: readonly Path[], path: Path): boolean {
  return without.some((left) => path.length > 0 && (startsWith(path, left) || startsWith(left, path)));
}

function startsWith(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((key, index) => key === path[index]);
}

/** Paths of the settings that an issue is about. */
function pathsOf(issue: z.core.$ZodIssue): Path[] {
  const keys = issue.code === "unrecognized_keys" ? issue.keys : relatedKeys(issue);
  return keys === undefined ? [issue.path] : keys.map((key) => [...issue.path, key]);
}

/** The smallest part of the section that has a path and can be left out; empty if there is none. */
function unitOf(path: Path, section: unknown, divided: readonly Path[]): Path {
  const isDivided = (part: Path) => divided.some((one) => one.length === part.length && startsWith(part, one));
  const starts = path.map((_, index) => path.slice(0, index + 1));
  const unit = starts.find((start) => !isDivided(start)) ?? path;
  return starts.findLast((start) => start.length <= unit.length && isSet(section, start)) ?? [];
}

function isSet(section: unknown, [key = "", ...below]: Path): boolean {
  if (!isObject(section) || !Object.hasOwn(section, key)) return false;
  return below.length === 0 || isSet(Reflect.get(section, key), below);
}

function omit(section: unknown, [key, ...below]: Path): unknown {
  if (!isObject(section)) return section;
  return Object.fromEntries(
    Object.entries(section).flatMap(([name, value]) => {
      if (name !== key) return [[name, value]];
      return below.length === 0 ? [] : [[name, omit(value, below)]];
    }),
  );
}
