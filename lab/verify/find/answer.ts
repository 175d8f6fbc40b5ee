import type { z } from "zod";
import { ClusterError } from "../../kubernetes/cluster.ts";

/**
 * Reads what a destination answered.
 * @param who The one that answered, for the message.
 * @throws {ClusterError} in one line where that is no JSON of this shape, as of a proxy or of another program at its address.
 */
export function readAnswer<T extends z.ZodType>(shape: T, text: string, who: string): z.infer<T> {
  const parsed = shape.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const line = text.replaceAll(/\s+/g, " ").slice(0, 120);
  throw new ClusterError("other", `${who} answered something else than was asked for: ${line || "nothing"}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
