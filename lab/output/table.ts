import Table from "cli-table3";

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

/**
 * Rows per part: cli-table3 compares each row with all others, so a large audit would take minutes as one table, and takes seconds in
 * parts.
 */
const MAX_ROWS = 500;

/** A table without borders, as `kubectl` and `pulumi` print them. Cells may contain terminal colors. */
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

/** Milliseconds, with two decimals for small values. */
export function ms(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function plural(count: number, word: string): string {
  const many = word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
  return `${count} ${count === 1 ? word : many}`;
}
