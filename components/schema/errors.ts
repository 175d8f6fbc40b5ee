// Of the SDK only this, which it exports too: the commands that read settings and make no resources start in half the time.
import { RunError } from "@pulumi/pulumi/errors.js";
import { z } from "zod";

/** One issue in the stack configuration. */
export interface SettingsIssue {
  /** Keys and indices from the top: `["teams", 0, "name"]`. */
  readonly path: readonly PropertyKey[];
  /** What would be right, in words. */
  readonly message: string;
  /** What was found instead; left out where nothing was. */
  readonly value?: unknown;
}

/**
 * Every issue of a stack's configuration in one error. A RunError, which the engine prints without a stack trace.
 */
export class SettingsError extends RunError {
  readonly issues: readonly SettingsIssue[];

  constructor(issues: readonly SettingsIssue[]) {
    const count = issues.length === 1 ? "1 setting is wrong" : `${issues.length} settings are wrong`;
    super(`${count}; nothing was changed\n${issues.map(describe).join("\n")}`);
    this.name = "SettingsError";
    this.issues = issues;
  }
}

function describe(issue: SettingsIssue): string {
  const found = issue.value === undefined ? "not set" : `found ${foundAt(issue.path, issue.value)}`;
  return `  ${formatPath(issue.path)}: ${found}; allowed: ${issue.message}`;
}

const CONFIDENTIAL = /passw(or)?d$|token$|secret$/i;

/** A password where none belongs is an issue that need not be in every log as well. */
function foundAt(path: readonly PropertyKey[], value: unknown): string {
  const shown = (key: string, inner: unknown) => (CONFIDENTIAL.test(key) ? "(not shown)" : inner);
  const text = JSON.stringify(shown(String(path.at(-1)), value), shown).replaceAll(/(:\/\/)[^/@"\s]*@/g, "$1…@");
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** `["teams", 0, "peers", 1]` as `teams[0].peers[1]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      const name = String(key);
      if (!/^[\w:-]+$/.test(name)) return `["${name}"]`;
      return index === 0 ? name : `.${name}`;
    })
    .join("");
}

/** The issues that a schema found in `raw`, which stands at `path`. An unknown key is one issue each. */
export function issuesOf(error: z.ZodError, raw: unknown, path: readonly PropertyKey[]): SettingsIssue[] {
  return error.issues.flatMap((issue): SettingsIssue[] => {
    const at = [...path, ...issue.path];
    // Here the key is what is wrong, whatever stands under it.
    if (issue.code === "invalid_key") return [{ path: at, message: `as a key ${issue.message}`, value: at.at(-1) }];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: [...at, key],
        message: issue.message,
        value: valueAt(raw, [...issue.path, key]),
      }));
    }
    return [{ path: at, message: issue.message, value: valueAt(raw, issue.path) }];
  });
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/**
 * Says what is allowed where a schema has no words of its own for it; a schema's own message wins over this.
 * @see https://zod.dev/error-customization
 */
export const allowed: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return `${TYPE_NAMES[issue.expected] ?? issue.expected}${contentsOf(issue.inst)}`;
    case "invalid_value":
      return `${issue.values.map(String).join(", ")}${unquoted(issue.input, issue.values)}`;
    case "too_small":
      return `${sizeOf(issue.origin)} at least ${issue.minimum}`;
    case "too_big":
      return `${sizeOf(issue.origin)} at most ${issue.maximum}`;
    case "unrecognized_keys":
      return issue.inst instanceof z.ZodObject ? `the keys ${Object.keys(issue.inst.shape).join(", ")}` : "no such key";
    case "invalid_union":
      return Array.isArray(issue.options) ? issue.options.map(String).join(", ") : "another kind of value";
    case "invalid_key":
      return issue.issues.map((inner) => inner.message).join(" and ");
    default:
      return undefined;
  }
};

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "text in quotes",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
};

/** The keys that a group has, which a person who wrote something else there wants to know. */
function contentsOf(schema: unknown): string {
  if (schema instanceof z.ZodDiscriminatedUnion) return ` with ${schema.def.discriminator}: ${kindsOf(schema)}`;
  if (schema instanceof z.ZodObject) return `: ${Object.keys(schema.shape).join(", ")}`;
  return "";
}

function kindsOf(schema: z.ZodDiscriminatedUnion): string {
  const kinds = schema.options.flatMap((option) => {
    const kind = option instanceof z.ZodObject ? option.shape[schema.def.discriminator] : undefined;
    return kind instanceof z.ZodLiteral ? [...kind.values] : [];
  });
  return kinds.join(", ");
}

/** YAML takes 1.35 for a number, where only "1.35" is allowed. */
function unquoted(input: unknown, values: readonly unknown[]): string {
  return typeof input !== "string" && values.includes(String(input)) ? ", in quotes" : "";
}

function sizeOf(origin: string): string {
  if (origin === "string") return "text whose length is";
  if (origin === "array") return "a list whose length is";
  return "a number of";
}
