import type * as pulumi from "@pulumi/pulumi";
import { isOutput } from "../schema/checked-inputs.ts";
import { standInFor } from "./stand-ins.ts";

/** An argument that is an output, with its path and a stand-in; undefined if it must be a plain value. */
export interface LateValue {
  readonly path: readonly string[];
  readonly value: pulumi.Input<unknown>;
  readonly standIn: unknown;
}

/** The outputs in arguments, at any depth. */
export function lateValues(given: object): LateValue[] {
  return outputsIn(given, []).map(({ path, value }, at) => ({
    path,
    value,
    standIn: standInFor(path.at(-1) ?? "", at),
  }));
}

function outputsIn(given: unknown, path: readonly string[]): Pick<LateValue, "path" | "value">[] {
  if (isOutput(given)) return [{ path, value: given }];
  if (typeof given !== "object" || given === null) return [];
  return Object.entries(given).flatMap(([key, value]) => outputsIn(value, [...path, key]));
}

/** The arguments with values instead of these outputs. */
export function withValues(given: object, late: readonly LateValue[], values: readonly unknown[]): unknown {
  return late.reduce<unknown>((args, { path }, at) => replaced(args, path, values[at]), given);
}

function replaced(given: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (typeof given !== "object" || given === null) return given;
  const inner = replaced(Reflect.get(given, key), rest, value);
  return Array.isArray(given) ? given.with(Number(key), inner) : { ...given, [key]: inner };
}
