import { join } from "node:path";
import type { Command } from "commander";
import type { Settings } from "../../components/settings.ts";
import { Failure, helpNote, PROJECT_ROOT, progress, shellWord, stackOptions, writeOutput } from "../command-line.ts";
import type { ProcessResult } from "../process.ts";
import type { Recording } from "./recording.ts";

interface PlanFlags {
  readonly stack: string;
  readonly configFile?: string;
  readonly json?: true;
  readonly manifests?: string;
  readonly policyConfig?: string;
}

/** Adds `plan` to the command line. Its modules load only when it runs, which keeps `--help` fast. */
export function registerPlan(program: Command): void {
  const command = program
    .command("plan")
    .description("show what `pulumi up` would create; needs no Pulumi CLI, account, cluster or network");
  stackOptions(command, "dev")
    .option("--json", "print one JSON document: each resource with its inputs, parent and dependencies")
    .option("--manifests <folder>", "write the Kubernetes objects as manifests, in an order that can be applied")
    .option(
      "--policy-config <file>",
      "levels, options and exemptions of policies, as for pulumi --policy-pack-config (default: policy-config.json)",
    )
    .addHelpText(
      "after",
      helpNote(
        "Exit code: 0 if the stack can be deployed, 1 if a mandatory policy is violated or undecided, 2 if the configuration is invalid.",
      ),
    )
    .action(plan);
}

async function plan(flags: PlanFlags): Promise<void> {
  const { chosenStack } = await import("../stack-file.ts");
  const stack = await chosenStack(flags);
  const { planStack } = await import("./plan.ts");
  const recording = await planStack(stack);
  const { parseSettings } = await import("../../components/settings.ts");
  const settings = parseSettings(stack.config);
  const { formatPolicies, policyReport, readPackConfig, stops } = await import("./policy-report.ts");
  const policies = policyReport(recording, await readPackConfig(flags.policyConfig));
  if (flags.json) {
    const { formatIssue } = await import("../../components/schema/errors.ts");
    const { asJson } = await import("./recording.ts");
    writeOutput({ ...asJson(stack.name, recording), policies, warnings: settings.warnings.map(formatIssue) });
  } else {
    const { formatAge, formatDns, formatPlan, formatProcessing, formatRoutes, formatWarnings } = await import(
      "./plan-text.ts"
    );
    const now = new Date();
    const warnings = formatWarnings(settings) + formatAge(settings, now.toISOString().slice(0, 10));
    const details = formatDns(settings) + formatRoutes(settings, now) + formatProcessing(settings.logging);
    writeOutput(formatPlan(stack.name, recording) + details + warnings + formatPolicies(policies));
  }
  if (stops(policies)) process.exitCode = 1;
  if (flags.manifests !== undefined) await writeFolder(flags.manifests, recording, settings);
}

async function writeFolder(folder: string, recording: Recording, settings: Settings): Promise<void> {
  const { corefileFile, indexTemplateFiles, manifestFiles, manifestsOf, writePlanFiles } = await import(
    "./manifests.ts"
  );
  const manifests = manifestFiles(manifestsOf(recording.resources));
  const hasForeignDns = settings.cluster.kind === "existing" && settings.dns?.adopt === undefined;
  const files = [
    ...manifests,
    ...(hasForeignDns && settings.dns !== undefined ? [corefileFile(settings.dns)] : []),
    ...(settings.logging === undefined ? [] : indexTemplateFiles(settings.logging)),
  ];
  await writePlanFiles(folder, files).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot write the manifests to '${folder}': ${error.code ?? error.message}`, 2);
  });
  process.stderr.write(`Wrote ${manifests.length} manifests: kubectl apply -f ${shellWord(folder)}\n`);
}

/** Adds `images` to the command line. */
export function registerImages(program: Command): void {
  const command = program
    .command("images")
    .description("list the images that the pods need, to mirror or preload them");
  stackOptions(command, "local")
    .option("--json", "print one JSON document")
    .action(async (flags: Pick<PlanFlags, "stack" | "configFile" | "json">) => {
      const { chosenStack } = await import("../stack-file.ts");
      const stack = await chosenStack(flags);
      const { planStack } = await import("./plan.ts");
      const { formatImages, imagesOf } = await import("./manifests.ts");
      const images = imagesOf((await planStack(stack)).resources);
      writeOutput(flags.json ? images : formatImages(images));
    });
}

/** Number of parallel plans: each is a process that uses a full core. */
const PARALLEL = 2;

/** Adds `fleet` to the command line. */
export function registerFleet(program: Command): void {
  program
    .command("fleet")
    .description("plan several stacks and show how their settings differ")
    .argument("[stacks...]", "stacks, as in Pulumi.NAME.yaml (default: all)")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      helpNote("Exit code: 0, even if settings differ; 1 if a policy stops a plan, 2 if a stack cannot be planned."),
    )
    .action(fleet);
}

async function fleet(names: readonly string[], flags: { readonly json?: true }): Promise<void> {
  const { stackNames } = await import("../stack-file.ts");
  const stacks = names.length > 0 ? names : await stackNames();
  if (stacks.length === 0) throw new Failure("there is no stack to plan: no file Pulumi.NAME.yaml", 2);
  const shown = await progress(`planning ${stacks.join(", ")}`);
  const planned = await planAll(stacks, (stack) => shown.update(`planned ${stack}`)).finally(() => shown.stop());
  const rows = differences(planned);
  if (planned.some(({ stopped }) => stopped)) process.exitCode = 1;
  if (flags.json) {
    const counts = planned.map(({ stack, resources, stopped }) => ({ stack, resources, stopped }));
    writeOutput({ stacks: counts, differences: rows });
    return;
  }
  const { boxedTable } = await import("../output/text.ts");
  const table = boxedTable(
    ["setting", ...planned.map(({ stack }) => stack)],
    [
      ["resources", ...planned.map(({ resources }) => String(resources))],
      ["policies", ...planned.map(({ stopped }) => (stopped ? "stop it" : "pass"))],
      ...rows.map(({ setting, values }) => [setting, ...values.map((value) => value ?? "—")]),
    ],
  );
  writeOutput(`${table}\nsettings that differ: ${rows.length}\n`);
}

/** Plans every stack and reports all issues before any of them ends the command. */
async function planAll(stacks: readonly string[], done: (stack: string) => void): Promise<PlannedStack[]> {
  const { loadStack } = await import("../stack-file.ts");
  const loaded = await Promise.allSettled(stacks.map((stack) => loadStack(stack)));
  const problems = loaded.flatMap((result, index) =>
    result.status === "rejected"
      ? [`stack ${stacks[index]}: ${result.reason instanceof Error ? result.reason.message : result.reason}`]
      : [],
  );
  if (problems.length > 0) throw new Failure(problems.join("\n"), 2);

  const readable = loaded.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const { default: pLimit } = await import("p-limit");
  return pLimit(PARALLEL).map(readable, async ({ name, settings }) => {
    const { run } = await import("../process.ts");
    const args = [join(PROJECT_ROOT, "lab", "main.ts"), "plan", "--json", "--stack", name];
    // In a separate process, because the program is a module, which runs only once per process.
    const plan = plannedAs(name, await run(process.execPath, args));
    done(name);
    return { stack: name, settings, ...plan };
  });
}

/**
 * What `lab plan --json` tells about a stack.
 * @throws {Failure} if it could not be planned, in the words of that command.
 */
export function plannedAs(
  stack: string,
  { exitCode, stdout, stderr }: ProcessResult,
): Pick<PlannedStack, "resources" | "stopped"> {
  if (exitCode !== 0 && exitCode !== 1) {
    const reason = stderr.trim() || (exitCode === undefined ? "a signal ended the plan" : `exit code ${exitCode}`);
    throw new Failure(`stack ${stack}: ${reason}`, 2);
  }
  const plan: { readonly resources: readonly unknown[] } = JSON.parse(stdout);
  // The plan has no entry for the stack itself, which the text and the engine count.
  return { resources: plan.resources.length + 1, stopped: exitCode === 1 };
}

/** A planned stack of a fleet. */
export interface PlannedStack {
  readonly stack: string;
  readonly settings: Settings;
  /** Number of registered resources, including components and the stack. */
  readonly resources: number;
  /** Whether a mandatory policy is violated or undecided, so that the plan must not be deployed. */
  readonly stopped: boolean;
}

/** A setting that differs between stacks. */
export interface Difference {
  /** Path, such as `cluster.nodeGroups[0].maxSize`. */
  readonly setting: string;
  /** Values in the order of the stacks; undefined if a stack lacks the setting. */
  readonly values: readonly (string | undefined)[];
}

/** Settings that differ between the stacks, defaults included, sorted by path. */
export function differences(stacks: readonly { readonly settings: object }[]): Difference[] {
  const values = stacks.map((stack) => new Map(leaves(stack.settings, "")));
  const paths = [...new Set(values.flatMap((ofStack) => [...ofStack.keys()]))].sort();
  return paths
    .map((setting) => ({ setting, values: values.map((ofStack) => ofStack.get(setting)) }))
    .filter((difference) => new Set(difference.values).size > 1);
}

/** Leaf values with their paths. List members are identified by name if they have one, so that their order does not matter. */
function leaves(value: unknown, path: string): [string, string][] {
  if (typeof value !== "object" || value === null) return value === undefined ? [] : [[path, String(value)]];
  if (Array.isArray(value)) {
    if (value.length === 0) return [[path, "none"]];
    return value.flatMap((item, index) => leaves(item, `${path}[${nameOf(item) ?? index}]`));
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null || !("name" in item)) return undefined;
  return typeof item.name === "string" ? item.name : undefined;
}
