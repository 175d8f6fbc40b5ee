import { join } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { type ProcessResult, run } from "../../lab/process.ts";

/** What a run of a command line left. */
export type LabRun = ProcessResult;

/** Runs `lab` as a person would, in a process of its own. */
export function runLab(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<LabRun> {
  return runProgram("lab/main.ts", args, env);
}

/** Runs a program of the project, such as `tools/bench/index.ts`, in a process of its own. */
export function runProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<LabRun> {
  return run(process.execPath, [join(PROJECT_ROOT, file), ...args], { env: { NO_COLOR: "1", ...env } });
}
