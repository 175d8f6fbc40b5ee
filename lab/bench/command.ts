import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import type { BenchRow } from "./suite.ts";

interface BenchFlags {
  readonly runs: number;
  readonly output?: string;
  readonly json?: true;
}

/** Adds `bench` to the command line. */
export function registerBench(program: Command): void {
  program
    .command("bench")
    .description("measure start-up, plans from 2 to 1,000 teams and the unit tests, as whole processes")
    .option("--runs <number>", "counted runs of each", wholeNumber, 5)
    .option("--json", "print one JSON document instead of the table")
    .option("--output <file>", "write the JSON document to a file as well")
    .action(bench);
}

async function bench(flags: BenchFlags): Promise<void> {
  const { default: ora } = await import("ora");
  const { runSuite } = await import("./suite.ts");
  const spinner = ora({ stream: process.stderr }).start("measuring");
  const rows = await runSuite(flags.runs, (what) => {
    spinner.text = `measuring: ${what}`;
  }).finally(() => spinner.stop());
  const document = `${JSON.stringify({ node: process.version, cores: cpus().length, rows }, null, 2)}\n`;
  if (flags.output !== undefined) await writeFile(flags.output, document);
  process.stdout.write(flags.json ? document : formatBench(rows));
}

/** The table as Markdown, as it stands in the README. */
export function formatBench(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => {
    const { median, min, max } = row.seconds;
    const perResource = row.resources === undefined ? "" : `${((median * 1000) / row.resources).toFixed(1)} ms`;
    return `| ${row.name} | ${median.toFixed(2)} s | ${min.toFixed(2)}–${max.toFixed(2)} | ${row.peakMb.toFixed(0)} MB | ${row.resources ?? ""} | ${perResource} |`;
  });
  const head = ["| what | median | min–max | peak memory | resources | a resource |", "|---|---|---|---|---|---|"];
  return `${[...head, ...lines].join("\n")}\n`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
}
