import { styleText } from "node:util";
import { code, fenced, MAX_COMMENT, plainText } from "../output/markup.ts";
import { bold, dim, paragraphs } from "../output/text.ts";
import { type ClusterUpgrade, KINDS, type PolicyComparison, type ResourceChange, upgradeTitle } from "./comparison.ts";
import type { Diff, Side, StackDiff } from "./diff.ts";
import type { PolicyFinding } from "./document.ts";
import { fieldLines, type ShownField } from "./fields.ts";

const SIGNS: Readonly<Record<ResourceChange["kind"], string>> = {
  replaced: "±",
  deleted: "-",
  changed: "~",
  added: "+",
};

/** `2 replaced, 1 added, 57 the same`, or a note that nothing changes. */
function countsText(stack: StackDiff): string {
  if ("problem" in stack) return "cannot be planned";
  const { changes, unchanged, outputs } = stack.comparison;
  const counts = KINDS.map((kind) => `${changes.filter((change) => change.kind === kind).length} ${kind}`);
  const shown = counts.filter((count) => !count.startsWith("0 "));
  if (shown.length === 0) {
    return outputs.length === 0 ? `no change (${unchanged} resources)` : `only outputs change (${unchanged} resources)`;
  }
  return [...shown, `${unchanged} the same`].join(", ");
}

/** `ts-team`, or `ts-team → tx-team` if it replaces another. */
function outsideText({ outside, previous }: ResourceChange): string {
  return previous === undefined || previous.outside === outside ? outside : `${previous.outside} → ${outside}`;
}

function sideText({ revision, commit }: Side): string {
  if (commit === null) return "the working tree";
  const short = commit.slice(0, 7);
  return commit.startsWith(revision) ? short : `${revision} (${short})`;
}

/** All warnings, each with the stacks it concerns. */
function warningsOf({ stacks }: Diff): { readonly stacks: string; readonly warning: string }[] {
  const all = stacks.flatMap((stack) => {
    const changes = "problem" in stack ? [] : stack.comparison.changes;
    return changes.flatMap(({ warning }) => (warning === undefined ? [] : [{ stack: stack.stack, warning }]));
  });
  return [...Map.groupBy(all, ({ warning }) => warning)].map(([warning, same]) => ({
    warning,
    stacks: `${same.length > 1 ? "stacks" : "stack"} ${[...new Set(same.map(({ stack }) => stack))].join(", ")}`,
  }));
}

/** Maximum lines of a field; `--json` has all. */
const MAX_LINES = 30;

/** The comparison for a terminal. It has colors: strip them for other outputs. */
export function formatDiff(diff: Diff): string {
  const title = `Changes from ${bold(sideText(diff.base))} to ${bold(sideText(diff.head))}`;
  const warnings = warningsOf(diff).map(({ stacks, warning }) =>
    styleText(["bold", "red"], `WARNING  ${stacks}: ${warning}`),
  );
  return paragraphs([[title], warnings, diff.notes, ...diff.stacks.map(stackLines)]);
}

function stackLines(stack: StackDiff): string[] {
  const head = `${bold(`Stack ${stack.stack}`)}: ${countsText(stack)}`;
  if ("problem" in stack) return [head, ...indented(stack.problem.split("\n"), 4)];
  const { changes, outputs, policies, upgrades } = stack.comparison;
  return [
    head,
    ...stack.notes.map((note) => `    ${note}`),
    ...upgrades.flatMap((upgrade) => [
      `  ${bold(upgradeTitle(upgrade))}`,
      ...upgrade.effects.map((effect) => `    ${effect}`),
    ]),
    ...changes.flatMap(changeLines),
    ...(outputs.length > 0 ? ["  outputs", ...outputs.flatMap(lines)] : []),
    ...(policies === undefined ? [] : policyLines(policies)),
  ];
}

const COLORS = { replaced: "magenta", deleted: "red", changed: "yellow", added: "green" } as const;

function changeLines(change: ResourceChange): string[] {
  const text = `  ${SIGNS[change.kind]} ${change.kind.padEnd(8)} ${change.type}  ${outsideText(change)}`;
  const title = change.warning === undefined ? styleText(COLORS[change.kind], text) : styleText(["bold", "red"], text);
  const name = change.outside === change.name ? "" : dim(`  (${change.name})`);
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
  const { fresh, known, fixed, exempt, newlyExempt, issues, failing } = policies;
  const counts = `${fresh.length} new, ${known.length} as before, ${fixed.length} fixed, ${exempt.length} exempt`;
  return [
    `  policies: ${counts}${failing > 0 ? styleText(["bold", "red"], `; ${failing} mandatory: failed`) : ""}`,
    ...issues.map((issue) => styleText("red", `    issue  ${issue}`)),
    ...fresh.map((finding) => styleText("red", `    new      ${findingText(finding)}`)),
    ...known.map((finding) => `    before   ${findingText(finding)}`),
    ...fixed.map((finding) => styleText("green", `    fixed    ${findingText(finding)}`)),
    ...newlyExempt.map((finding) => dim(`    exempt   ${findingText(finding)}`)),
  ];
}

/** One line for one finding. */
function findingText({ rule, level, outcome, message }: PolicyFinding): string {
  return `${rule} (${level}${outcome === "undecided" ? ", undecided" : ""}): ${message.replaceAll(/\s+/g, " ")}`;
}

function indented(texts: readonly string[], width: number): string[] {
  return texts.map((text) => `${" ".repeat(width)}${text}`);
}

/** First line of the pull request comment, by which the next run finds it. GitHub does not show it. */
export const MARKER = "<!-- eks-dns-logging: lab diff -->";

/** Levels of detail, each shorter than the one before: lines per field, and resources per kind. The first that fits the comment is used. */
const DETAIL = [
  { lines: 60, resources: 500 },
  { lines: 15, resources: 200 },
  { lines: 0, resources: 100 },
  { lines: 0, resources: 10 },
];
type Detail = (typeof DETAIL)[number];

/** The comparison as the single comment on a pull request. At most {@link MAX_COMMENT} characters. */
export function markdownOf(diff: Diff): string {
  const texts = DETAIL.map((detail) => () => render(diff, detail));
  const fitting = texts.reduce((text, next) => (text.length <= MAX_COMMENT ? text : next()), texts[0]?.() ?? "");
  return fitting.length <= MAX_COMMENT ? fitting : cutAtLine(fitting);
}

/** Cuts the shortest form at a line break, which leaves no element open: at most, the list of warnings ends early. */
function cutAtLine(text: string): string {
  const end = "\n\nTruncated: run `lab diff` for the full comparison.\n";
  const start = text.slice(0, MAX_COMMENT - end.length);
  return `${start.slice(0, start.lastIndexOf("\n"))}${end}`;
}

function render(diff: Diff, detail: Detail): string {
  return `${[
    MARKER,
    `### Changes from ${plainText(sideText(diff.base))} to ${plainText(sideText(diff.head))}`,
    warningBlock(diff, detail),
    diff.notes.map((note) => `- ${plainText(note)}`).join("\n"),
    ...diff.stacks.flatMap((stack) => stackBlocks(stack, detail)),
    "A comparison of the plans of both revisions, without account or cluster. Changes made outside Pulumi are not visible here.",
  ]
    .filter((block) => block !== "")
    .join("\n\n")}\n`;
}

function warningBlock(diff: Diff, detail: Detail): string {
  const warnings = warningsOf(diff);
  if (warnings.length === 0) return "";
  const lines = warnings.map(({ stacks, warning }) => `> - **${plainText(warning)}** (${plainText(stacks)})`);
  return ["> [!CAUTION]", ...bounded(lines, detail, "> ")].join("\n");
}

/** Limits the lines, and counts the rest. */
function bounded(lines: readonly string[], { resources }: Detail, prefix = ""): string[] {
  const rest = lines.length - resources;
  return rest <= 0 ? [...lines] : [...lines.slice(0, resources), `${prefix}- … and ${rest} more`];
}

function stackBlocks(stack: StackDiff, detail: Detail): string[] {
  const title = `#### Stack ${plainText(stack.stack)}: ${countsText(stack)}`;
  if ("problem" in stack)
    return [
      title,
      "**This revision cannot be planned:**",
      fenced("text", stack.problem.slice(0, detail.lines === 0 ? 500 : 5000)),
    ];
  const { changes, outputs, policies, upgrades } = stack.comparison;
  const outputLines = outputs.flatMap((field) => fieldLines(field, detail.lines));
  return [
    title,
    stack.notes.map((note) => `- ${plainText(note)}`).join("\n"),
    ...upgrades.map((upgrade) => upgradeBlock(upgrade, detail)),
    ...(policies === undefined ? ["Policies: not run at this revision."] : policyBlocks(policies, detail)),
    ...KINDS.map((kind) => kindBlock(kind, changes, detail)),
    detail.lines === 0 || outputs.length === 0
      ? ""
      : section("Outputs", fenced("diff", signedText(outputLines)), detail),
  ];
}

function upgradeBlock(upgrade: ClusterUpgrade, detail: Detail): string {
  const lines = upgrade.effects.map((effect) => `- ${plainText(effect)}`);
  return [`**${plainText(upgradeTitle(upgrade))}**`, "", ...bounded(lines, detail)].join("\n").trim();
}

function kindBlock(kind: ResourceChange["kind"], all: readonly ResourceChange[], detail: Detail): string {
  const changes = all.filter((change) => change.kind === kind);
  if (changes.length === 0) return "";
  const texts = changes.map((change) => changeText(change, detail));
  return section(`${changes.length} ${kind}`, bounded(texts, detail).join("\n"), detail);
}

function changeText(change: ResourceChange, detail: Detail): string {
  const name = code(outsideText(change));
  const title = `- ${change.warning === undefined ? name : `**${name}**`} ${code(change.type)}`;
  const reasons = change.reasons.map((reason) => `  - because ${plainText(reason)}`);
  const lines = change.fields.flatMap((field) => fieldLines(field, detail.lines));
  if (detail.lines === 0 || lines.length === 0) return [title, ...reasons].join("\n");
  // A fence in a list item is indented like the item's text.
  const block = fenced("diff", signedText(lines)).replaceAll(/^/gm, "  ");
  return [title, ...reasons, "", block, ""].join("\n");
}

function signedText(lines: readonly { readonly sign: string; readonly text: string }[]): string {
  return lines.map(({ sign, text }) => `${sign} ${text}`).join("\n");
}

function policyBlocks(policies: PolicyComparison, detail: Detail): string[] {
  const { fresh, known, fixed, exempt, issues, failing } = policies;
  const verdict =
    failing > 0 ? `**${failing} mandatory policy findings: this check fails.**` : "Policies: nothing mandatory.";
  const quiet = (title: string, findings: PolicyComparison["fresh"]) =>
    findings.length === 0
      ? ""
      : section(`${title}: ${findings.length}`, bullets(findings.map(findingText), detail), detail);
  const loud = (title: string, texts: readonly string[]) =>
    texts.length === 0 ? "" : `${title}:\n\n${bullets(texts, detail)}`;
  return [
    verdict,
    loud("Errors in the policy configuration", issues),
    loud("New with this change", fresh.map(findingText)),
    quiet("Already in base", known),
    quiet("Fixed", fixed),
    quiet("Exempt", exempt),
  ];
}

/** Messages may contain long values. */
const MAX_BULLET = 1000;

function bullets(texts: readonly string[], detail: Detail): string {
  return bounded(
    texts.map((text) => `- ${plainText(text.slice(0, MAX_BULLET))}`),
    detail,
  ).join("\n");
}

/** A collapsible section; plain in the shortest form, which may be cut and must leave no element open. */
function section(title: string, body: string, { lines }: Detail): string {
  if (lines === 0) return `${title}:\n\n${body}`;
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}
