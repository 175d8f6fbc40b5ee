import { fileURLToPath } from "node:url";
import { outputOf } from "../../lab/process.ts";
import { type Measurement, summarize } from "./measure.ts";

/** What one process took for each part of a plan, in seconds. */
export interface Stages {
  readonly settings: number;
  readonly program: number;
  readonly policies: number;
  readonly peakMb: number;
}

const WORKER = fileURLToPath(new URL("stages-worker.ts", import.meta.url));

/** Times the parts of a plan, each run in a process of its own: reading the settings, the program, the policies. */
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
