import type { ResourceChange } from "./compare.ts";
import type { Diff, Side, StackDiff } from "./diff.ts";

/** Sign, verb and rank of each kind of change. */
export const KINDS = [
  { kind: "replaced", sign: "±" },
  { kind: "deleted", sign: "-" },
  { kind: "changed", sign: "~" },
  { kind: "added", sign: "+" },
] as const satisfies readonly { readonly kind: ResourceChange["kind"]; readonly sign: string }[];

/** `2 replaced, 1 added, 57 the same`, or that nothing changes. */
export function countsText(stack: StackDiff): string {
  if ("problem" in stack) return "cannot be planned";
  const { changes, unchanged, outputs } = stack.comparison;
  const counts = KINDS.map(({ kind }) => `${changes.filter((change) => change.kind === kind).length} ${kind}`);
  const told = counts.filter((count) => !count.startsWith("0 "));
  if (told.length === 0) {
    return outputs.length === 0 ? `no change (${unchanged} resources)` : `only outputs change (${unchanged} resources)`;
  }
  return [...told, `${unchanged} the same`].join(", ");
}

/** `ts-team`, or `ts-team → tx-team` where it takes another's place. */
export function outsideText({ outside, previous }: ResourceChange): string {
  return previous === undefined || previous.outside === outside ? outside : `${previous.outside} → ${outside}`;
}

export function sideText({ revision, commit }: Side): string {
  if (commit === null) return "the working tree";
  const short = commit.slice(0, 7);
  return commit.startsWith(revision) ? short : `${revision} (${short})`;
}

/** All warnings, each with the stacks that it is for. */
export function warningsOf({ stacks }: Diff): { readonly stacks: string; readonly warning: string }[] {
  const all = stacks.flatMap((stack) =>
    "problem" in stack
      ? []
      : stack.comparison.changes.flatMap(({ warning }) =>
          warning === undefined ? [] : [{ stack: stack.stack, warning }],
        ),
  );
  return [...Map.groupBy(all, ({ warning }) => warning)].map(([warning, same]) => ({
    warning,
    stacks: `${same.length > 1 ? "stacks" : "stack"} ${[...new Set(same.map(({ stack }) => stack))].join(", ")}`,
  }));
}
