import { type ChildProcess, spawn, spawnSync } from "node:child_process";
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

/** How a program tells its parts, and the one that reads the node's journal: a build may be without it. */
const JOURNAL_PARTS: Readonly<Record<string, { readonly args: readonly string[]; readonly part: RegExp }>> = {
  "fluent-bit": { args: ["--help"], part: /^ +systemd /m },
  vector: { args: ["list"], part: /journald/ },
};

/** Whether a program is on this machine and was built with what reads the node's journal, as those are that cannot be asked. */
export function readsJournal(name: string): boolean {
  const program = findProgram(name);
  if (program === undefined) return false;
  const asked = JOURNAL_PARTS[name];
  return asked === undefined || asked.part.test(spawnSync(program, asked.args, { encoding: "utf8" }).stdout);
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
