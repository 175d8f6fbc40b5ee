import type { z } from "zod";
import { allowed, formatPath, mistakesOf } from "../../components/schema/errors.ts";

/** What a schema says of a value: `path: what is allowed`, a line each; empty where it is right. */
export function mistakesIn(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value, { error: allowed });
  if (parsed.success) return [];
  return mistakesOf(parsed.error, value, []).map(({ path, message }) => `${formatPath(path)}: ${message}`);
}
