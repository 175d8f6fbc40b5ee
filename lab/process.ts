import { NonZeroExitError, x } from "tinyexec";
import { Failure } from "./command-line.ts";

/** What a program left behind. */
export interface ProcessResult {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Working directory. Default: that of this process. */
  readonly cwd?: string;
  /** Added to the environment of this process; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Stops the program. */
  readonly signal?: AbortSignal;
  /** Stops the program after this many seconds. Default: never. */
  readonly timeoutSeconds?: number;
  /** Where its output goes. Default: it is captured. */
  readonly stdout?: "ignore" | "pipe";
}

/** Environment in which programs print no colors. */
export const PLAIN_OUTPUT = { NO_COLOR: "1", FORCE_COLOR: undefined } as const;

/** A program that ended with another exit code than 0. */
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
 * Runs a program to its end, without a shell, and returns what it printed whatever its exit code is.
 * @throws the error of `spawn` where it does not start (`code` is `ENOENT` where there is no such program), a TimeoutError, or the
 * signal's reason.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { cwd, env, signal, timeoutSeconds, stdout = "pipe" } = options;
  signal?.throwIfAborted();
  const result = await x(program, args, {
    // The person's programs, not those of the packages in node_modules.
    nodePath: false,
    nodeOptions: { stdio: ["ignore", stdout, "pipe"], ...(cwd && { cwd }), env: { ...process.env, ...env } },
    ...(signal && { signal }),
    ...(timeoutSeconds && { timeout: timeoutSeconds * 1000 }),
  });
  signal?.throwIfAborted();
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/**
 * What a program prints.
 * @throws {ProcessError} where it ends with another exit code than 0, and as {@link run}.
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
 * Runs a program and shows what it prints on stderr, where the progress of `up` goes.
 * @throws {Failure} where it fails.
 */
export async function streamed(program: string, args: readonly string[]): Promise<void> {
  const stdio: ["ignore", NodeJS.WriteStream, NodeJS.WriteStream] = ["ignore", process.stderr, process.stderr];
  await x(program, args, { nodePath: false, throwOnError: true, nodeOptions: { stdio } }).then(
    () => {},
    (error: unknown) => {
      throw new Failure(
        error instanceof NonZeroExitError
          ? `'${program} ${args.join(" ")}' failed (exit code ${error.exitCode}); its output is above`
          : `${program} does not run: ${error instanceof Error ? error.message : String(error)}`,
      );
    },
  );
}
