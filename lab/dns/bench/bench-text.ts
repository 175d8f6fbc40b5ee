import { columns, ms } from "../../output/table.ts";
import type { BenchResult, BenchRow } from "./bench.ts";
import { bucketName, codesOf, KINDS, methodOf } from "./bench-labels.ts";

const BAR = 40;

/** The result for a terminal: a table, and the times of each kind of name as bars. */
export function formatBench(result: BenchResult): string {
  const head = ["names", "asked", "answered", "q/s", "p50 ms", "p90", "p99", "max", "answers"];
  const measured = result.rows.filter((row) => row.summary !== undefined);
  const lines = [
    `DNS of ${result.context} from ${result.from}`,
    methodOf(result),
    "",
    ...columns(head, measured.map(cells), [1, 2, 3, 4, 5, 6, 7]),
    ...result.rows.flatMap(({ kind, name, skipped }) =>
      skipped === undefined ? [] : [`not measured: ${KINDS[kind]}, ${name}: ${skipped}`],
    ),
    ...measured.flatMap((row) => ["", ...diagram(row)]),
  ];
  return `${lines.join("\n")}\n`;
}

function cells({ kind, summary }: BenchRow): string[] {
  if (summary === undefined) return [];
  const { asked, answered, perSecond, p50, p90, p99, max, codes } = summary;
  const counts = [String(asked), String(answered), perSecond.toFixed(0)];
  return [KINDS[kind], ...counts, ...[p50, p90, p99, max].map(ms), codesOf(codes)];
}

function diagram({ kind, name, summary }: BenchRow): string[] {
  const counts = summary?.histogram ?? [];
  const most = Math.max(1, ...counts);
  const lines = counts.map((count, index) => {
    // One answer among thousands is the one that matters, so it gets a mark.
    const bar = "█".repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * BAR)));
    return `  ${bucketName(index).padStart(10)} ${String(count).padStart(6)} ${bar}`.trimEnd();
  });
  return [`${KINDS[kind]}, ${name}`, ...lines];
}
