import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { PROJECT_ROOT } from "../project.ts";

/** One run of a Node program as a whole process. */
export interface Sample {
  readonly seconds: number;
  /** Largest resident set of the process. */
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
  readonly warm?: boolean;
}

/** A process tells its own peak only as it ends, so it writes it down then. */
const REPORT_PEAK = `data:text/javascript,${encodeURIComponent(
  'import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(process.env.BENCH_REPORT, String(process.resourceUsage().maxRSS)));',
)}`;

/** Runs `node ARGS` a number of times and takes the median. A warm measurement has one run first that is not counted. */
export async function measure(name: string, args: readonly string[], options: MeasureOptions): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  try {
    const warm = options.warm ?? true;
    const cache = join(folder, "cache");
    if (warm) await runOnce(args, folder, cache);
    const samples: Sample[] = [];
    for (let run = 0; run < options.runs; run++) {
      samples.push(await runOnce(args, folder, warm ? cache : join(folder, `cold-${run}`)));
    }
    return summarize(name, samples);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runOnce(args: readonly string[], folder: string, cache: string): Promise<Sample> {
  const report = join(folder, "peak");
  const start = performance.now();
  const child = spawn(process.execPath, ["--import", REPORT_PEAK, ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, BENCH_REPORT: report, NODE_COMPILE_CACHE: cache },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`node ${args.join(" ")} ended with exit code ${code}`);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, peakMb: Number(await readFile(report, "utf8")) / 1024 };
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
