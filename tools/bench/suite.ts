import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { Failure, PROJECT_ROOT } from "../../lab/command-line.ts";
import { COMPARED_NDOTS, type FormCost, formatForms } from "../../lab/dns/explanation.ts";
import { outputOf, run } from "../../lab/process.ts";
import { readStack } from "../../lab/stack-file.ts";

/** One run of a program, including its child processes. */
export interface Sample {
  readonly seconds: number;
  /** Largest resident set of a single Node process in the run. */
  readonly peakMb: number;
}

/** The statistics of several runs of a program. */
export interface Measurement {
  readonly name: string;
  readonly runs: number;
  readonly seconds: { readonly median: number; readonly min: number; readonly max: number };
  readonly peakMb: number;
}

export interface MeasureOptions {
  /** Number of measured runs. */
  readonly runs: number;
  /** If false, each run compiles everything again, like the first run after an installation. Default true. */
  readonly warm?: boolean | undefined;
}

/** A program with its arguments; `node` means the current one. */
export type Command = readonly [program: string, ...args: string[]];

/** A process only knows its peak at its end, so it writes it to a file then; NODE_OPTIONS adds this to every Node process of a run. */
const REPORT_PEAK = `data:text/javascript,${encodeURIComponent(
  'import { writeFileSync } from "node:fs"; process.on("exit", () => { try { writeFileSync(process.env.BENCH_PEAKS + "/" + process.pid, String(process.resourceUsage().maxRSS)); } catch {} });',
)}`;

/** Runs a command several times and takes the median. A warm measurement starts with an uncounted run. */
export async function measure(name: string, command: Command, options: MeasureOptions): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  try {
    const warm = options.warm ?? true;
    const cache = join(folder, "cache");
    if (warm) await runOnce(command, join(folder, "first"), cache);
    const samples: Sample[] = [];
    for (let run = 0; run < options.runs; run++) {
      samples.push(await runOnce(command, join(folder, `run-${run}`), warm ? cache : join(folder, `cold-${run}`)));
    }
    return summarize(name, samples);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runOnce([program, ...args]: Command, peaks: string, cache: string): Promise<Sample> {
  await mkdir(peaks);
  const start = performance.now();
  const { exitCode, stderr } = await run(program === "node" ? process.execPath : program, args, {
    cwd: PROJECT_ROOT,
    env: {
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import ${REPORT_PEAK}`,
      BENCH_PEAKS: peaks,
      NODE_COMPILE_CACHE: cache,
    },
    stdout: "ignore",
  });
  if (exitCode !== 0) {
    const end = stderr.slice(-2000);
    throw new Failure(`${[program, ...args].join(" ")} ended with exit code ${exitCode}\n${end}`.trimEnd());
  }
  const seconds = (performance.now() - start) / 1000;
  return { seconds, peakMb: await highest(peaks) };
}

async function highest(folder: string): Promise<number> {
  const files = await readdir(folder);
  const sizes = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return Math.max(0, ...sizes.map(Number)) / 1024;
}

/** The median time, the fastest and slowest time, and the highest peak. */
export function summarize(name: string, samples: readonly Sample[]): Measurement {
  const seconds = samples.map((sample) => sample.seconds);
  const peakMb = Math.max(0, ...samples.map((sample) => sample.peakMb));
  return {
    name,
    runs: samples.length,
    seconds: { median: median(seconds), min: Math.min(...seconds), max: Math.max(...seconds) },
    peakMb,
  };
}

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const upper = sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** A measurement, with the number of things created if they can be counted. */
export interface BenchRow extends Measurement {
  readonly count?: number;
  /** What `count` counts. */
  readonly of?: "resources" | "rows";
}

/** Names of the rows with goals. */
export const ROW = {
  imports: "importing the Pulumi packages",
  plan: "lab plan, stack dev",
  teams: (count: number) => `lab plan, ${count.toLocaleString("en")} teams`,
  units: "npm run test:unit",
} as const;

const MAIN = join("lab", "main.ts");
const EMPTY: Command = ["node", "--input-type=module", "--eval", ""];
const PACKAGES = ["pulumi", "aws", "eks", "kubernetes"].map((name) => `import "@pulumi/${name}";`).join(" ");

/** The measurements, and one line per failure. */
export interface SuiteResult {
  readonly rows: readonly BenchRow[];
  /** Failed programs. Their rows are omitted, and the other measurements are kept. */
  readonly failed: readonly string[];
}

/** Runs all measurements without a cluster, in sequence, and reports progress. */
export async function runSuite(runs: number, say: (what: string) => void): Promise<SuiteResult> {
  const rows: BenchRow[] = [];
  const failed: string[] = [];
  const add = async (name: string, command: Command, options: { cold?: true; count?: number } = {}) => {
    say(name);
    const row = await measure(name, command, { runs, warm: options.cold !== true }).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      failed.push(`${name}: ${error.message}`);
      return undefined;
    });
    if (row !== undefined)
      rows.push(options.count === undefined ? row : { ...row, count: options.count, of: "resources" });
  };
  const plan = (...args: string[]): Command => ["node", MAIN, "plan", "--json", ...args];

  await add("an empty program", EMPTY);
  await add(ROW.imports, ["node", "--input-type=module", "--eval", PACKAGES]);
  await add("lab --help", ["node", MAIN, "--help"]);
  const count = await countResources(plan());
  await add(`${ROW.plan}, cold`, plan(), { cold: true, count });
  await add(ROW.plan, plan(), { count });
  await withTeamFiles(TEAM_COUNTS, async (files) => {
    for (const [teams, file] of files) {
      const command = plan("--stack", "local", "--config-file", file);
      await add(ROW.teams(teams), command, { count: await countResources(command) });
    }
    const most = Math.max(...TEAM_COUNTS);
    say(`the parts of a plan of ${most} teams`);
    rows.push(...(await measureStages(`${most.toLocaleString("en")} teams`, files.get(most) ?? "", runs)));
  });
  await add(`${ROW.units}, cold`, ["npm", "run", "test:unit"], { cold: true });
  await add(ROW.units, ["npm", "run", "test:unit"]);
  await add("npm test, cold", ["npm", "test"], { cold: true });
  await add("npm test", ["npm", "test"]);
  return { rows, failed };
}

async function countResources([, ...args]: Command): Promise<number> {
  const text = await outputOf(process.execPath, args, { cwd: PROJECT_ROOT });
  const plan: { readonly resources: readonly unknown[] } = JSON.parse(text);
  return plan.resources.length;
}

/** Numbers of teams from which the cost per team is computed. */
export const TEAM_COUNTS = [2, 20, 200, 1000] as const;

/** Writes the local stack with each number of teams to temporary files for `--config-file`, and runs `use` with them. */
export async function withTeamFiles<T>(
  counts: readonly number[],
  use: (files: ReadonlyMap<number, string>) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bench-teams-"));
  try {
    const local = await readStack("local");
    const files = new Map<number, string>();
    for (const count of counts) {
      const file = join(folder, `Pulumi.teams-${count}.yaml`);
      await writeFile(file, stringify({ config: { ...local.config, "eks-dns-logging:teams": teamsOf(count) } }));
      files.set(count, file);
    }
    return await use(files);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A ring: each team has its two neighbors as peers. */
export function teamsOf(count: number) {
  const name = (index: number) => `bench-${(index + count) % count}`;
  return Array.from({ length: count }, (_, index) => ({
    name: name(index),
    peers: [...new Set([name(index - 1), name(index + 1)])].filter((peer) => peer !== name(index)),
  }));
}

/** Seconds that a process needs for each stage of a plan. */
export interface Stages {
  readonly settings: number;
  readonly program: number;
  readonly policies: number;
  readonly peakMb: number;
}

const WORKER = fileURLToPath(new URL("stages-worker.ts", import.meta.url));

/** Times the stages of a plan, each run in a new process: settings, program, policies. */
export async function measureStages(name: string, file: string, runs: number): Promise<Measurement[]> {
  const samples: Stages[] = [];
  for (let run = 0; run < runs; run++) {
    const stages: Stages = JSON.parse(await outputOf(process.execPath, [WORKER, file]));
    samples.push(stages);
  }
  const part = (what: string, stage: "settings" | "program" | "policies") =>
    summarize(
      `${name}: ${what}`,
      samples.map((sample) => ({ seconds: sample[stage], peakMb: sample.peakMb })),
    );
  return [part("settings", "settings"), part("the program", "program"), part("policies", "policies")];
}

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
