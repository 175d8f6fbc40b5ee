import { readdir, readFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { Failure } from "../command-line.ts";
import { FETCH_NOTHING, findPulumi, pathWithNode } from "./programs.ts";
import { adviceOn, reasonOf } from "./pulumi-errors.ts";
import type { Memory, StateFolder } from "./state.ts";

/** Writes the project of a stack into its state folder, for the cluster of the memory, and opens the stack there or creates it. */
export async function openStack(folder: StateFolder, memory: Memory): Promise<Stack> {
  await folder.writeProject(memory);
  const pulumiCommand = await findPulumi();
  const opening = LocalWorkspace.createOrSelectStack(
    { stackName: folder.stack, workDir: folder.project },
    {
      pulumiCommand,
      envVars: {
        PATH: pathWithNode(),
        PULUMI_BACKEND_URL: folder.backend,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        ...FETCH_NOTHING,
        ...absoluteKubeconfig(),
        // A local lab's state holds nothing worth a passphrase that the user would have to remember.
        ...(process.env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined
          ? { PULUMI_CONFIG_PASSPHRASE: process.env.PULUMI_CONFIG_PASSPHRASE ?? "" }
          : {}),
      },
    },
  );
  const stack = await opening.catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
    // Another run created the stack after this one had not found it.
    if (/\bstack '[^']+' already exists/.test(error.message)) throw anotherRun(folder.stack);
    throw new Failure(`cannot open the lab's state: ${reasonOf(error)}`);
  });
  const { name: project } = await stack.workspace.projectSettings();
  await releaseStaleLock(stack, { stack: folder.stack, project, backend: folder.backend });
  return stack;
}

/** The kubeconfig paths as absolute ones, because the CLI runs in another folder. */
function absoluteKubeconfig(): Record<string, string> {
  const named = process.env.KUBECONFIG;
  if (named === undefined || named === "") return {};
  const files = named.split(delimiter).filter((file) => file !== "");
  return { KUBECONFIG: files.map((file) => resolve(file)).join(delimiter) };
}

/** A stack and the location of its state. */
interface StackPlace {
  readonly stack: string;
  readonly project: string;
  /** URL for `pulumi login`. */
  readonly backend: string;
}

/**
 * Releases the lock that a killed run on this machine left in a file backend. For a lock of another machine, the next command names its
 * holder.
 * @throws {Failure} if the run that holds it may still be active.
 */
export async function releaseStaleLock(stack: Stack, place: StackPlace): Promise<void> {
  const held = await locks(place);
  for (const { pid, hostname: host } of held) {
    const isLocal = host === hostname();
    if (!isLocal || isAlive(pid)) throw anotherRun(place.stack, ` (process ${pid}${isLocal ? "" : ` on ${host}`})`);
  }
  if (held.length > 0) await stack.cancel();
}

function anotherRun(stack: string, who = ""): Failure {
  return new Failure(`another run is using stack '${stack}'${who}: wait until it ends`, 2);
}

const Lock = z.object({ pid: z.number(), hostname: z.string() });

/**
 * The locks of a stack in a file backend: one file each, naming its process.
 * @see https://www.pulumi.com/docs/iac/concepts/state-and-backends/#local-filesystem
 */
async function locks({ stack, project, backend }: StackPlace): Promise<z.infer<typeof Lock>[]> {
  if (!backend.startsWith("file:")) return [];
  const root = backend.startsWith("file://~")
    ? join(homedir(), backend.slice("file://~".length))
    : fileURLToPath(backend.split("?")[0] ?? "");
  const folder = join(root, ".pulumi", "locks", "organization", project, stack);
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(".json"));
  const contents = await Promise.all(files.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8"))));
  return contents.flatMap((lock) => Lock.safeParse(lock).data ?? []);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Shows Pulumi's progress on stderr, which leaves stdout to the table or the JSON document. */
export function pulumiOutput() {
  const color: "always" | "never" = process.stderr.hasColors?.() ? "always" : "never";
  const write = withoutRepeats((text) => {
    process.stderr.write(text);
  });
  return { onOutput: write, onError: write, color, suppressProgress: true };
}

/** A progress line of a resource: name, operation, seconds, perhaps a message. */
const PROGRESS = /^(.*(?:creating|updating|deleting|refreshing|replacing|replacement)) \(\d+s\)(.*)$/;

/** Advice of `destroy` about removing the stack, which `down` does itself; in the user's own folder it would hit another stack. */
const ADVICE = /^(The resources in the stack have been deleted, but|If you want to remove the stack completely, run)/;

/**
 * Drops repeated progress lines: without a terminal, the CLI prints a resource's line for each of its events. Also drops its advice on
 * `stack rm`.
 */
export function withoutRepeats(write: (text: string) => void): (text: string) => void {
  let rest = "";
  const written = new Set<string>();
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((candidate) => !ADVICE.test(candidate))) {
      const [, start, message] = PROGRESS.exec(line) ?? [];
      const key = start === undefined ? undefined : `${start}${message?.trim()}`;
      if (key !== undefined && written.has(key)) continue;
      if (key !== undefined) written.add(key);
      write(`${line}\n`);
    }
  };
}

/**
 * Runs a Pulumi operation. Ctrl-C reaches the CLI directly, which then shuts down; this process waits for it.
 * @throws {Failure} in one line, because Pulumi has printed its own diagnostics.
 */
export async function operate<T>(command: string, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let interrupted = false;
  const wait = () => {
    interrupted = true;
  };
  const terminate = () => {
    interrupted = true;
    stop.abort();
  };
  process.on("SIGINT", wait);
  process.on("SIGTERM", terminate);
  try {
    return await operation(stop.signal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const [, stack, pid] = LOCKED.exec(error.message) ?? [];
    if (stack !== undefined) throw anotherRun(stack, ` (process ${pid})`);
    const state = interrupted ? "was interrupted" : `failed: ${reasonOf(error)}`;
    throw new Failure(`pulumi ${command} ${state}; ${adviceOn(error.message)}`);
  } finally {
    process.off("SIGINT", wait);
    process.off("SIGTERM", terminate);
  }
}

/** The CLI's message if another run has locked the stack in a file backend meanwhile. */
const LOCKED =
  /\bthe stack is currently locked by\b[\s\S]*?\/locks\/\S*?([^/\s]+)\/[^/\s]+\.json\S*: created by \S+ \(pid (\d+)\)/;
