import type * as pulumi from "@pulumi/pulumi";
import { isOutput } from "../schema/checked-inputs.ts";

/** An argument that is an output, with its path and a stand-in; undefined for one that must be a plain value. */
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

/** The arguments with values in the place of these outputs. */
export function withValues(given: object, late: readonly LateValue[], values: readonly unknown[]): unknown {
  return late.reduce<unknown>((args, { path }, at) => replaced(args, path, values[at]), given);
}

function replaced(given: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (typeof given !== "object" || given === null) return given;
  const inner = replaced(Reflect.get(given, key), rest, value);
  return Array.isArray(given) ? given.with(Number(key), inner) : { ...given, [key]: inner };
}

/** Part of each stand-in. A domain's name has at most 28 characters. */
const UNKNOWN = "known-after-deployment";

/** Stand-ins by the name of an argument, for as long as only the deployment knows it: valid values, and another for each. */
const STAND_INS: Readonly<Record<string, (unknown: string) => unknown>> = {
  arn: (unknown) => `arn:aws:es:us-east-1:000000000000:domain/${unknown}`,
  brokers: (unknown) => [`${unknown}.invalid:9092`],
  bucket: (unknown) => unknown,
  host: (unknown) => `${unknown}.invalid`,
  kmsKeyArn: (unknown) => `arn:aws:kms:us-east-1:000000000000:key/${unknown}`,
  logGroup: (unknown) => unknown,
  mskArn: (unknown) => `arn:aws:kafka:us-east-1:000000000000:cluster/${unknown}/0`,
  stream: (unknown) => unknown,
  topic: (unknown) => unknown,
  url: (unknown) => `https://${unknown}.invalid`,
};

/**
 * The stand-in for an argument; undefined for one that must be a plain value.
 * @param id Another one for each argument.
 */
function standInFor(argument: string, id: number): unknown {
  return STAND_INS[argument]?.(`${UNKNOWN}-${id}`);
}

/** Whether a text is, or names, a stand-in for a value that only the deployment knows. */
export function isUnknown(text: string): boolean {
  return text.includes(UNKNOWN);
}
