import { NonZeroExitError, x } from "tinyexec";
import { Failure } from "./command-line.ts";

/** The result of a program. */
export interface ProcessResult {
  /** Undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Working directory. Default: that of this process. */
  readonly cwd?: string;
  /** Merged into the environment of this process; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Stops the program. */
  readonly signal?: AbortSignal;
  /** Stops the program after this many seconds. Default: never. */
  readonly timeoutSeconds?: number;
  /** What to do with its stdout. Default: capture it. */
  readonly stdout?: "ignore" | "pipe";
}

/** Environment in which programs print no colors. */
export const PLAIN_OUTPUT = { NO_COLOR: "1", FORCE_COLOR: undefined } as const;

/** Runs the AWS CLI and returns its stdout. Functions take it as a parameter, so that tests run without the CLI. */
export type Aws = (args: readonly string[]) => Promise<string>;

/** A program that exited with a code other than 0. */
export class ProcessError extends Error {
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(message: string, result: Pick<ProcessResult, "exitCode" | "stderr">) {
    super(message);
    this.name = "ProcessError";
    this.exitCode = result.exitCode;
    this.stderr = result.stderr;
  }
}

/**
 * Runs a program, without a shell, and returns its output whatever its exit code.
 * @throws the error of `spawn` if it does not start, for which {@link isMissingProgram} may hold, a TimeoutError, or the signal's reason.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { cwd, env, signal, timeoutSeconds, stdout = "pipe" } = options;
  signal?.throwIfAborted();
  const result = await x(program, args, {
    // Use the user's programs, not those in node_modules/.bin.
    nodePath: false,
    nodeOptions: { stdio: ["ignore", stdout, "pipe"], ...(cwd && { cwd }), env: { ...process.env, ...env } },
    ...(signal && { signal }),
    ...(timeoutSeconds && { timeout: timeoutSeconds * 1000 }),
  });
  signal?.throwIfAborted();
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** Whether {@link run} failed because the program does not exist. */
export function isMissingProgram(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/**
 * Runs a program and returns its stdout.
 * @throws {ProcessError} if it exits with a code other than 0, and as {@link run}.
 */
export async function outputOf(program: string, args: readonly string[], options?: ProcessOptions): Promise<string> {
  const result = await run(program, args, options);
  if (result.exitCode === 0) return result.stdout;
  throw new ProcessError(
    `${[program, ...args].join(" ")} failed with ${result.exitCode === undefined ? "a signal" : `exit code ${result.exitCode}`}`,
    result,
  );
}

/**
 * Runs a program and shows its output on stderr, like the progress of `up`.
 * @throws {Failure} if it fails.
 */
export async function streamed(program: string, args: readonly string[]): Promise<void> {
  const stdio: ["ignore", NodeJS.WriteStream, NodeJS.WriteStream] = ["ignore", process.stderr, process.stderr];
  await x(program, args, { nodePath: false, throwOnError: true, nodeOptions: { stdio } }).then(
    () => {},
    (error: unknown) => {
      throw new Failure(
        error instanceof NonZeroExitError
          ? `'${program} ${args.join(" ")}' failed (exit code ${error.exitCode}); its output is above`
          : `${program} cannot be started: ${error instanceof Error ? error.message : String(error)}`,
      );
    },
  );
}
