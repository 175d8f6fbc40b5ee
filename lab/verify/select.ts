import { matchesGlob } from "node:path";
import { Failure } from "../failure.ts";
import type { Check } from "./check.ts";

export interface Selection {
  /** Only these rows; empty for all. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/**
 * The rows that were asked for. A pattern is an id (`ping:ts:sa`), its start up to a colon (`ping`, `dns:ts`), or has `*` for one part
 * (`dns:*:sa`).
 * @throws {Failure} for a pattern that fits no row, since a typing issue would otherwise pass as a success.
 */
export function select(checks: readonly Check[], { only, skip }: Selection): Check[] {
  const ids = checks.map((check) => check.id);
  for (const pattern of [...only, ...skip]) {
    if (ids.some((id) => fits(id, pattern))) continue;
    throw new Failure(
      `no row is called '${pattern}'; ids start with: ${families(ids).join(", ")} (as in ${ids.at(-1)})`,
      2,
    );
  }
  const chosen = checks.filter(
    ({ id }) =>
      (only.length === 0 || only.some((pattern) => fits(id, pattern))) && !skip.some((pattern) => fits(id, pattern)),
  );
  if (chosen.length === 0) throw new Failure("--only and --skip leave no row", 2);
  return chosen;
}

/** Whether an id or its beginning is what the pattern says. */
export function fits(id: string, pattern: string): boolean {
  const parts = id.split(":");
  const wanted = pattern.split(":");
  return wanted.length <= parts.length && wanted.every((part, index) => matchesGlob(parts[index] ?? "", part));
}

function families(ids: readonly string[]): string[] {
  return [...new Set(ids.flatMap((id) => id.split(":")[0] ?? []))];
}
