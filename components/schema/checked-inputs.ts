import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "./errors.ts";

/** Whether an argument is an output, or a value that is not there yet. */
export function isOutput(given: unknown): given is pulumi.Output<unknown> | Promise<unknown> {
  return pulumi.Output.isInstance(given) || given instanceof Promise;
}

/** Whether an argument is an output, or holds one at any depth. */
export function holdsOutput(given: unknown): boolean {
  if (isOutput(given)) return true;
  if (typeof given !== "object" || given === null || pulumi.Resource.isInstance(given)) return false;
  return Object.values(given).some(holdsOutput);
}

/**
 * Arguments that may hold outputs, checked by their schema: at once where all of them are known, else as soon as they are.
 * @throws {ArgumentsError} for arguments that are known and wrong.
 */
export function checkedInputs<S extends z.ZodType>(
  name: string,
  schema: S,
  given: unknown,
): pulumi.Output<z.output<S>> {
  if (holdsOutput(given)) return outputOf(given).apply((known) => parseArgs(name, schema, known));
  const parsed = parseArgs(name, schema, given);
  return outputOf(undefined).apply(() => parsed);
}

function outputOf(given: unknown): pulumi.Output<unknown> {
  return pulumi.output(given);
}
