import { styleText } from "node:util";
import type { PolicyComparison, ResourceChange, ShownField } from "./compare.ts";
import type { Diff, Side, StackDiff } from "./diff.ts";
import type { PolicyFinding } from "./document.ts";
import { fieldLines } from "./field-lines.ts";

/** The kinds of changes, in the order in which they are shown. */
export const KINDS = ["replaced", "deleted", "changed", "added"] as const satisfies readonly ResourceChange["kind"][];

const SIGNS: Readonly<Record<ResourceChange["kind"], string>> = {
  replaced: "±",
  deleted: "-",
  changed: "~",
  added: "+",
};

/** `2 replaced, 1 added, 57 the same`, or that nothing changes. */
export function countsText(stack: StackDiff): string {
  if ("problem" in stack) return "cannot be planned";
  const { changes, unchanged, outputs } = stack.comparison;
  const counts = KINDS.map((kind) => `${changes.filter((change) => change.kind === kind).length} ${kind}`);
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

/** Lines of one field at most; `--json` has all. */
const MAX_LINES = 30;

/** The comparison for a person at a terminal. Colors are for a terminal: take them off for anything else. */
export function formatDiff(diff: Diff): string {
  const title = `What ${styleText("bold", sideText(diff.head))} changes where ${styleText("bold", sideText(diff.base))} stands`;
  const warnings = warningsOf(diff).map(({ stacks, warning }) =>
    styleText(["bold", "red"], `WARNING  ${stacks}: ${warning}`),
  );
  const blocks = [[title], warnings, [...diff.notes], ...diff.stacks.map(stackLines)];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function stackLines(stack: StackDiff): string[] {
  const head = `${styleText("bold", `Stack ${stack.stack}`)}: ${countsText(stack)}`;
  if ("problem" in stack) return [head, ...indented(stack.problem.split("\n"), 4)];
  const { changes, outputs, policies } = stack.comparison;
  return [
    head,
    ...stack.notes.map((note) => `    ${note}`),
    ...changes.flatMap(changeLines),
    ...(outputs.length > 0 ? ["  outputs", ...outputs.flatMap(lines)] : []),
    ...(policies === undefined ? [] : policyLines(policies)),
  ];
}

const COLORS = { replaced: "magenta", deleted: "red", changed: "yellow", added: "green" } as const;

function changeLines(change: ResourceChange): string[] {
  const text = `  ${SIGNS[change.kind]} ${change.kind.padEnd(8)} ${change.type}  ${outsideText(change)}`;
  const title = change.warning === undefined ? styleText(COLORS[change.kind], text) : styleText(["bold", "red"], text);
  const name = change.outside === change.name ? "" : styleText("dim", `  (${change.name})`);
  return [
    `${title}${name}`,
    ...change.reasons.map((reason) => `      because ${reason}`),
    ...change.fields.flatMap(lines),
  ];
}

function lines(field: ShownField): string[] {
  return fieldLines(field, MAX_LINES).map(({ sign, text }) => {
    const line = `      ${sign} ${text}`;
    return sign === " " ? line : styleText(sign === "+" ? "green" : "red", line);
  });
}

function policyLines(policies: PolicyComparison): string[] {
  const { fresh, known, fixed, exempt, issues, failing } = policies;
  const counts = `${fresh.length} new, ${known.length} as before, ${fixed.length} fixed, ${exempt.length} exempt`;
  return [
    `  policies: ${counts}${failing > 0 ? styleText(["bold", "red"], `; ${failing} mandatory: failed`) : ""}`,
    ...issues.map((issue) => styleText("red", `    issue  ${issue}`)),
    ...fresh.map((finding) => styleText("red", `    new      ${findingText(finding)}`)),
    ...known.map((finding) => `    before   ${findingText(finding)}`),
    ...fixed.map((finding) => styleText("green", `    fixed    ${findingText(finding)}`)),
    ...exempt.map((finding) => styleText("dim", `    exempt   ${findingText(finding)}`)),
  ];
}

/** One line for one finding. */
export function findingText({ rule, level, outcome, message }: PolicyFinding): string {
  return `${rule} (${level}${outcome === "undecided" ? ", undecided" : ""}): ${message.replaceAll(/\s+/g, " ")}`;
}

function indented(texts: readonly string[], width: number): string[] {
  return texts.map((text) => `${" ".repeat(width)}${text}`);
}
