import { stripVTControlCharacters } from "node:util";
import { type Command, Option } from "commander";
import type { Settings } from "../../components/settings.ts";
import { Failure } from "../failure.ts";
import { chosenStack } from "../stack.ts";
import type { PlannedResource } from "./planned.ts";
import type { Recording } from "./recorder.ts";

interface PlanFlags {
  readonly stack: string;
  readonly configFile?: string;
  readonly json?: true;
  readonly manifests?: string;
  readonly policyConfig?: string;
}

/** Adds `plan` to the command line. What it runs is imported when it runs, so that `--help` stays quick. */
export function registerPlan(program: Command): void {
  program
    .command("plan")
    .description("show what `pulumi up` would make, without CLI, account, cluster or network")
    .addOption(new Option("-s, --stack <name>", "stack, as in Pulumi.NAME.yaml").default("dev"))
    .option("--config-file <file>", "read the stack from this file instead of Pulumi.NAME.yaml")
    .option("--json", "print one JSON document: each resource with its inputs, parent and dependencies")
    .option(
      "--manifests <folder>",
      "write each Kubernetes object as a manifest, in an order in which it can be applied",
    )
    .option(
      "--policy-config <file>",
      "levels, settings and exemptions of the policies, as for pulumi --policy-pack-config (default: policy-config.json)",
    )
    .addHelpText(
      "after",
      "\nExits with 1 where a mandatory policy is violated or cannot be decided, with 2 where the configuration is invalid.",
    )
    .action(plan);
}

async function plan(flags: PlanFlags): Promise<void> {
  const stack = await chosenStack(flags);
  const { planStack } = await import("./plan.ts");
  const recording = await planStack(stack);
  const { parseSettings } = await import("../../components/settings.ts");
  const settings = parseSettings(stack.config);
  const { formatPolicies, policyReport, readPackConfig, stops } = await import("../policies/report.ts");
  const policies = policyReport(recording, await readPackConfig(flags.policyConfig));
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ ...asJson(stack.name, recording), policies }, null, 2)}\n`);
  } else {
    const [{ formatPlan }, { formatDns, formatWarnings }] = await Promise.all([
      import("./tree.ts"),
      import("./dns.ts"),
    ]);
    const text =
      formatPlan(stack.name, recording) + formatDns(settings) + formatWarnings(settings) + formatPolicies(policies);
    process.stdout.write(process.stdout.isTTY ? text : stripVTControlCharacters(text));
  }
  if (stops(policies)) process.exitCode = 1;
  if (flags.manifests !== undefined) await writeFolder(flags.manifests, recording, settings);
}

async function writeFolder(folder: string, recording: Recording, settings: Settings): Promise<void> {
  const { manifestsOf, writeCorefile, writeIndexTemplate, writeManifests } = await import("./manifests.ts");
  const manifests = manifestsOf(recording.resources);
  const write = async () => {
    const written = await writeManifests(folder, manifests);
    if (settings.cluster.kind === "existing") await writeCorefile(folder, settings.dns);
    await writeIndexTemplate(folder, settings.logging);
    return written;
  };
  const count = await write().catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`the manifests cannot be written to '${folder}': ${error.code ?? error.message}`, 2);
  });
  process.stderr.write(`Wrote ${count} manifests: kubectl apply -f ${folder}\n`);
}

/** The plan for a program. Secret inputs and outputs are masked. */
export function asJson(stack: string, recording: Recording) {
  return {
    stack,
    resources: recording.resources.map(masked),
    outputs: Object.fromEntries(
      Object.entries(recording.outputs).map(([key, value]) => [
        key,
        recording.secretOutputs.includes(key) ? MASK : value,
      ]),
    ),
  };
}

const MASK = "[secret]";

function masked(resource: PlannedResource): PlannedResource {
  const tops = new Set(resource.secrets.map((path) => path.split(/[.[]/)[0]));
  const inputs = Object.entries(resource.inputs).map(([key, value]) => [key, tops.has(key) ? MASK : value]);
  return { ...resource, inputs: Object.fromEntries(inputs) };
}
