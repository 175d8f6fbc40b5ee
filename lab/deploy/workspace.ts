import { readdir, readFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { LOGGING_NAMESPACE } from "../../components/logging/pipeline.ts";
import { CANARY_NAMESPACE } from "../../components/monitoring/scrape-targets.ts";
import { Failure } from "../command-line.ts";
import { FETCH_NOTHING, findPulumi, pathWithNode } from "./programs.ts";
import { refusals } from "./refusals.ts";
import type { StateFolder } from "./state.ts";

/** Opens the stack in its state folder, or creates it there. The folder's project must exist. */
export async function openStack(folder: StateFolder): Promise<Stack> {
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
        // The state of a local lab holds nothing that deserves a passphrase to remember.
        ...(process.env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined
          ? { PULUMI_CONFIG_PASSPHRASE: process.env.PULUMI_CONFIG_PASSPHRASE ?? "" }
          : {}),
      },
    },
  );
  const stack = await opening.catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
    // Looked for before the other run made it.
    if (/\bstack '[^']+' already exists/.test(error.message)) throw isAtWork(folder.stack);
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
  const found = await locks(place);
  for (const { pid, hostname: host } of found) {
    const here = host === hostname();
    if (!here || isAlive(pid)) throw isAtWork(place.stack, ` (process ${pid}${here ? "" : ` on ${host}`})`);
  }
  if (found.length > 0) await stack.cancel();
}

function isAtWork(stack: string, who = ""): Failure {
  return new Failure(`another run is at work on stack '${stack}'${who}: wait for it`, 2);
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
  const found = await Promise.all(files.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8"))));
  return found.flatMap((lock) => Lock.safeParse(lock).data ?? []);
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
export function shown() {
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
  const said = new Set<string>();
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((candidate) => !ADVICE.test(candidate))) {
      const [, start, message] = PROGRESS.exec(line) ?? [];
      const key = start === undefined ? undefined : `${start}${message?.trim()}`;
      if (key !== undefined && said.has(key)) continue;
      if (key !== undefined) said.add(key);
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
    if (stack !== undefined) throw isAtWork(stack, ` (process ${pid})`);
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

/** A refresh warning about what an earlier run left, which this run may have replaced. */
const REFRESHED = /^ *warning: Refreshed resource is in an unhealthy state:\n(?: *\* .*\n)*/gm;

/** What to do after a failure. Missing or foreign objects fail again when the same command is repeated. */
export function adviceOn(output: string): string {
  // What was missing at one retry may have existed at the next.
  const message = output.replaceAll(/^.*\bRetry #\d+;.*$/gm, "").replaceAll(REFRESHED, "");
  const advice = [...ownedByOthers(message), ...missing(message), ...refusals(message), ...notStarted(message)];
  return advice.length === 0
    ? "run the same command again to continue"
    : `${advice.join("; ")}, then run the command again`;
}

/** Namespaces that are not named after a team. */
const OWN_NAMESPACES: readonly string[] = [LOGGING_NAMESPACE, CANARY_NAMESPACE];
const ADOPT = ", or adopt the namespace of a team: `{ name: NAMESPACE, adopt: true }` in teams[].namespaces";

function* ownedByOthers(message: string) {
  const there = [...message.matchAll(/\b([a-z]+(?:\.[a-z0-9.]+)?) "([^"]+)" already exists/g)];
  const names = [...new Set(there.map(([, kind, name]) => `${kind} '${name}'`))].sort();
  if (names.length > 0)
    yield `${names.join(", ")} ${names.length > 1 ? "were" : "was"} not created by this stack: delete, import or rename ${names.length > 1 ? "them" : "it"}${there.some(([, kind, name = ""]) => kind === "namespaces" && !OWN_NAMESPACES.includes(name)) ? ADOPT : ""}`;
  yield* new Set(conflicts(message));
}

/** Separates, in the CLI's message, the object that could not be applied from the fields that others manage. */
const CONFLICT = /\bhad an apply conflict: /;
const MANAGED = /\bconflicts? with "([^"]+)"[^\n]*?:((?:\s+(?:- )?\.\S+)+)/g;

/** One sentence for each field of each object that another tool manages, naming its first manager. */
function* conflicts(message: string) {
  const parts = message.split(CONFLICT);
  for (const [index, body] of parts.slice(1).entries()) {
    const about = parts[index]?.split("\n").slice(-2).join("\n") ?? "";
    const told = new Set<string>();
    for (const [, manager = "", fields = ""] of body.matchAll(MANAGED))
      for (const [field] of fields.matchAll(/\.\S+/g)) {
        if (told.has(field)) continue;
        told.add(field);
        yield conflict(about, field, manager);
      }
  }
}

function conflict(about: string, field: string, manager: string): string {
  const patched = /:(\w+)Patch::[^"]+" was not successfully/.exec(about)?.[1];
  if (patched === "Namespace")
    return `${field} of an adopted namespace is set by ${manager}: remove it there, or give it the value of the settings`;
  if (patched !== undefined) {
    // No setting leaves out the Corefile: managing it is the purpose of dns.adopt.
    const other = patched === "ConfigMap" ? "" : ", or leave it out of the settings";
    return `${field} of the ${patched} of CoreDNS is set by ${manager}: \`dns.adopt.force: true\` takes it over${other}`;
  }
  const object = /\breported that "([^"]+)" failed to fully initialize/.exec(about)?.[1] ?? "an object";
  return `${field} of ${object} was changed by another tool (${manager}): end a drill with \`npm run lab -- drill stop\`, or delete the object`;
}

function* missing(message: string) {
  const [, user, verb, kind] = /\bUser "([^"]+)" cannot (\w+) resource "([^"]+)"/.exec(message) ?? [];
  if (user !== undefined) yield `${user} may not ${verb} ${kind}: use a kubeconfig of a cluster administrator`;
  for (const [, namespace] of distinct(message.matchAll(/\bnamespaces "([^"]+)" not found/g)))
    yield `create namespace '${namespace}', or name another one in the settings`;
  for (const [, unknown, version] of distinct(
    message.matchAll(/\bno matches for kind "([^"]+)" in version "([^"]+)"/g),
  ))
    yield `the cluster has no kind ${unknown} (${version}): install its CustomResourceDefinition`;
}

function distinct(matches: Iterable<RegExpExecArray>): Iterable<RegExpExecArray> {
  return new Map([...matches].map((match) => [match[0], match])).values();
}

/** Pods for which the CLI waited in vain, until its timeout or Ctrl-C. It names the pod in the lines before its error. */
function* notStarted(message: string) {
  if (!/timed out waiting|failed to fully initialize/.test(message)) return;
  const told = message.matchAll(
    /\[Pod ([\w.-]+)\/([\w.-]+)\][^\n]*?\[((?:CrashLoop|ImagePull)BackOff|ErrImagePull)\]/g,
  );
  // The CLI repeats a pod's status; the last one is current.
  const pods = new Map(
    [...told].map(([, namespace, pod, reason]) => [`${namespace}/${pod}`, { namespace, pod, reason }]),
  );
  for (const { namespace, pod, reason } of pods.values()) {
    const describe = `\`kubectl -n ${namespace} describe pod ${pod}\``;
    yield reason === "CrashLoopBackOff"
      ? `${pod} does not start (${reason}): ${describe} and \`kubectl -n ${namespace} logs ${pod}\` show why`
      : `${pod} does not start (${reason}): its node cannot pull an image, and ${describe} shows which and why`;
  }
}

/** Why the CLI failed, in one line. */
function reasonOf({ message }: Error): string {
  return /incorrect passphrase/.test(message)
    ? "set PULUMI_CONFIG_PASSPHRASE to the value at the first run, or unset it if there was none"
    : firstError(message);
}

/** Prefixes of the API server's message; the first group is the resource's name. */
const PRECEDING: readonly (readonly [RegExp, string])[] = [
  [/^resource "urn:[^"]+" was not successfully created by the Kubernetes API server: /, ""],
  [/^(?:creation|update) of resource "urn:[^"]+" .* Verify that any required CRDs have been created: /, ""],
  [
    /^resource "urn:[^"]+::([^":]+)" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: /,
    "$1 did not become ready: ",
  ],
  [/^the Kubernetes API server reported that "([^"]+)" failed to fully initialize or become live: /, "$1: "],
];
/** Suffix of that message; the advice already says what to do. */
const LINK = /, see https:\S+ for troubleshooting help$/;

/** The first error of Pulumi's diagnostics. */
export function firstError(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => line.startsWith("error:") && !/update failed|preview failed/.test(line));
  const told = lines[at]?.slice("error:".length).trim();
  // A list of errors, one a line.
  const inList = /^\d+ errors? occurred:$/.test(told ?? "");
  const first = inList
    ? lines
        .slice(at + 1)
        .find((line) => line.startsWith("* "))
        ?.slice("* ".length)
    : told;
  const words = PRECEDING.reduce((text, [preceding, name]) => text.replace(preceding, name), first ?? "");
  return words.replace(LINK, "") || "see the diagnostics above";
}
