import { access, chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { PulumiCommand, type Workspace } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { Failure, PROJECT_ROOT } from "../command-line.ts";
import { outputOf, streamed } from "../process.ts";
import { STATE_ROOT } from "./state.ts";

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
  const isDownloaded = await access(join(fetched, "bin", "pulumi")).then(
    () => true,
    () => false,
  );
  return PulumiCommand.get({ root: isDownloaded ? fetched : shim });
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
export const FETCH_NOTHING = { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };

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
