import { styleText } from "node:util";
import { plainTable } from "../output/table.ts";
import type { Row, Status } from "./outcome.ts";
import { causes, summaryLine, type VerifyResult } from "./result.ts";

const COLOURS = { pass: "green", warn: "yellow", fail: "red", skip: "gray" } as const;
const WORDS: Readonly<Record<Status, string>> = { pass: "pass", warn: "warn", fail: "FAIL", skip: "skip" };

export interface TableOptions {
  readonly colour: boolean;
  /** Width of the terminal in characters. */
  readonly width: number;
}

/** The rows, the likely causes of those that did not pass, and a line that counts them. */
export function formatResult(result: VerifyResult, options: TableOptions): string {
  const painted = (status: Status, text: string) =>
    options.colour ? styleText(COLOURS[status], text, { validateStream: false }) : text;
  const lines = [tableOf(result.rows, options, painted), ""];
  for (const { status, cause, ids } of causes(result.rows)) {
    const shown = ids.length > 3 ? `${ids.slice(0, 3).join(", ")} and ${ids.length - 3} more` : ids.join(", ");
    lines.push(`${painted(status, WORDS[status])} ${shown}: ${cause}`);
  }
  const worst = result.rows.some((row) => row.status === "fail") ? "fail" : "pass";
  lines.push(painted(worst, `${result.context} (${result.version}): ${summaryLine(result)}`));
  return `${lines.join("\n")}\n`;
}

/** Columns that take what they need; the detail gets the rest and wraps. */
function tableOf(
  rows: readonly Row[],
  { width }: TableOptions,
  painted: (status: Status, text: string) => string,
): string {
  const head = ["", "id", "what", "to", "detail", "ms"];
  const cells = rows.map((row) => [WORDS[row.status], row.id, row.what, row.to, row.detail, String(row.milliseconds)]);
  const longest = (column: number) => Math.max(...[head, ...cells].map((line) => line[column]?.length ?? 0));
  const others = [0, 1, 2, 3, 5].reduce((sum, column) => sum + longest(column) + 2, 0);
  const detail = Math.max(30, Math.min(longest(4) + 2, width - others));
  return plainTable(
    head,
    cells.map(([status = "", ...others], index) => [painted(rows[index]?.status ?? "skip", status), ...others]),
    { right: [5], widths: [null, null, null, null, detail, null] },
  );
}
