import { readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { SettingsIssue } from "./errors.ts";
import { type Renames, renamed } from "./renamed.ts";
import { isObject } from "./values.ts";

/** Namespace of the settings in `Pulumi.STACK.yaml`: the project's name, as the engine has it. */
export const CONFIG_NAMESPACE = "eks-dns-logging";

/** A stack's own settings over those of the file that it extends. */
export interface Extended {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly issues: readonly SettingsIssue[];
}

/** What the key `extends` is, for the JSON Schema and the reference. */
export const EXTENDS_DESCRIPTION =
  "A YAML file of this project with settings such as `teams` at its top, which several stacks share: the stack's own go over it, key by key. Default: none.";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const MESSAGE =
  "must be a YAML file of this project with settings such as 'teams' at its top level, for example environments/prod.yaml";

/**
 * Merges a stack's settings over those of the file that it extends, so that the stacks of a fleet share what is the same.
 * Objects are merged key by key; arrays and single values of the stack replace those of the file.
 * @param renames Old names of settings, which both files may use.
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
  const read = typeof file === "string" ? readBase(file, folder) : undefined;
  if (read === undefined)
    return { settings, issues: [{ path: ["extends"], message: MESSAGE, value: file }, ...issues] };
  const base = renamed(read, renames);
  return { settings: merge(base.settings, settings), issues: [...issues, ...base.issues] };
}

function readBase(file: string, folder: string): Record<string, unknown> | undefined {
  const path = join(folder, file);
  if (isAbsolute(file) || relative(folder, path).startsWith("..")) return undefined;
  try {
    const base: unknown = parse(readFileSync(path, "utf8"), { merge: true });
    return isObject(base) && !("extends" in base) ? base : undefined;
  } catch {
    return undefined;
  }
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
