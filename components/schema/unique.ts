import type { z } from "zod";

export const UNIQUE = "must be unique";

/**
 * A refinement of an array without duplicates; `of` says by what they are compared.
 * @example z.array(Group).superRefine(unique((group) => group.name, ["name"]))
 */
export function unique<T>(
  of: (item: T) => unknown = (item) => item,
  path: readonly PropertyKey[] = [],
): (items: readonly T[], context: z.RefinementCtx) => void {
  return (items, context) => {
    const keys = items.map(of);
    for (const [index, key] of keys.entries()) {
      if (keys.indexOf(key) === index) continue;
      context.addIssue({ code: "custom", path: [index, ...path], message: UNIQUE, input: key });
    }
  };
}
