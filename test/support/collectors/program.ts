import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, createWriteStream } from "node:fs";
import { delimiter, join } from "node:path";

/** A collector's program on this machine: named by a variable such as FLUENT_BIT_BINARY, or on the PATH; undefined where there is none. */
export function findProgram(name: string): string | undefined {
  const variable = `${name.toUpperCase().replaceAll("-", "_")}_BINARY`;
  const named = process.env[variable];
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...(named === undefined ? [] : [named]), ...folders.map((folder) => join(folder, name))].find(isExecutable);
}

/** Why a test of a program is left out. */
export function whyMissing(name: string): string {
  return `no ${name} on the PATH or in ${name.toUpperCase().replaceAll("-", "_")}_BINARY`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A running program; its output goes to a file. */
export class Running {
  readonly #child: ChildProcess;

  constructor(
    program: string,
    args: readonly string[],
    logFile: string,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(logFile, { flags: "a" });
    this.#child.stdout?.pipe(log, { end: false });
    this.#child.stderr?.pipe(log, { end: false });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Asks it to stop, or kills it, and waits until it is gone.
   * @param graceSeconds After these it is killed, as Kubernetes does. Default: never.
   */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM", graceSeconds?: number): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill(signal);
    const timer =
      graceSeconds === undefined ? undefined : setTimeout(() => this.#child.kill("SIGKILL"), graceSeconds * 1000);
    await gone;
    clearTimeout(timer);
  }
}
