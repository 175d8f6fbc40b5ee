import Table from "cli-table3";

/** How a table is drawn. */
export interface TableOptions {
  /** Numbers of the columns whose text is aligned to the right. Default: none. */
  readonly right?: readonly number[];
  /** Width of each column in characters, spacing included; null for what its cells need. Longer text wraps. Default: all null. */
  readonly widths?: readonly (number | null)[];
  /** Spaces between the columns of {@link plainTable}. Default 2. */
  readonly gap?: number;
}

/** A table with lines around its cells. Cells may hold terminal colors. */
export function boxedTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const table = new Table({ ...layoutOf(head, options), head: [...head], style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

const BORDERS = ["top", "bottom", "left", "right"].flatMap((side) => [side, `${side}-mid`]);
const CORNERS = ["top-left", "top-right", "bottom-left", "bottom-right", "mid", "mid-mid", "middle"];
const NO_LINES = Object.fromEntries([...BORDERS, ...CORNERS].map((name) => [name, ""]));

/** cli-table3 compares each row with all others: it takes minutes for what an audit of a large cluster finds, and seconds in parts. */
const MAX_ROWS = 500;

/** A table without lines, as `kubectl` and `pulumi` print them. Cells may hold terminal colors. */
export function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  if (rows.length <= MAX_ROWS) return linesOf(head, rows, options).text;
  const parts = Array.from({ length: Math.ceil(rows.length / MAX_ROWS) }, (_, part) =>
    rows.slice(part * MAX_ROWS, (part + 1) * MAX_ROWS),
  );
  const found = options.widths === undefined ? parts.map((part) => linesOf(head, part, options).widths) : [];
  const widths = options.widths ?? head.map((_, column) => Math.max(...found.map((each) => each[column] ?? 0)));
  const texts = parts.map((part) => linesOf(head, part, { ...options, widths }).text);
  return texts.map((text, part) => (part === 0 ? text : text.slice(text.indexOf("\n") + 1))).join("\n");
}

function linesOf(head: readonly string[], rows: readonly (readonly string[])[], options: TableOptions) {
  const table = new Table({
    ...layoutOf(head, options),
    head: [...head],
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": options.gap ?? 2 },
  });
  table.push(...rows.map((row) => [...row]));
  const text = table.toString().replaceAll(/ +$/gm, "");
  return { text, widths: table.options.colWidths };
}

function layoutOf(head: readonly string[], { right = [], widths }: TableOptions) {
  const colAligns = head.map((_, column) => (right.includes(column) ? ("right" as const) : ("left" as const)));
  return widths === undefined
    ? { colAligns }
    : { colAligns, colWidths: [...widths], wordWrap: true, wrapOnWordBoundary: true };
}

/** The lines of a {@link plainTable}. */
export function columns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  return plainTable(head, rows, { right }).split("\n");
}

/** Milliseconds with two decimals where they matter. */
export function ms(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function plural(count: number, word: string): string {
  const many = word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
  return `${count} ${count === 1 ? word : many}`;
}

/** Longest comment on a pull request: GitHub takes 65,536 characters, and the rest is for what the workflow adds. */
export const MAX_COMMENT = 60_000;

/** One line of text in which nothing is taken for Markdown or HTML, and no `@name` calls anybody. */
export function plainText(text: string): string {
  return oneLine(text)
    .replaceAll(/[\\`*_{}[\]<>#|~$]/g, (character) => `\\${character}`)
    .replaceAll(/&(?=[#\w])/g, "&amp;")
    .replaceAll(/@(?=\w)/g, "@<!-- -->")
    .replaceAll(/(?<=\bhttps?|\bwww):?(?=\/\/|\.)/gi, (colon) => `${colon}<!-- -->`);
}

/** A code span of any text. */
export function code(text: string): string {
  const line = oneLine(text);
  const ticks = "`".repeat(longestRun(line, "`") + 1);
  const space = line.startsWith("`") || line.endsWith("`") || line === "" ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
}

/** A code block of any text. */
export function fenced(language: string, text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text, "`") + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}

function longestRun(text: string, character: string): number {
  return Array.from(text.matchAll(new RegExp(`${character}+`, "g"))).reduce(
    (longest, [run]) => Math.max(longest, run.length),
    0,
  );
}
