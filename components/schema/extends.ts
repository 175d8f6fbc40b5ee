import { readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { SettingsIssue } from "./errors.ts";

/** Namespace of the settings in `Pulumi.STACK.yaml`: the project's name, as the engine has it. */
export const CONFIG_NAMESPACE = "eks-dns-logging";

/** A stack's own settings over those of the environment file that it names by `extends`. */
export interface Extended {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly issues: readonly SettingsIssue[];
}

/** What the key `extends` is, for the JSON Schema and the reference. */
export const EXTENDS_DESCRIPTION =
  "A YAML file of this project with settings such as `teams` at its top, which several stacks share: the stack's own go over it, key by key. Default: none.";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const ALLOWED =
  "a YAML file of this project with settings such as 'teams' at its top, for example environments/prod.yaml";

/**
 * Puts a stack's settings over its environment file's, so that the stacks of a fleet share what is the same.
 * Groups of keys are merged key by key; lists and single values of the stack replace those of the file.
 */
export function extend(own: Readonly<Record<string, unknown>>, folder: string = PROJECT): Extended {
  const { extends: file, ...settings } = own;
  if (file === undefined) return { settings, issues: [] };
  const base = typeof file === "string" ? readBase(file, folder) : undefined;
  if (base === undefined) return { settings, issues: [{ path: ["extends"], message: ALLOWED, value: file }] };
  return { settings: merge(base, settings), issues: [] };
}

function readBase(file: string, folder: string): Record<string, unknown> | undefined {
  const path = join(folder, file);
  if (isAbsolute(file) || relative(folder, path).startsWith("..")) return undefined;
  try {
    const base: unknown = parse(readFileSync(path, "utf8"), { merge: true });
    return isGroup(base) && !("extends" in base) ? base : undefined;
  } catch {
    return undefined;
  }
}

function merge(base: Record<string, unknown>, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = base[key];
    merged[key] = isGroup(below) && isGroup(value) ? merge(below, value) : value;
  }
  return merged;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
