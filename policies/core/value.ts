/** Stands for a value that only the deployment will tell. */
export const UNKNOWN: unique symbol = Symbol("known after deployment");

/** JSON as a rule reads it, in which a value may be {@link UNKNOWN}. */
export type Value =
  | string
  | number
  | boolean
  | null
  | typeof UNKNOWN
  | readonly Value[]
  | { readonly [key: string]: Value };

export type Group = { readonly [key: string]: Value };

export function isGroup(value: Value | undefined): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads what a runner has into values: what `isUnknown` says becomes {@link UNKNOWN}, what JSON cannot carry is left out.
 */
export function readValue(raw: unknown, isUnknown: (raw: unknown) => boolean): Value {
  if (isUnknown(raw)) return UNKNOWN;
  if (raw === null || raw === undefined) return null;
  if (typeof raw === "string" || typeof raw === "number" || typeof raw === "boolean") return raw;
  if (Array.isArray(raw)) return raw.map((item) => readValue(item, isUnknown));
  if (typeof raw === "object") return readGroup(raw, isUnknown);
  return null;
}

/** {@link readValue} of an object's fields. */
export function readGroup(raw: object, isUnknown: (raw: unknown) => boolean): Group {
  return Object.fromEntries(Object.entries(raw).map(([key, inner]) => [key, readValue(inner, isUnknown)]));
}
