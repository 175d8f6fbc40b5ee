import * as pulumi from "@pulumi/pulumi";
import { isOutput } from "./checked-inputs.ts";
import { ArgumentsError, type SettingsIssue, unknownKey } from "./errors.ts";
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
