import { COMPARED_NDOTS, type FormCost, formatForms } from "../../lab/dns/forms.ts";
import type { Goal } from "./goals.ts";
import type { BenchRow } from "./suite.ts";

/** All that a run of the bench found. */
export interface BenchDocument {
  readonly node: string;
  readonly cores: number;
  readonly rows: readonly BenchRow[];
  readonly goals: readonly Goal[];
  /** What each form of a name costs on the cluster; empty without one. */
  readonly forms: readonly FormCost[];
}

/** The document as Markdown, as it stands in the README. */
export function formatBench({ node, cores, rows, goals, forms }: BenchDocument): string {
  const runs = Math.max(0, ...rows.map((row) => row.runs));
  const parts = [`Median of ${runs} runs, Node ${node}, ${cores} cores.`, table(rows)];
  if (goals.length > 0) parts.push(goalTable(goals));
  if (forms.length > 0)
    parts.push(`What a name costs a pod, with ndots ${COMPARED_NDOTS.join(", ")}:`, formatForms(forms).trimEnd());
  return `${parts.join("\n\n")}\n`;
}

function table(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => {
    const { median, min, max } = row.seconds;
    const counted = row.count === undefined ? "" : `${row.count.toLocaleString("en")} ${row.of}`;
    const each = row.count === undefined ? "" : `${((median * 1000) / row.count).toFixed(1)} ms`;
    return `| ${row.name} | ${median.toFixed(2)} s | ${min.toFixed(2)}–${max.toFixed(2)} | ${row.peakMb.toFixed(0)} MB | ${counted} | ${each} |`;
  });
  return ["| what | median | min–max | peak memory | makes | each |", "|---|---|---|---|---|---|", ...lines].join("\n");
}

function goalTable(goals: readonly Goal[]): string {
  const lines = goals.map(({ goal, found, met }) => `| ${goal} | ${found} | ${met ? "yes" : "no"} |`);
  return ["| goal | found | met |", "|---|---|---|", ...lines].join("\n");
}
