import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure, PROJECT_ROOT } from "../../lab/command-line.ts";
import { COMPARED_NDOTS, type FormCost, formatForms } from "../../lab/dns/forms.ts";
import { type BenchRow, ROW, TEAM_COUNTS } from "./suite.ts";

/** The results of a benchmark run. */
export interface BenchDocument {
  readonly node: string;
  readonly cores: number;
  readonly rows: readonly BenchRow[];
  readonly goals: readonly Goal[];
  /** The cost of each form of a name on the cluster; empty without a cluster. */
  readonly forms: readonly FormCost[];
}

/** The results as Markdown, for {@link BENCH_FILE}. */
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
    const perItem = row.count === undefined ? "" : `${((median * 1000) / row.count).toFixed(1)} ms`;
    return `| ${row.name} | ${median.toFixed(2)} s | ${min.toFixed(2)}–${max.toFixed(2)} | ${row.peakMb.toFixed(0)} MB | ${counted} | ${perItem} |`;
  });
  return ["| what | median | min–max | peak memory | makes | each |", "|---|---|---|---|---|---|", ...lines].join("\n");
}

function goalTable(goals: readonly Goal[]): string {
  const lines = goals.map(({ goal, found, met }) => `| ${goal} | ${found} | ${met ? "yes" : "no"} |`);
  return ["| goal | found | met |", "|---|---|---|", ...lines].join("\n");
}

/** A performance goal, and its measurement. */
export interface Goal {
  readonly goal: string;
  readonly found: string;
  readonly met: boolean;
}

const MAX_TIMES_IMPORTS = 2;
const MAX_SECONDS = 30;
const MAX_MB = 1024;
const MAX_DRIFT = 0.2;
const MAX_UNIT_SECONDS = 10;

/** Compares the rows with the goals; goals without rows are omitted. */
export function goalsOf(rows: readonly BenchRow[]): Goal[] {
  const named = (name: string) => rows.find((row) => row.name === name);
  const goals: Goal[] = [];
  const [imports, plan, units] = [named(ROW.imports), named(ROW.plan), named(ROW.units)];
  const [many, few] = [named(ROW.teams(Math.max(...TEAM_COUNTS))), named(ROW.teams(TEAM_COUNTS[2]))];
  if (imports !== undefined && plan !== undefined) {
    const times = plan.seconds.median / imports.seconds.median;
    const goal = `${ROW.plan}: below ${MAX_TIMES_IMPORTS} times ${ROW.imports}`;
    goals.push({ goal, found: `${times.toFixed(2)} times`, met: times < MAX_TIMES_IMPORTS });
  }
  if (many !== undefined) {
    const { median } = many.seconds;
    const found = `${median.toFixed(1)} s, ${many.peakMb.toFixed(0)} MB`;
    const met = median < MAX_SECONDS && many.peakMb < MAX_MB;
    goals.push({ goal: `${many.name}: below ${MAX_SECONDS} s and ${MAX_MB} MB`, found, met });
  }
  const [empty] = rows.filter((row) => row.name === ROW.teams(TEAM_COUNTS[0]));
  if (many !== undefined && few !== undefined && empty !== undefined) {
    // The smallest plan includes the fixed cost of the program, so the difference is the cost of teams.
    const costOf = (row: BenchRow) =>
      (row.seconds.median - empty.seconds.median) / Math.max(1, (row.count ?? 0) - (empty.count ?? 0));
    const drift = costOf(many) / costOf(few) - 1;
    const goal = `a resource costs the same with ${TEAM_COUNTS[2]} and 1,000 teams, within ${MAX_DRIFT * 100} %`;
    goals.push({ goal, found: `${(drift * 100).toFixed(0)} %`, met: Math.abs(drift) <= MAX_DRIFT });
  }
  if (units !== undefined) {
    const { median } = units.seconds;
    const goal = `${ROW.units}: below ${MAX_UNIT_SECONDS} s`;
    goals.push({ goal, found: `${median.toFixed(1)} s`, met: median < MAX_UNIT_SECONDS });
  }
  return goals;
}

/** Page with the tables. */
export const BENCH_FILE = "docs/measurements/speed.md";

const START = "<!-- bench: made by `npm run bench -- --write` -->\n";
const END = "<!-- /bench -->";

/** The page with new tables in their marked place. @throws {Failure} if the place is missing. */
export function withBench(page: string, markdown: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start === -1 || end < start)
    throw new Failure(`${BENCH_FILE} has no place for the tables: ${START.trim()} and ${END}`);
  return `${page.slice(0, start + START.length)}\n${markdown}\n${page.slice(end)}`;
}

/** The tables on the page; undefined if their place is missing. */
export function benchOf(page: string): string | undefined {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  return start === -1 || end < start ? undefined : page.slice(start + START.length, end);
}

/** Writes the tables into {@link BENCH_FILE}. */
export async function writeBench(markdown: string): Promise<void> {
  const file = join(PROJECT_ROOT, BENCH_FILE);
  await writeFile(file, withBench(await readFile(file, "utf8"), markdown));
}
