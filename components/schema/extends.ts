import { readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Document, parseDocument, type YAMLParseError } from "yaml";
import { formatPath, type SettingsIssue } from "./errors.ts";
import { otherThanFile } from "./file-kind.ts";
import { isCircular, isEncrypted, isObject, isYamlError } from "./values.ts";

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
        const current = Object.hasOwn(names, key) ? names[key] : undefined;
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
  stackSettings: Readonly<Record<string, unknown>>,
  renames: Renames = {},
  folder: string = PROJECT,
): Extended {
  const { extends: file, ...rest } = stackSettings;
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
 * @param stackSettings The stack's own settings, including `extends`.
 * @param settings The result of {@link extend}.
 */
export function withFiles(
  issues: readonly SettingsIssue[],
  stackSettings: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>>,
  renames: Renames = {},
): SettingsIssue[] {
  const { extends: file, ...rest } = stackSettings;
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

/** The settings of a file that stacks extend, or why it cannot be extended, as the end of a sentence. */
export type BaseFile = { readonly settings: Readonly<Record<string, unknown>> } | { readonly problem: string };

const EXAMPLE = "such as environments/prod.yaml";
const AT_ITS_TOP = "must be a YAML file with settings such as 'teams' at its top level";

/** Reads the file named by `extends`, relative to a folder. */
export function readBaseFile(file: unknown, folder: string): BaseFile {
  if (typeof file !== "string" || file === "")
    return { problem: `must be the path of a YAML file of this project, ${EXAMPLE}` };
  if (isAbsolute(file)) return { problem: `must be a path relative to the project's folder, ${EXAMPLE}` };
  const path = join(folder, file);
  if (relative(folder, path).split(/[/\\]/)[0] === "..")
    return { problem: `must be a file within the project's folder, ${EXAMPLE}` };
  const text = textOf(path);
  return typeof text === "string" ? settingsIn(text, isSamePath(path, folder)) : text;
}

/** Returns a test for paths that name the same file, relative to a folder. */
function isSamePath(path: string, folder: string): (other: unknown) => boolean {
  return (other) => typeof other === "string" && join(folder, other) === path;
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "must be a file that exists, relative to the project's folder",
  ENOTDIR: "must be a file that exists, relative to the project's folder",
};

function textOf(path: string): string | { readonly problem: string } {
  const kind = otherThanFile(path);
  if (kind !== undefined) return { problem: `must be a YAML file, but is ${kind}: name a file, ${EXAMPLE}` };
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { problem: UNREADABLE[code] ?? `must be readable (${code})` };
  }
}

function settingsIn(text: string, isItself: (other: unknown) => boolean): BaseFile {
  const document = parseDocument(text, { merge: true, logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) return { problem: invalid(error) };
  const content = contentOf(document);
  if (isYamlError(content)) return { problem: `must be valid YAML: ${content.message}` };
  if (isCircular(content)) return { problem: "must be valid YAML: an alias is inside its own anchor" };
  if (!isObject(content)) return { problem: `${AT_ITS_TOP}, but ${contentInWords(content)}` };
  if ("extends" in content)
    return {
      problem: isItself(content.extends)
        ? "must be a file without 'extends', but extends itself"
        : "must be a file without 'extends', since only a stack's file extends another",
    };
  if ("config" in content) return { problem: `${AT_ITS_TOP}, not below 'config' as in a stack's file` };
  const named = Object.keys(content).find((key) => key.includes(":"));
  if (named !== undefined)
    return { problem: `${AT_ITS_TOP}: write '${named.slice(named.indexOf(":") + 1)}' instead of '${named}'` };
  const secret = placeOfSecret(content);
  if (secret !== undefined)
    return {
      problem: `must hold no encrypted values, since Pulumi only decrypts those in a stack's file: move ${formatPath(secret)} there`,
    };
  return { settings: content };
}

function invalid(error: YAMLParseError): string {
  return error.code === "MULTIPLE_DOCS"
    ? "must hold one YAML document, but holds several"
    : `must be valid YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`;
}

function contentOf(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (isYamlError(error)) return error;
    throw error;
  }
}

function contentInWords(content: unknown): string {
  if (content === null || content === undefined) return "is empty";
  return `holds ${Array.isArray(content) ? "a list" : "a single value"}`;
}

/** Values that the CLI encrypts, with a passphrase or a key service; `{ secure: "yes" }` may be a label. */
const CIPHERTEXT = /^v1:|^[A-Za-z0-9+/]{24,}={0,2}$/;

/** Path of a value that the CLI has encrypted; undefined if there is none. */
function placeOfSecret(
  value: unknown,
  path: readonly (string | number)[] = [],
): readonly (string | number)[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isEncrypted(value) && CIPHERTEXT.test(value.secure)) return path;
  for (const [key, inner] of Object.entries(value)) {
    const place = placeOfSecret(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    if (place !== undefined) return place;
  }
  return undefined;
}
