import type { z } from "zod";
import { allowed, formatPath, issuesOf } from "../../components/schema/errors.ts";

/** What a schema says of a value: `path: what is allowed`, a line each; empty where it is right. */
export function issuesIn(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value, { error: allowed });
  if (parsed.success) return [];
  return issuesOf(parsed.error, value, []).map(({ path, message }) => `${formatPath(path)}: ${message}`);
}
