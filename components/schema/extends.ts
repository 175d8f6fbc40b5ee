import { fileURLToPath } from "node:url";
import { readBaseFile } from "./base-file.ts";
import { formatPath, type SettingsIssue } from "./errors.ts";
import { isObject } from "./values.ts";

/** Old names of settings and their replacements, by section of the configuration. */
export type Renames = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A configuration with current setting names. */
export interface Renamed {
  readonly settings: Readonly<Record<string, unknown>>;
  /** A warning per old name; an error if both names are set. */
  readonly issues: readonly SettingsIssue[];
}

/**
 * Renames settings with old names, so that a stack's file still works after an upgrade.
 * `components/settings.ts` applies it to a stack's file and the file that it extends, before the schemas read them.
 * @param renames Old and new names by section: `{ logging: { carrier: "mode" } }`.
 */
export function renamed(given: Readonly<Record<string, unknown>>, renames: Renames): Renamed {
  const settings = { ...given };
  const issues: SettingsIssue[] = [];
  for (const [section, names] of Object.entries(renames)) {
    const value = settings[section];
    if (!isObject(value)) continue;
    const old = Object.keys(names).filter((name) => name in value);
    for (const name of old) {
      const current = names[name] ?? name;
      const path = [section, name];
      if (current in value)
        issues.push({ path: [section], message: `${name} is the old name of ${current}: set only one` });
      else issues.push({ path, message: `is deprecated, use ${formatPath([section, current])}`, severity: "warning" });
    }
    settings[section] = Object.fromEntries(
      // If both are set, keep the current name; this is an error anyway.
      Object.entries(value).flatMap(([key, inner]) => {
        const current = names[key];
        if (current === undefined) return [[key, inner]];
        return current in value ? [] : [[current, inner]];
      }),
    );
  }
  return { settings, issues };
}

/** Namespace of the settings in `Pulumi.STACK.yaml`: the project's name. */
export const CONFIG_NAMESPACE = "eks-dns-logging";

/** A stack's settings, merged over those of the file that it extends. */
export interface Extended {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly issues: readonly SettingsIssue[];
}

/** Description of the key `extends`, for the JSON Schema and the reference. */
export const EXTENDS_DESCRIPTION =
  "A YAML file in this project with settings shared by several stacks. The stack's settings are merged over it key by key.";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Merges a stack's settings over those of the file that it extends, so that the stacks of a fleet can share settings.
 * Objects are merged key by key; arrays and scalars of the stack replace those of the file.
 * @param renames Old setting names, which both files may use.
 * @param folder Folder that `extends` is relative to. Default: the project's.
 */
export function extend(
  own: Readonly<Record<string, unknown>>,
  renames: Renames = {},
  folder: string = PROJECT,
): Extended {
  const { extends: file, ...rest } = own;
  const { settings, issues } = renamed(rest, renames);
  if (file === undefined) return { settings, issues };
  const read = readBaseFile(file, folder);
  if ("problem" in read)
    return { settings, issues: [{ path: ["extends"], message: read.problem, value: file }, ...issues] };
  const base = renamed(read.settings, renames);
  return { settings: merge(base.settings, settings), issues: [...issues, ...base.issues] };
}

/**
 * Adds the extended file to each issue whose value comes from it, because users would search their stack's file.
 * @param own The stack's own settings, including `extends`.
 * @param settings The result of {@link extend}.
 */
export function withFiles(
  issues: readonly SettingsIssue[],
  own: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>>,
  renames: Renames = {},
): SettingsIssue[] {
  const { extends: file, ...rest } = own;
  if (typeof file !== "string") return [...issues];
  const given = renamed(rest, renames).settings;
  return issues.map((issue) => (!holds(given, issue.path) && holds(settings, issue.path) ? { ...issue, file } : issue));
}

function holds(settings: unknown, path: SettingsIssue["path"]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  if (Array.isArray(settings)) return typeof key === "number" && key in settings && holds(settings[key], rest);
  return isObject(settings) && typeof key === "string" && Object.hasOwn(settings, key) && holds(settings[key], rest);
}

function merge(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = base[key];
    merged[key] = isObject(below) && isObject(value) ? merge(below, value) : value;
  }
  return merged;
}
