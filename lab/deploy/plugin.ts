import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { Failure } from "../failure.ts";
import { PROJECT_ROOT } from "../project.ts";

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
      `Pulumi's plugin ${NAME} ${version} cannot be fetched${reason === undefined ? "" : ` (${reason.trim()})`}: is there a way to the internet?`,
      2,
    );
  });
}
