import { diffArrays } from "diff";
import { stringify } from "yaml";
import type { ShownField } from "./compare.ts";
import { type Json, SECRET, UNKNOWN_TEXT } from "./document.ts";

/** A value longer than this is cut where it stands on one line. */
const LONGEST = 160;

/**
 * A changed field as lines with `-` and `+`: one a side where the values are short, else what differs between their lines.
 * @param most how many lines at most; the rest is counted.
 */
export function fieldLines(field: ShownField, most: number): Line[] {
  const label = field.path || "(all)";
  const note = field.replaces ? "  # forces replacement" : "";
  if (field.before === SECRET && field.after === SECRET) {
    return [{ sign: " ", text: `${label}: ${SECRET}, another value${note}` }];
  }
  const [before, after] = [linesOf(field.before), linesOf(field.after)];
  if (isShort(field.before) && isShort(field.after)) {
    return [...oneLine("-", label, before, note), ...oneLine("+", label, after, note)];
  }
  const lines = shortened(diffLines(before, after), 1).map(
    ({ sign, text }): Line => ({ sign, text: `    ${cut(text)}` }),
  );
  return [{ sign: " ", text: `${label}:${note}` }, ...bounded(lines, most)];
}

function oneLine(sign: "-" | "+", label: string, lines: readonly string[], note: string): Line[] {
  return lines.map((text) => ({ sign, text: `${label}: ${cut(text)}${note}` }));
}

function bounded(lines: readonly Line[], most: number): Line[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most), { sign: " ", text: `    … and ${lines.length - most} more lines` }];
}

function isShort(value: Json | undefined): boolean {
  if (typeof value === "string") return !value.includes("\n");
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

/** An absent value has no lines. */
function linesOf(value: Json | undefined): string[] {
  if (value === undefined) return [];
  if (typeof value === "string") return isShort(value) ? [quoted(value)] : value.replace(/\n$/, "").split("\n");
  if (isShort(value)) return [JSON.stringify(value)];
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split("\n");
}

/** Text that is no plain word is quoted, so that "5" is not taken for 5. */
function quoted(text: string): string {
  return text === SECRET || text === UNKNOWN_TEXT ? text : JSON.stringify(text);
}

function cut(text: string): string {
  // Control characters would draw over the terminal, or end a line.
  const plain = text.replaceAll(/\p{Cc}/gu, " ");
  return plain.length <= LONGEST ? plain : `${plain.slice(0, LONGEST)}… (${plain.length} characters)`;
}

/** A line of a comparison: in both, only before, only after. */
export interface Line {
  readonly sign: " " | "+" | "-";
  readonly text: string;
}

/** More changed lines than this are not compared further: all lines of both sides are shown. */
const MAX_EDITS = 300;

/** The shortest way from one list of lines to another. */
export function diffLines(before: readonly string[], after: readonly string[]): Line[] {
  // Without a common line, or with so many more lines on one side, there is nothing to search for.
  const known = new Set(before);
  const isComparable = Math.abs(before.length - after.length) <= MAX_EDITS && after.some((line) => known.has(line));
  const changes = isComparable ? diffArrays([...before], [...after], { maxEditLength: MAX_EDITS }) : undefined;
  if (changes === undefined) return [...signed("-", before), ...signed("+", after)];
  return changes.flatMap(({ added, removed, value }) => signed(added ? "+" : removed ? "-" : " ", value));
}

function signed(sign: Line["sign"], lines: readonly string[]): Line[] {
  return lines.map((text) => ({ sign, text }));
}

/** The lines that differ, each with `context` lines around it; what is left out is one line `…`. */
export function shortened(lines: readonly Line[], context: number): Line[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(({ sign }) => sign !== " "),
  );
  return lines.flatMap((line, index): Line[] => {
    if (near[index]) return [line];
    return index === 0 || near[index - 1] ? [{ sign: " ", text: "…" }] : [];
  });
}
