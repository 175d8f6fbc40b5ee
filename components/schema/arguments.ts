import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { ArgumentsError, parseArgs, type SettingsIssue, unknownKey } from "./errors.ts";
import { isObject } from "./values.ts";

/** The names of a component's arguments, by what each must be by itself. */
export interface ArgumentKinds<Name> {
  /** Anything: its schema, or the component, checks it. */
  readonly any: readonly Name[];
  /** An array. It may hold outputs, but not be one: the component counts its items. */
  readonly list: readonly Name[];
  /** An object, which may hold outputs, but not be one: the component asks which keys it has. */
  readonly group: readonly Name[];
  /** Other keys of the settings for such a component, which may be passed as a whole: `kind` or `name`. Default: none. */
  readonly ofSettings?: readonly string[];
}

/**
 * Checks the names of a component's arguments, and what each is by itself; schemas check what is in them.
 * @throws {ArgumentsError} with every error in them.
 */
export function checkArguments(name: string, kinds: ArgumentKinds<string>, given: unknown): void {
  const names = [...kinds.any, ...kinds.list, ...kinds.group];
  if (!isObject(given) || isOutput(given)) {
    const missing = given === undefined ? ", but is not set" : "";
    const message = `must be an object whose keys are among ${names.join(", ")}${missing}`;
    throw new ArgumentsError([{ path: [name], message }]);
  }
  const issues = Object.entries(given).flatMap(([key, value]): SettingsIssue[] => {
    const path = [name, key];
    if (kinds.ofSettings?.includes(key)) return [];
    if (!names.includes(key)) return [{ path, message: unknownKey(names) }];
    if (value === undefined || kinds.any.includes(key)) return [];
    const [isSo, wanted] = kinds.list.includes(key)
      ? [Array.isArray(value), "an array"]
      : [isObject(value), "an object"];
    if (isOutput(value)) return [{ path, message: `must be ${wanted}, not an output` }];
    if (isSo) return [];
    // All that could be shown of a resource is its state in this program.
    return [{ path, message: `must be ${wanted}`, ...(pulumi.Resource.isInstance(value) ? {} : { value }) }];
  });
  if (issues.length > 0) throw new ArgumentsError(issues);
}

/** Whether an argument is an output or a promise. */
export function isOutput(given: unknown): given is pulumi.Output<unknown> | Promise<unknown> {
  return pulumi.Output.isInstance(given) || given instanceof Promise;
}

/** Whether an argument is or contains an output. */
export function holdsOutput(given: unknown): boolean {
  if (isOutput(given)) return true;
  if (typeof given !== "object" || given === null || pulumi.Resource.isInstance(given)) return false;
  return Object.values(given).some(holdsOutput);
}

/**
 * A map with further entries, which take precedence. TypeScript takes an output of a map for a map of outputs, but Pulumi takes a spread of it
 * for that output, without what follows.
 */
export function withEntries(
  given: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>> | undefined,
  entries: Readonly<Record<string, string>>,
): pulumi.Input<Record<string, pulumi.Input<string>>> {
  return isOutput(given) ? pulumi.output(given).apply((known) => ({ ...known, ...entries })) : { ...given, ...entries };
}

/**
 * Checks arguments that may contain outputs against their schema: now if all are known, else once they are.
 * @throws {ArgumentsError} for known arguments that are invalid.
 */
export function checkedInputs<S extends z.ZodType>(
  name: string,
  schema: S,
  given: unknown,
): pulumi.Output<z.output<S>> {
  if (holdsOutput(given)) return checkedLater([given], ([known]) => parseArgs(name, schema, known));
  const parsed = parseArgs(name, schema, given);
  return outputOf(undefined).apply(() => parsed);
}

/**
 * A text, as it is if it is known. An output is checked once it is.
 * @throws {ArgumentsError} for a known text that is invalid.
 */
export function checkedText(
  name: string,
  schema: z.ZodType<string>,
  given: pulumi.Input<string>,
): pulumi.Input<string> {
  const checked = checkedInputs(name, schema, given);
  return isOutput(given) ? checked : given;
}

/** {@link checkedText} for the texts of a map, which may be an output itself. */
export function checkedTexts(
  name: string,
  schema: z.ZodType<Readonly<Record<string, string>>>,
  given: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>> = {},
): pulumi.Input<Record<string, pulumi.Input<string>>> {
  return isOutput(given) ? checkedInputs(name, schema, given) : checkedValues(name, schema, given);
}

/** {@link checkedText} for the texts of a map. */
export function checkedValues(
  name: string,
  schema: z.ZodType<Readonly<Record<string, string>>>,
  given: Readonly<Record<string, pulumi.Input<string>>> = {},
): Record<string, pulumi.Input<string>> {
  const entries = Object.entries(given);
  parseArgs(name, schema, Object.fromEntries(entries.filter(([, value]) => !isOutput(value))));
  const checked = (key: string, value: pulumi.Input<string>) =>
    isOutput(value) ? checkedLater([value], ([known]) => parseArgs(name, schema, { [key]: known })[key] ?? "") : value;
  return Object.fromEntries(entries.map(([key, value]) => [key, checked(key, value)]));
}

/**
 * Applies a check to outputs once they are known.
 * @param check Its errors are rethrown without the values of secret outputs, because the CLI prints them.
 */
export function checkedLater<T>(given: readonly unknown[], check: (values: readonly unknown[]) => T): pulumi.Output<T> {
  const outputs = given.map(outputOf);
  return pulumi.all([pulumi.all(outputs), Promise.all(outputs.map(pulumi.isSecret))]).apply(([values, areSecret]) => {
    try {
      return check(values);
    } catch (error) {
      if (!(error instanceof ArgumentsError)) throw error;
      const secrets = values.filter((_, index) => areSecret[index]);
      const maps = values.filter((_, index) => areSecret[index] && isOutput(given[index]));
      throw withoutTexts(error, textsIn(secrets), keysIn(maps));
    }
  });
}

/** All texts, numbers and booleans in a value, at any depth. */
function textsIn(value: unknown): string[] {
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(textsIn);
  return value === undefined || value === null || value === "" ? [] : [String(value)];
}

/** All keys of a value, at any depth. */
function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  return isObject(value) ? Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]) : [];
}

/** Shorter texts occur in other words by chance. */
const MIN_PART_OF_WORD = 8;

/** A message without a secret text. */
function withoutText(message: string, text: string): string {
  if (text.length >= MIN_PART_OF_WORD) return message.replaceAll(text, "(secret)");
  const words = new RegExp(`(?<!\\w(?=\\w))${text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?!(?<=\\w)\\w)`, "g");
  return message.replaceAll(words, "(secret)");
}

/** The error with secret texts replaced in its messages, and secret keys in its paths, and without values that contain a secret text. */
function withoutTexts(error: ArgumentsError, texts: readonly string[], keys: readonly string[]): ArgumentsError {
  const shown = [...texts, ...keys];
  if (shown.length === 0) return error;
  return new ArgumentsError(
    error.issues.map(({ value, ...issue }) => ({
      ...issue,
      path: issue.path.map((key) => (typeof key === "string" && keys.includes(key) ? "(secret)" : key)),
      message: texts.reduce(withoutText, issue.message),
      ...(shown.some((text) => reveals(value, text)) ? {} : { value }),
    })),
  );
}

/** Whether showing a value would show a secret text or a part of it. */
function reveals(value: unknown, text: string): boolean {
  const json = JSON.stringify(value) ?? "";
  return json.includes(JSON.stringify(text).slice(1, -1)) || (typeof value === "string" && text.includes(value));
}

/** `pulumi.output` with the type that callers need: it infers none for unknown. */
function outputOf(given: unknown): pulumi.Output<unknown> {
  return pulumi.output(given);
}
