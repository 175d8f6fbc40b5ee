import { spawn } from "node:child_process";
import { Failure } from "../failure.ts";

/**
 * Runs a program and shows what it says on stderr, where the progress of `up` goes.
 * @throws {Failure} where it fails.
 */
export async function streamed(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", process.stderr, process.stderr] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on("error", (error) => reject(new Failure(`${program} does not run: ${error.message}`)));
  child.on("close", (code) => {
    if (code === 0) resolve();
    else reject(new Failure(`'${program} ${args.join(" ")}' failed (exit code ${code}); what it said stands above`));
  });
  await promise;
}
