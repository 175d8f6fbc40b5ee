import type { z } from "zod";
import { relatedKeys } from "./errors.ts";

/** What is right of a section of the settings. */
interface RightPart<T> {
  readonly value: T;
  /** The settings that were left out, since their issues are told already. */
  readonly without: ReadonlySet<PropertyKey>;
}

/**
 * A section as far as its schema takes it, so that an issue in one setting hides none that the others make together.
 * @param essential Settings on which the others hang: where one of these is wrong, nothing is said of them.
 */
export function asFarAsRight<T>(
  schema: z.ZodType<T>,
  given: unknown,
  essential: readonly string[],
): RightPart<T> | undefined {
  const whole = schema.safeParse(given);
  if (whole.success) return { value: whole.data, without: new Set() };
  if (typeof given !== "object" || given === null) return undefined;
  const without = new Set(whole.error.issues.flatMap(topKeys));
  if (essential.some((key) => without.has(key))) return undefined;
  const rest = schema.safeParse(Object.fromEntries(Object.entries(given).filter(([key]) => !without.has(key))));
  return rest.success ? { value: rest.data, without } : undefined;
}

function topKeys(issue: z.core.$ZodIssue): readonly PropertyKey[] {
  const [top] = issue.path;
  if (top !== undefined) return [top];
  return issue.code === "unrecognized_keys" ? issue.keys : (relatedKeys(issue) ?? []);
}
