import { access, constants, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { enableCompileCache } from "node:module";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { type AddHelpTextContext, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { SettingsError } from "../components/schema/errors.ts";
import { otherThanFile } from "../components/schema/file-kind.ts";

/** Root folder of the project, with Pulumi.yaml and index.ts. */
export const PROJECT_ROOT = fileURLToPath(new URL("..", import.meta.url));

/** An error that the user can fix; printed without a stack trace. */
export class Failure extends Error {
  /** Exit code of the command: 1 if it failed, 2 if it could not be tried. */
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}

/** Whether stdout already holds a JSON document; it must hold only one. */
let hasWrittenJson = false;

/** Writes a command's result to stdout: text, without colors unless stdout is a terminal, or an object as a JSON document. */
export function writeOutput(result: string | object): void {
  hasWrittenJson ||= typeof result !== "string";
  const text = typeof result === "string" ? result : `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(process.stdout.isTTY || typeof result !== "string" ? text : stripVTControlCharacters(text));
}

/** A command line without commands. Commands added to it report errors the same way. */
export function commandLine(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .showHelpAfterError("(add --help for the options)")
    .exitOverride()
    .hook("preAction", (_, action) => refuseEmptyOptions(action));
}

/** Rejects empty option values: they usually come from an unset variable, and would silently mean the default stack or cluster. */
function refuseEmptyOptions(command: Command): void {
  const values = command.opts<Readonly<Record<string, unknown>>>();
  const empty = command.options.find((option) => values[option.attributeName()] === "");
  if (empty !== undefined) command.error(`error: option '${empty.flags}' must not be empty`);
}

/** A text below a command's options, whose paragraphs are wrapped to the terminal like these. For `addHelpText("after", …)`. */
export function helpNote(text: string): (context: AddHelpTextContext) => string {
  return ({ command, error }) => {
    const help = command.createHelp();
    const { columns } = error ? process.stderr : process.stdout;
    const width = help.helpWidth ?? (columns || DEFAULT_WIDTH);
    const paragraphs = text.split("\n").map((paragraph) => help.boxWrap(paragraph, width));
    return `\n${paragraphs.join("\n")}`;
  };
}

/** Commander's own width if the output is not a terminal. */
const DEFAULT_WIDTH = 80;

/** Adds the options that choose a stack. @param byDefault Name of the stack if neither option is set. */
export function stackOptions(command: Command, byDefault: string): Command {
  return command
    .addOption(new Option("-s, --stack <name>", "stack, as in Pulumi.NAME.yaml").default(byDefault))
    .option(
      "--config-file <file>",
      "read the stack from this file; a file named Pulumi.NAME.yaml also sets the stack's name",
    )
    .hook("preAction", (_, action) => {
      const { configFile } = action.opts<{ readonly configFile?: string }>();
      const name = configFile === undefined ? undefined : stackNamedBy(configFile);
      if (name === undefined || action.getOptionValueSource("stack") !== "default") return;
      action.setOptionValueWithSource("stack", name, "implied");
    });
}

/** The stack that a file's name implies, such as `prod` for `stacks/Pulumi.prod.yaml`. */
function stackNamedBy(file: string): string | undefined {
  return /^Pulumi\.([\w.-]+)\.(?:ya?ml|json)$/.exec(basename(file))?.[1];
}

/** Adds the options that choose a cluster. @param context Which context is used by default. */
export function kubeconfigOptions(command: Command, context = "the stack's, else the current one"): Command {
  return command
    .option("--context <name>", `kubeconfig context (default: ${context})`)
    .option("--kubeconfig <file>", "kubeconfig file (default: the stack's, else $KUBECONFIG, else ~/.kube/config)");
}

/** Returns a parser for an option that is an integer from `min` to `max`. Default: without a maximum. */
export function between(min: number, max = Number.POSITIVE_INFINITY): (value: string) => number {
  const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be an integer ${range}.`);
  };
}

/** A parser for an option that may be repeated. */
export function appended(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** A parser that makes `--only a b`, `--only a,b` and `--only a --only b` equivalent. */
export function commaList(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, ...value.split(",").filter((part) => part !== "")];
}

/** Runs an action while signals that end the process are handled. */
export async function whileHandling<T>(onSignal: () => void, action: () => Promise<T>): Promise<T> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await action();
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

/** Runs a command line and sets the exit code of the process. */
export async function runCommandLine(program: Command): Promise<void> {
  // For the maintainers' tools; `lab` has enabled it before its first module.
  enableCompileCache();
  // The reader may close the pipe early, as `head` does; that is not a failure.
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") return;
    process.stderr.write(`cannot write the output: ${code ?? message}\n`);
    process.exitCode = 2;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    const exitCode = report(error);
    process.exitCode = exitCode;
    const needsJson = process.argv.includes("--json") && exitCode !== 0;
    if (needsJson && !hasWrittenJson) writeOutput({ errors: messagesOf(error) });
  }
  endSoon();
}

/** Ends the process if only an abandoned request keeps it alive, which its server may never answer. */
function endSoon(): void {
  setTimeout(() => (process.stdout.writableLength > 0 ? endSoon() : process.exit()), 1000).unref();
}

/** Prints an error and returns the exit code. Only unexpected errors keep their stack trace. */
function report(error: unknown): number {
  // Commander has already printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Failure) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  // Errors in settings, and what a cluster answers while a command runs.
  if (error instanceof Error && ["SettingsError", "ClusterError"].includes(error.name)) {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 70;
}

/** Whether an error lists issues of settings. Its class is not imported, since most commands never load it. */
function isSettingsError(error: Error): error is Error & Pick<SettingsError, "sentences"> {
  return error.name === "SettingsError" && "sentences" in error;
}

/** The errors as single sentences, for the JSON document. */
function messagesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  if (isSettingsError(error)) return [...error.sentences];
  return [error.message.replace(/^error: /, "").replace("\n(Did", " (did")];
}

/** A status line on stderr. */
interface Progress {
  /** Replaces the text of the line. */
  update(text: string): void;
  /** Removes the line. */
  stop(): void;
}

/** Starts a spinner with a text. Prints nothing unless stderr is a terminal. */
export async function progress(text: string): Promise<Progress> {
  // On a terminal that reports zero columns, ora clears lines endlessly.
  if (!process.stderr.isTTY || !(process.stderr.columns > 0)) return { update: () => {}, stop: () => {} };
  const { default: ora } = await import("ora");
  const spinner = ora({ text, stream: process.stderr }).start();
  return {
    update(next) {
      spinner.text = next;
    },
    stop: () => spinner.stop(),
  };
}

/**
 * The bytes of a file that the user names.
 * @throws {Failure} if it does not exist, or is a folder or an endless device.
 */
export async function fileBytes(path: string): Promise<Buffer> {
  const kind = otherThanFile(path);
  if (kind !== undefined) throw new Failure(`${path} is ${kind}, not a file`, 2);
  return readFile(path).catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new Failure(code === "ENOENT" ? `no file ${path}` : `${path} cannot be read: ${code ?? message}`, 2);
  });
}

/** The text of a file that the user names. @throws {Failure} as {@link fileBytes} */
export async function fileText(path: string): Promise<string> {
  const bytes = await fileBytes(path);
  return bytes.toString("utf8");
}

/** Checks that output files can be written before the long work starts. @throws {Failure} */
export async function refuseUnwritable(...files: readonly (string | undefined)[]): Promise<void> {
  for (const file of files) {
    if (file === undefined) continue;
    await access(dirname(file), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      throw new Failure(`${file} cannot be written: ${error.code ?? error.message}`, 2);
    });
  }
}

/** Writes a file that the user names, with the folders above it, and says so. @throws {Failure} if it cannot be written. */
export async function writeNamedFile(file: string, text: string): Promise<void> {
  const written = makeFolder(dirname(file)).then(() => writeFile(file, text));
  await written.catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${file} cannot be written: ${error.code ?? error.message}`, 2);
  });
  process.stderr.write(`Wrote ${file}\n`);
}

/**
 * Creates a folder and its parents. Node's own `recursive` loops forever if a parent exists and cannot hold folders: `/proc`, or a link to
 * a disk that is not mounted.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (await isFolder(folder)) return;
    const above = dirname(folder);
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || above === folder || (await isFolder(above))) throw error;
    await makeFolder(above);
    await mkdir(folder);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/** A text as one word of a shell command, quoted if it needs to be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
