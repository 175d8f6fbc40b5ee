// Of the SDK only this, which it exports too: the commands that read settings and make no resources start in half the time.
import { RunError } from "@pulumi/pulumi/errors.js";
import { z } from "zod";

/** One mistake in the stack configuration. */
export interface Mistake {
  /** Keys and indices from the top: `["teams", 0, "name"]`. */
  readonly path: readonly PropertyKey[];
  /** What would be right, in words. */
  readonly message: string;
  /** What was found instead; left out where nothing was. */
  readonly value?: unknown;
}

/**
 * Every mistake of a stack's configuration in one error. A RunError, which the engine prints without a stack trace.
 */
export class SettingsError extends RunError {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? "1 setting is wrong" : `${mistakes.length} settings are wrong`;
    super(`${count}; nothing was changed\n${mistakes.map(describe).join("\n")}`);
    this.name = "SettingsError";
    this.mistakes = mistakes;
  }
}

function describe(mistake: Mistake): string {
  const found = mistake.value === undefined ? "not set" : `found ${shorten(JSON.stringify(mistake.value))}`;
  return `  ${formatPath(mistake.path)}: ${found}; allowed: ${mistake.message}`;
}

function shorten(text: string): string {
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

/** The mistakes that a schema found in `raw`, which stands at `path`. An unknown key is one mistake each. */
export function mistakesOf(error: z.ZodError, raw: unknown, path: readonly PropertyKey[]): Mistake[] {
  return error.issues.flatMap((issue): Mistake[] => {
    const at = [...path, ...issue.path];
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
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.map(String).join(", ");
    case "too_small":
      return `${sizeOf(issue.origin)} from ${issue.minimum}`;
    case "too_big":
      return `${sizeOf(issue.origin)} up to ${issue.maximum}`;
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
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
};

function sizeOf(origin: string): string {
  if (origin === "string") return "text with a length";
  if (origin === "array") return "a list with a length";
  return "a number";
}
