import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Failure, PROJECT_ROOT } from "../../lab/command-line.ts";
import { run } from "../../lab/process.ts";

/** One run of a program as a whole process, with all that it starts. */
export interface Sample {
  readonly seconds: number;
  /** Largest resident set of one Node process of the run. */
  readonly peakMb: number;
}

/** Several runs of the same program. */
export interface Measurement {
  readonly name: string;
  readonly runs: number;
  readonly seconds: { readonly median: number; readonly min: number; readonly max: number };
  readonly peakMb: number;
}

export interface MeasureOptions {
  /** Counted runs. */
  readonly runs: number;
  /** With false each run compiles everything anew, as the first run after an installation does. Default true. */
  readonly warm?: boolean | undefined;
}

/** A program with its arguments; `node` is the one that runs this. */
export type Command = readonly [program: string, ...args: string[]];

/** A process tells its own peak only as it ends, so it writes it down then; NODE_OPTIONS has it in every Node process of a run. */
const REPORT_PEAK = `data:text/javascript,${encodeURIComponent(
  'import { writeFileSync } from "node:fs"; process.on("exit", () => { try { writeFileSync(process.env.BENCH_PEAKS + "/" + process.pid, String(process.resourceUsage().maxRSS)); } catch {} });',
)}`;

/** Runs a command a number of times and takes the median. A warm measurement has one run first that is not counted. */
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

/** The middle run's time, with the quickest and the slowest, and the highest peak. */
export function summarize(name: string, samples: readonly Sample[]): Measurement {
  const sorted = samples.map((sample) => sample.seconds).sort((a, b) => a - b);
  const [min = 0] = sorted;
  const max = sorted.at(-1) ?? 0;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const upper = sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0;
  const peakMb = Math.max(0, ...samples.map((sample) => sample.peakMb));
  return { name, runs: samples.length, seconds: { median: (lower + upper) / 2, min, max }, peakMb };
}
