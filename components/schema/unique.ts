import type { z } from "zod";

/**
 * A refinement of a list in which nothing may stand twice; `of` says by what.
 * @example z.array(Group).superRefine(unique("a name that no other node group has", (group) => group.name, ["name"]))
 */
export function unique<T>(
  message: string,
  of: (item: T) => unknown = (item) => item,
  path: readonly PropertyKey[] = [],
): (items: readonly T[], context: z.RefinementCtx) => void {
  return (items, context) => {
    const keys = items.map(of);
    for (const [index, key] of keys.entries()) {
      if (keys.indexOf(key) === index) continue;
      context.addIssue({ code: "custom", path: [index, ...path], message, input: key });
    }
  };
}
