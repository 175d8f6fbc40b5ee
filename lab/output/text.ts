import { stripVTControlCharacters, styleText } from "node:util";
import Table from "cli-table3";

/** A count with its noun, such as `1 query` or `3 queries`. */
export function plural(count: number, word: string): string {
  const many = word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
  return `${count} ${count === 1 ? word : many}`;
}

/** Milliseconds, with two decimals for small values. */
export function ms(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Blocks of lines with an empty line between them; empty blocks are left out. */
export function paragraphs(blocks: readonly (readonly string[])[]): string {
  const texts = blocks.filter((block) => block.length > 0).map((block) => block.join("\n"));
  return `${texts.join("\n\n")}\n`;
}

/** Bold text, if stdout supports it. */
export function bold(text: string): string {
  return styleText("bold", text);
}

/** Dimmed text, if stdout supports it. */
export function dim(text: string): string {
  return styleText("dim", text);
}

/** Starts a line that warns the user. */
export function warningLabel(): string {
  return `${styleText("yellow", "warning")}:`;
}

/** How a table is drawn. */
export interface TableOptions {
  /** Indices of right-aligned columns. Default: none. */
  readonly right?: readonly number[];
  /** Width of each column in characters, including padding; null fits the content. Longer text wraps. Default: all null. */
  readonly widths?: readonly (number | null)[];
  /** Spaces between the columns of {@link plainTable}. Default 2. */
  readonly gap?: number;
}

/** A table with borders. Cells may contain terminal colors. */
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

/** A table without borders, as `kubectl` and `pulumi` print them. Cells may contain terminal colors. */
export function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { right = [], widths, gap = 2 } = options;
  if (widths !== undefined) return wrappedTable(head, rows, options);
  const lines = [head, ...rows].flatMap(linesOf);
  const longest = head.map((_, column) => lines.reduce((most, line) => Math.max(most, widthOf(line[column] ?? "")), 0));
  const padded = (cell: string, column: number) => {
    const padding = " ".repeat((longest[column] ?? 0) - widthOf(cell));
    return right.includes(column) ? padding + cell : cell + padding;
  };
  return lines.map((line) => line.map(padded).join(" ".repeat(gap)).replace(/ +$/, "")).join("\n");
}

/** The lines of a row, of which cells may have several. */
function linesOf(row: readonly string[]): (readonly string[])[] {
  if (!row.some((cell) => cell.includes("\n"))) return [row];
  const cells = row.map((cell) => cell.split("\n"));
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => cells.map((texts) => texts[line] ?? ""));
}

/** How many columns of a terminal a text takes. */
function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  const shown = stripVTControlCharacters(text);
  if (/^[ -~]*$/.test(shown)) return shown.length;
  const table = new Table({ style: { "padding-left": 0, "padding-right": 0 } });
  table.push([shown]);
  table.toString();
  return table.options.colWidths[0] ?? 0;
}

/** Rows per part: cli-table3 compares each row with all others, so that thousands would take minutes as one table. */
const MAX_ROWS = 500;

function wrappedTable(head: readonly string[], rows: readonly (readonly string[])[], options: TableOptions): string {
  const parts = Array.from({ length: Math.max(1, Math.ceil(rows.length / MAX_ROWS)) }, (_, part) => {
    const style = { head: [], border: [], "padding-left": 0, "padding-right": options.gap ?? 2 };
    const table = new Table({ ...layoutOf(head, options), head: [...head], chars: NO_LINES, style });
    table.push(...rows.slice(part * MAX_ROWS, (part + 1) * MAX_ROWS).map((row) => [...row]));
    return table.toString().replaceAll(/ +$/gm, "");
  });
  return parts.map((text, part) => (part === 0 ? text : text.slice(text.indexOf("\n") + 1))).join("\n");
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
