import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalWorkspace, PulumiCommand, type Stack, type Workspace } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { Failure, PROJECT_ROOT } from "../command-line.ts";
import { outputOf, streamed } from "../process.ts";
import { adviceOn, reasonOf } from "./pulumi-errors.ts";
import { type Memory, STATE_ROOT, type StateFolder } from "./state.ts";

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

/** Version of Pulumi's npm package, used if no CLI is installed. */
export const NPX_VERSION = "3.265.0";

/**
 * Oldest supported CLI, as major and minor: older ones lack `up --refresh --run-program` or fail when a resource is replaced or gone.
 * @see https://github.com/pulumi/pulumi/blob/master/CHANGELOG.md
 */
const OLDEST_CLI = [3, 207] as const;

/** PATH with the project's Node first: the CLI runs the program with the first Node on the PATH, and older ones cannot run TypeScript. */
export function pathWithNode(path: string = process.env.PATH ?? ""): string {
  return [join(PROJECT_ROOT, "node_modules", ".bin"), path].join(delimiter);
}

/**
 * The installed Pulumi CLI, or Pulumi's npm package through npx.
 * @throws {Failure} that says how to install one.
 */
export async function findPulumi(): Promise<PulumiCommand> {
  const issue = cliIssue(await output("pulumi", ["version"]));
  if (issue === undefined) return PulumiCommand.get();
  process.stderr.write(`${issue}: using npx --yes pulumi@${NPX_VERSION}\n`);
  return pulumiByNpx(join(STATE_ROOT, "cli")).catch(() => {
    throw new Failure(
      `neither pulumi nor 'npx --yes pulumi@${NPX_VERSION}' runs: install the CLI (https://www.pulumi.com/docs/iac/download-install/)`,
      2,
    );
  });
}

/**
 * Runs Pulumi's npm package. Its first call downloads the CLI, and the installer's output precedes the answer on stdout, so the first call
 * is a separate one. Later calls run the downloaded CLI directly, as the Automation API's own installer does, so that Ctrl-C reaches it
 * without npx in between.
 */
export async function pulumiByNpx(folder: string): Promise<PulumiCommand> {
  const shim = await npxShim(folder);
  await streamed(join(shim, "bin", "pulumi"), ["version"]);
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const fetched = join(home, "versions", NPX_VERSION);
  return PulumiCommand.get({ root: existsSync(join(fetched, "bin", "pulumi")) ? fetched : shim });
}

/** Why a CLI of that version cannot be used; undefined if it can. A CLI without a version number was built from source and is accepted. */
export function cliIssue(version: string | undefined): string | undefined {
  if (version === undefined) return "pulumi is not on the PATH";
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(version.trim()) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const isOld = Number(major) < OLDEST_CLI[0] || (Number(major) === OLDEST_CLI[0] && Number(minor) < OLDEST_CLI[1]);
  return isOld ? `pulumi ${version.trim()} is older than ${OLDEST_CLI.join(".")}` : undefined;
}

/** Whether a program exists and exits with 0. */
export async function runs(program: string, args: readonly string[]): Promise<boolean> {
  return (await output(program, args)) !== undefined;
}

/** A program's stdout; undefined if it does not exist or fails. */
async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  return outputOf(program, args, { timeoutSeconds: 30 }).catch(() => undefined);
}

/**
 * Creates a folder with a `bin/pulumi` that calls npx, because the Automation API looks for its CLI in a folder. npx caches the download,
 * so only the first call is slow.
 */
export async function npxShim(root: string, version: string = NPX_VERSION): Promise<string> {
  const bin = join(root, "bin");
  await mkdir(bin, { recursive: true });
  // This folder is first on the PATH of child processes, where `pulumi` would run this file again; so npx gets the package's name.
  const call = `npx --yes --package=pulumi@${version} -- pulumi`;
  await writeFile(join(bin, "pulumi"), `#!/bin/sh\nexec ${call} "$@"\n`);
  await chmod(join(bin, "pulumi"), 0o755);
  await writeFile(join(bin, "pulumi.cmd"), `@${call} %*\r\n`);
  return root;
}

/** Name of the kind cluster that `up --kind` makes. */
export const KIND_CLUSTER = "eks-dns-logging";
/** kind prefixes its context with `kind-`. */
export const KIND_CONTEXT = `kind-${KIND_CLUSTER}`;

/**
 * Creates the kind cluster if it does not exist.
 * @returns whether it was created now.
 * @throws {Failure} if kind or Docker is missing.
 */
export async function ensureKind(): Promise<boolean> {
  await requireKind();
  if ((await kindClusters()).includes(KIND_CLUSTER)) return false;
  await streamed("kind", ["create", "cluster", "--name", KIND_CLUSTER, "--wait", "180s"]);
  return true;
}

export async function deleteKind(name: string): Promise<void> {
  await requireKind();
  await streamed("kind", ["delete", "cluster", "--name", name]);
}

export async function kindClusters(): Promise<string[]> {
  return (await outputOf("kind", ["get", "clusters"])).split("\n").map((line) => line.trim());
}

async function requireKind(): Promise<void> {
  if (!(await runs("kind", ["version"])))
    throw new Failure("kind is not installed: https://kind.sigs.k8s.io/docs/user/quick-start/#installation", 2);
  if (!(await runs("docker", ["info"])))
    throw new Failure(
      "kind needs Docker, which is not installed or not running: https://docs.docker.com/get-started/get-docker/",
      2,
    );
}

const Package = z.object({ version: z.string() });

/** The only provider that a lab on an existing cluster needs. */
const PROVIDER = "kubernetes";

/** Keeps the CLI from downloading a provider for every package in node_modules: AWS's alone has hundreds of megabytes and is not used here. */
const FETCH_NOTHING = { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };

/**
 * Downloads the Kubernetes provider in the project's version, unless it is installed.
 * @throws {Failure} if the download fails.
 */
export async function ensureKubernetesPlugin(
  workspace: Pick<Workspace, "listPlugins" | "installPlugin">,
): Promise<void> {
  const file = join(PROJECT_ROOT, "node_modules", "@pulumi", PROVIDER, "package.json");
  const { version } = Package.parse(JSON.parse(await readFile(file, "utf8")));
  const plugins = await workspace.listPlugins();
  if (plugins.some((plugin) => plugin.name === PROVIDER && plugin.version === version)) return;
  process.stderr.write(`Fetching Pulumi's plugin ${PROVIDER} ${version}\n`);
  await workspace.installPlugin(PROVIDER, `v${version}`).catch((error: Error) => {
    const reason = error.message.split("\n").find((line) => /^\s*error:/.test(line));
    throw new Failure(
      `Pulumi's plugin ${PROVIDER} ${version} cannot be fetched${reason === undefined ? "" : ` (${reason.trim()})`}: check the internet connection`,
      2,
    );
  });
}
