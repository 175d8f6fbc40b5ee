// Imports only this part of the SDK, which halves the start time of commands that only read settings.
import { RunError } from "@pulumi/pulumi/errors.js";
import { shortened, shortenedClause } from "eks-dns-logging-corefile/finding";
import { z } from "zod";

/** One issue in the stack configuration. */
export interface SettingsIssue {
  /** Keys and indices from the top: `["teams", 0, "name"]`. */
  readonly path: readonly PropertyKey[];
  /**
   * The requirement, as the end of a sentence that starts with the path: `must be an integer from 1`. A relation between several keys has
   * the path of their common object and names them: `replicas and autoscaling are mutually exclusive`.
   */
  readonly message: string;
  /** The value found, appended to the text. Absent if there is none, or if the message contains it. */
  readonly value?: unknown;
  /** Whether a required value is not set: the message says so too, but code must not read messages. @default false */
  readonly isMissing?: true;
  /** The file that the stack extends, if only that file has the value. */
  readonly file?: string;
  /**
   * An `error` stops the program before anything is registered. A `warning` about an ineffective setting or a deprecated name is only
   * reported.
   * @default "error"
   */
  readonly severity?: "error" | "warning";
}

/** All errors of a stack's configuration. The engine prints a RunError without a stack trace. */
export class SettingsError extends RunError {
  readonly issues: readonly SettingsIssue[];
  /** Each error as one sentence. */
  readonly sentences: readonly string[];

  constructor(issues: readonly SettingsIssue[], subject: "configuration" | "arguments" = "configuration") {
    const count = issues.length === 1 ? "1 error" : `${issues.length} errors`;
    const unchanged = subject === "configuration" ? ", nothing was changed" : "";
    const sentences = issues.map(formatIssue);
    super(`Invalid ${subject} (${count})${unchanged}\n${sentences.map((sentence) => `  ${sentence}`).join("\n")}`);
    this.name = "SettingsError";
    this.issues = issues;
    this.sentences = sentences;
  }
}

/** All errors of a component's arguments. Unlike with SettingsError, the program may already have registered other resources. */
export class ArgumentsError extends SettingsError {
  constructor(issues: readonly SettingsIssue[]) {
    super(issues, "arguments");
  }
}

/** Placeholder for a value that is encrypted in the stack's file and only readable by the engine. */
export const ENCRYPTED = "(encrypted)";

/** An issue as one sentence: `cluster.version: must be one of 1.34, 1.35, 1.36 (found "1.29")`. */
export function formatIssue({ path, message: whole, value, file }: SettingsIssue): string {
  const message = shortenedClause(whole, MAX_MESSAGE);
  if (value === ENCRYPTED) return `${formatPath(path)}: ${message} (found an encrypted value, which only Pulumi reads)`;
  const found = value === undefined ? [] : [`found ${foundAt(path, value)}`];
  const place = [...found, ...(file === undefined ? [] : [`in ${file}`])].join(" ");
  return `${formatPath(path)}: ${message}${place === "" ? "" : ` (${place})`}`;
}

/** Most characters of a message. Lists of keys and of choices need less. */
const MAX_MESSAGE = 2000;

const CONFIDENTIAL = /passw(or)?d$|token$|secret$|^headers$/i;

/** Name and value of a password, key or token in a URL's query. */
export const CREDENTIAL_IN_QUERY =
  /(?<=[?&])([\w.-]*(?:token|secret|signature|passw(?:or)?d|passphrase|(?:api|access|auth|license|private|shared|account|ingest(?:ion)?)[_-]?key)=)[^&#"\s]+/gi;

/** Shows the found value, without credentials: a password in the wrong setting must not reach a log. */
function foundAt(path: readonly PropertyKey[], value: unknown): string {
  const shown = (key: string, inner: unknown) => (CONFIDENTIAL.test(key) ? "(not shown)" : inner);
  const inHeaders = path.includes("headers") ? "headers" : String(path.at(-1));
  const text = jsonOrType(shown(inHeaders, value), shown)
    .replaceAll(/(:\/\/)[^/@"\s]*@/g, "$1…@")
    .replaceAll(CREDENTIAL_IN_QUERY, "$1…");
  return shortened(text);
}

/** JSON of a value; its type if it has none, as a function, a bigint, or a resource that refers to itself. */
function jsonOrType(value: unknown, shown: (key: string, inner: unknown) => unknown): string {
  if (Number.isNaN(value)) return "NaN";
  try {
    const json: string | undefined = JSON.stringify(value, shown);
    if (json !== undefined) return json;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Formats `["teams", 0, "peers", 1]` as `teams[0].peers[1]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      const name = String(key);
      if (!/^[\w:-]+$/.test(name)) return `["${shortened(name)}"]`;
      return index === 0 ? shortened(name) : `.${shortened(name)}`;
    })
    .join("");
}

/** Converts a schema's issues with `raw`, the value at `path`. Each unknown key becomes an issue of its own. */
export function issuesOf(error: z.ZodError, raw: unknown, path: readonly PropertyKey[]): SettingsIssue[] {
  const outputs = new Set<string>();
  return error.issues.flatMap((issue): SettingsIssue[] => {
    const output = outputAt(raw, issue.path);
    if (output !== undefined) {
      const place = JSON.stringify(output.map(String));
      if (outputs.has(place)) return [];
      outputs.add(place);
      return [{ path: [...path, ...output], message: "must be a plain value, not an output" }];
    }
    const fullPath = [...path, ...issue.path];
    if (issue.code === "invalid_key") return [{ path: fullPath, message: `key ${issue.message}` }];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path: [...fullPath, key], message: issue.message }));
    }
    if (relatedKeys(issue) !== undefined) return [{ path: fullPath, message: issue.message }];
    const value = valueAt(raw, issue.path);
    if (value === undefined && issue.code !== "custom")
      return [{ path: fullPath, message: `${issue.message}, but is not set`, isMissing: true }];
    return [{ path: fullPath, message: issue.message, value }];
  });
}

/**
 * Parses a component's arguments, and adds defaults, with the schema of the corresponding settings.
 * @param name Name of the component, which starts the messages; with a dot and an argument for a part of them.
 * @throws {ArgumentsError} with every error in them.
 */
export function parseArgs<S extends z.ZodType>(name: string, schema: S, given: unknown): z.output<S> {
  const parsed = schema.safeParse(given, { error: errorMap });
  if (!parsed.success) {
    throw new ArgumentsError(issuesOf(parsed.error, given, argumentPath(name)));
  }
  return parsed.data;
}

/** The path that a component's name starts, with an argument after a dot: `shop.limits`. */
export function argumentPath(name: string): PropertyKey[] {
  return name.split(".").map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

/** @throws {ArgumentsError} if an issue is not just a warning. */
export function throwErrors(name: string, issues: readonly SettingsIssue[]): void {
  const errors = issues.filter(({ severity }) => severity !== "warning");
  if (errors.length > 0) throw new ArgumentsError(errors.map((issue) => ({ ...issue, path: [name, ...issue.path] })));
}

/**
 * Adds an issue about several keys of an object, which names them and shows no value.
 * @param keys Keys of the refined object.
 * @param message A full sentence, such as `minReplicas (5) must not exceed maxReplicas (4)`.
 * @param path The object with the keys, relative to the refined one. Default: that one.
 */
export function relation(
  context: z.RefinementCtx,
  keys: readonly string[],
  message: string,
  path: readonly PropertyKey[] = [],
): void {
  context.addIssue({ code: "custom", path: [...path], message, params: { keys: [...keys] } });
}

/** The keys of a {@link relation}; undefined for other issues. */
export function relatedKeys(issue: z.core.$ZodIssue): readonly string[] | undefined {
  const keys: unknown = issue.code === "custom" ? issue.params?.keys : undefined;
  return Array.isArray(keys) ? keys.map(String) : undefined;
}

/** The beginning of a path at which a component's argument is an output or a promise; undefined if there is none. */
function outputAt(raw: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] | undefined {
  const length = Array.from({ length: path.length + 1 }, (_, count) => count).find((count) => {
    const value = valueAt(raw, path.slice(0, count));
    if (typeof value !== "object" || value === null) return false;
    // Pulumi marks its outputs by this field, also those of another copy of the SDK.
    return value instanceof Promise || Reflect.get(value, "__pulumiOutput") === true;
  });
  return length === undefined ? undefined : path.slice(0, length);
}

/** The value at a path; undefined if there is none. */
export function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/**
 * The message for a schema without its own.
 * @see https://zod.dev/error-customization
 */
export const errorMap: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${typeRequirement(issue)}`;
    case "invalid_value":
      return `must be ${unquoted(issue.input, issue.values)}${oneOf(issue.values)}`;
    case "too_small":
      return sizeMessage(issue.origin, "at least", issue.minimum);
    case "too_big":
      return sizeMessage(issue.origin, "at most", issue.maximum);
    case "unrecognized_keys": {
      const keys = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return keys.length === 0 ? "unknown key" : unknownKey(keys);
    }
    case "invalid_union":
      return Array.isArray(issue.options) ? `must be ${oneOf(issue.options)}` : "must have another type";
    case "invalid_key":
      return issue.issues.map((inner) => inner.message).join(" and ");
    default:
      return undefined;
  }
};

/** The type that a value must have, with the keys of an object. */
export function typeRequirement({ expected, inst }: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidType>): string {
  return `${TYPE_NAMES[expected] ?? expected}${contentsOf(inst)}`;
}

/** The message for an unknown key. */
export function unknownKey(keys: readonly string[]): string {
  return `unknown key, must be one of ${keys.join(", ")}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

/** Lists allowed values after `must be`: `one of 1, 2`, or the only one. */
export function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(", ")}`;
}

/** Lists the keys of an object, for a message about a value of another type. */
function contentsOf(schema: unknown): string {
  if (schema instanceof z.ZodDiscriminatedUnion)
    return ` whose ${schema.def.discriminator} is ${oneOf(kindsOf(schema))}`;
  if (schema instanceof z.ZodObject) return ` whose keys are among ${Object.keys(schema.shape).join(", ")}`;
  return "";
}

function kindsOf(schema: z.ZodDiscriminatedUnion): unknown[] {
  return schema.options.flatMap((option) => {
    const kind = option instanceof z.ZodObject ? option.shape[schema.def.discriminator] : undefined;
    return kind instanceof z.ZodLiteral ? [...kind.values] : [];
  });
}

/** A hint for unquoted strings: YAML reads 1.35 as a number, but only "1.35" is valid. */
function unquoted(input: unknown, values: readonly unknown[]): string {
  return typeof input !== "string" && values.includes(String(input)) ? "a quoted string, " : "";
}

function sizeMessage(origin: string, bound: "at least" | "at most", size: number | bigint): string {
  if (origin === "string") return `must have ${bound} ${size} ${size === 1 ? "character" : "characters"}`;
  if (origin === "array") return `must have ${bound} ${size} ${size === 1 ? "item" : "items"}`;
  return `must be ${bound} ${size}`;
}
