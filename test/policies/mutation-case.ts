import type { Mutation } from "./mutate.ts";

export type Stack = "dev" | "local";

/** One field changed, and what must be said of it: by exactly these rules, with each of these texts. */
export interface Case {
  readonly change: Mutation;
  readonly stack?: Stack;
  readonly rules: readonly string[];
  readonly says: readonly (string | RegExp)[];
}
