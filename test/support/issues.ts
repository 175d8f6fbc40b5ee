import type { z } from "zod";
import { errorMap, formatPath, issuesOf } from "../../components/schema/errors.ts";

/** The issues that a schema finds in a value as `path: message`, a line each; empty where it is valid. */
export function issuesIn(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value, { error: errorMap });
  if (parsed.success) return [];
  return issuesOf(parsed.error, value, []).map(({ path, message }) => `${formatPath(path)}: ${message}`);
}
