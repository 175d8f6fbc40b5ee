import { access, chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { PulumiCommand, type Workspace } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { Failure, PROJECT_ROOT } from "../command-line.ts";
import { outputOf, streamed } from "../process.ts";
import { STATE_ROOT } from "./state.ts";

/** Version of Pulumi's own npm package that is fetched where no CLI is installed. */
export const NPX_VERSION = "3.265.0";

/**
 * Oldest CLI that does what is asked of it here: `up --refresh --run-program`, with a resource that is replaced or gone. As major and minor.
 * @see https://github.com/pulumi/pulumi/blob/master/CHANGELOG.md
 */
const OLDEST = [3, 207] as const;

/**
 * PATH with the project's Node first: the CLI runs the program with the Node that it finds there, and only a Node of this age reads
 * TypeScript.
 */
export function pathWithNode(path: string = process.env.PATH ?? ""): string {
  return [join(PROJECT_ROOT, "node_modules", ".bin"), path].join(delimiter);
}

/**
 * The Pulumi CLI that the person has, or Pulumi's npm package by npx.
 * @throws {Failure} with how to get one.
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
 * Pulumi's npm package fetches the CLI on its first call, and what the installer says then stands on stdout before the answer. So the
 * first call is one of its own; afterwards the CLI is called where the package has put it, as the Automation API's own installer would,
 * and is reached by Ctrl-C without npx between.
 */
export async function pulumiByNpx(folder: string): Promise<PulumiCommand> {
  const shim = await npxShim(folder);
  await streamed(join(shim, "bin", "pulumi"), ["version"]);
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const fetched = join(home, "versions", NPX_VERSION);
  const isThere = await access(join(fetched, "bin", "pulumi")).then(
    () => true,
    () => false,
  );
  return PulumiCommand.get({ root: isThere ? fetched : shim });
}

/** Why a CLI cannot be used, by what `pulumi version` says; undefined where it can. One without a number is built from source. */
export function cliIssue(version: string | undefined): string | undefined {
  if (version === undefined) return "pulumi is not on the PATH";
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(version.trim()) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  return isOld ? `pulumi ${version.trim()} is older than ${OLDEST.join(".")}` : undefined;
}

/** Whether a program is there and ends well. */
export async function runs(program: string, args: readonly string[]): Promise<boolean> {
  return (await output(program, args)) !== undefined;
}

/** What a program says; undefined where it is not there or fails. */
async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  return outputOf(program, args, { timeoutSeconds: 30 }).catch(() => undefined);
}

/**
 * A folder with `bin/pulumi` that calls npx: the Automation API wants a folder to find its CLI in. npx keeps what it fetched, so
 * only the first call takes long.
 */
export async function npxShim(root: string, version: string = NPX_VERSION): Promise<string> {
  const bin = join(root, "bin");
  await mkdir(bin, { recursive: true });
  // This folder comes first on the PATH of what runs below, where `pulumi` must not mean this file again: npx is given the package.
  const call = `npx --yes --package=pulumi@${version} -- pulumi`;
  await writeFile(join(bin, "pulumi"), `#!/bin/sh\nexec ${call} "$@"\n`);
  await chmod(join(bin, "pulumi"), 0o755);
  await writeFile(join(bin, "pulumi.cmd"), `@${call} %*\r\n`);
  return root;
}

/** Name of the kind cluster that `up --kind` makes. */
export const KIND_CLUSTER = "eks-dns-logging";
/** kind names its context after the cluster. */
export const KIND_CONTEXT = `kind-${KIND_CLUSTER}`;

/**
 * Makes the kind cluster where there is none.
 * @returns whether it was made now.
 * @throws {Failure} where kind or Docker is missing.
 */
export async function ensureKind(): Promise<boolean> {
  await needKind();
  if ((await kindClusters()).includes(KIND_CLUSTER)) return false;
  await streamed("kind", ["create", "cluster", "--name", KIND_CLUSTER, "--wait", "180s"]);
  return true;
}

export async function deleteKind(name: string): Promise<void> {
  await needKind();
  await streamed("kind", ["delete", "cluster", "--name", name]);
}

export async function kindClusters(): Promise<string[]> {
  return (await outputOf("kind", ["get", "clusters"])).split("\n").map((line) => line.trim());
}

async function needKind(): Promise<void> {
  if (!(await runs("kind", ["version"])))
    throw new Failure("kind is not installed: https://kind.sigs.k8s.io/docs/user/quick-start/#installation", 2);
  if (!(await runs("docker", ["info"])))
    throw new Failure(
      "kind needs Docker, which is not installed or not running: https://docs.docker.com/get-started/get-docker/",
      2,
    );
}

const Package = z.object({ version: z.string() });

/** The one provider that a lab on a cluster that is there needs. */
const NAME = "kubernetes";

/**
 * Keeps the CLI from fetching the providers of all packages in node_modules before a run: those of AWS are hundreds of megabytes, which
 * nothing here uses.
 */
export const FETCH_NOTHING = { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };

/**
 * Fetches the Kubernetes provider of this project's version where it is not there.
 * @throws {Failure} where it cannot be had.
 */
export async function ensureKubernetesPlugin(
  workspace: Pick<Workspace, "listPlugins" | "installPlugin">,
): Promise<void> {
  const file = join(PROJECT_ROOT, "node_modules", "@pulumi", NAME, "package.json");
  const { version } = Package.parse(JSON.parse(await readFile(file, "utf8")));
  const plugins = await workspace.listPlugins();
  if (plugins.some((plugin) => plugin.name === NAME && plugin.version === version)) return;
  process.stderr.write(`Fetching Pulumi's plugin ${NAME} ${version}\n`);
  await workspace.installPlugin(NAME, `v${version}`).catch((error: Error) => {
    const reason = error.message.split("\n").find((line) => /^\s*error:/.test(line));
    throw new Failure(
      `Pulumi's plugin ${NAME} ${version} cannot be fetched${reason === undefined ? "" : ` (${reason.trim()})`}: check the internet connection`,
      2,
    );
  });
}
