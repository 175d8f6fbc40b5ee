import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** What a program left. */
export interface Run {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in a folder to its end, or until the signal stops it. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<Run> {
  const child = spawn(program, [...args], {
    ...options,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    // npm is a script on Windows.
    shell: process.platform === "win32" && program === "npm",
  });
  const exit = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [exitCode, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}
