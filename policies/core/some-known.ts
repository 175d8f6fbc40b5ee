import { Undecided } from "./field.ts";

/**
 * Whether one of the items is so. An unknown value in one hides no other: it counts only where none that is known is so.
 * @throws {Undecided} of the first that cannot be decided, where no other is so.
 */
export function someKnown<T>(items: Iterable<T>, isSo: (item: T) => boolean): boolean {
  let open: Undecided | undefined;
  for (const item of items) {
    try {
      if (isSo(item)) return true;
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      open ??= error;
    }
  }
  if (open !== undefined) throw open;
  return false;
}
