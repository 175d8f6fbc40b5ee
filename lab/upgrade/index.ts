import type { Command } from "commander";
import { KUBERNETES_VERSIONS } from "../../components/cluster/eks-settings.ts";
import type { Settings } from "../../components/settings.ts";
import { Failure, helpNote, stackOptions, writeOutput } from "../command-line.ts";
import type { PlanDocument } from "../diff/document.ts";
import type { Stack } from "../stack-file.ts";
import type { LiveCluster } from "./kubernetes-changes.ts";
import type { UpgradePlan } from "./upgrade-plan.ts";

interface UpgradeFlags {
  readonly stack: string;
  readonly configFile?: string;
  readonly from?: string;
  readonly to?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly json?: true;
}

/** Adds `upgrade` to the command line. Its modules load only when it runs, which keeps `--help` fast. */
export function registerUpgrade(program: Command): void {
  const command = program
    .command("upgrade")
    .description("print the steps of a Kubernetes upgrade on EKS, what breaks, and how to roll back; changes nothing");
  stackOptions(command, "dev")
    .option("--to <version>", "Kubernetes version, such as 1.36 (default: the next minor version)")
    .option("--from <version>", "Kubernetes version now (default: the live cluster's, else the stack's)")
    .option("--context <name>", "also read the live cluster of this kubeconfig context")
    .option(
      "--kubeconfig <file>",
      "kubeconfig file for it (default: the stack's, else $KUBECONFIG, else ~/.kube/config)",
    )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      helpNote("Exit code: 0 if the upgrade can start, 1 if something must be done first, 2 if EKS does not allow it."),
    )
    .action(upgrade);
}

async function upgrade(flags: UpgradeFlags): Promise<void> {
  const plan = await upgradeOf(flags, new Date().toISOString().slice(0, 10));
  writeOutput(flags.json ? plan : (await import("./upgrade-plan.ts")).formatUpgrade(plan));
  if (plan.blockers.length > 0) process.exitCode = 1;
}

async function upgradeOf(flags: UpgradeFlags, today: string): Promise<UpgradePlan> {
  const { chosenStack, withSettings } = await import("../stack-file.ts");
  const { settings, ...stack } = await withSettings(await chosenStack(flags));
  const { cluster } = settings;
  if (cluster.kind === "existing")
    throw new Failure(`stack '${stack.name}' is not on EKS: its cluster is upgraded by the tool that created it`, 2);
  const live = await liveCluster(settings, flags);
  const stated = cluster.kind === "eks" ? cluster.version : cluster.kubernetesVersion;
  const from = flags.from ?? live?.version ?? stated;
  if (from === undefined)
    throw new Failure("the stack states no Kubernetes version: add --from VERSION or --context NAME", 2);
  const step = await wantedStep(from, flags.to);
  refuseUnstated(step.to, cluster.name);
  const target = await planWith(stack, settings, step.to);
  const before = target.plan === undefined ? undefined : (await planWith(stack, settings, step.from)).plan;
  const [{ comparePlans }, { planUpgrade }] = await Promise.all([
    import("../diff/comparison.ts"),
    import("./upgrade-plan.ts"),
  ]);
  return planUpgrade({
    stack: stack.name,
    cluster: cluster.name,
    file: flags.configFile ?? `Pulumi.${stack.name}.yaml`,
    ownsCluster: cluster.kind === "eks",
    compute: cluster.kind === "eks" ? undefined : cluster.compute,
    step,
    target: target.plan,
    refused: target.issues,
    comparison: before && target.plan && comparePlans(before, target.plan),
    live,
    today,
  });
}

/** @throws {Failure} if the settings do not accept the version, so that nothing can be planned. */
function refuseUnstated(to: string, cluster: string): void {
  const versions: readonly string[] = KUBERNETES_VERSIONS;
  if (versions.includes(to)) return;
  throw new Failure(
    `a stack takes Kubernetes ${versions[0]} to ${versions.at(-1)}, the versions in standard support: upgrade to ${to} outside the stack, with aws eks update-cluster-version --name ${cluster} --kubernetes-version ${to}`,
    2,
  );
}

async function liveCluster(settings: Settings, flags: UpgradeFlags): Promise<LiveCluster | undefined> {
  if (flags.context === undefined) return undefined;
  const [{ connect }, { targetOf }, { readLiveCluster }, { failAt }] = await Promise.all([
    import("../kubernetes/connect.ts"),
    import("../verify/catalog.ts"),
    import("./kubernetes-changes.ts"),
    import("../kubernetes/cluster.ts"),
  ]);
  const connection = await connect(targetOf(settings, flags));
  return readLiveCluster(connection).catch(failAt(`context '${connection.cluster.context}'`));
}

/** The requested step. @throws {Failure} in one sentence if EKS refuses it, or this release does not know the version. */
async function wantedStep(from: string, asked: string | undefined) {
  const { minorOf, unknownVersion, versionStep } = await import("eks-dns-logging-corefile/addon");
  const minor = minorOf(from);
  if (minor === undefined) throw new Failure(versionStep(from, from).reason, 2);
  const to = asked ?? `1.${minor + 1}`;
  const step = versionStep(from, to);
  if (step.kind === "refused") throw new Failure(step.reason, 2);
  if (step.kind === "none") throw new Failure(`the cluster is at ${from} already: set another version with --to`, 2);
  if (step.kind === "rollback")
    throw new Failure(
      `${from} → ${to} is a rollback, which EKS only does within 7 days of the upgrade: its steps are at the end of \`npm run lab -- upgrade --from ${to} --to ${from}\``,
      2,
    );
  const unknown = unknownVersion(to);
  if (unknown !== undefined && asked === undefined) throw new Failure(`the cluster is at ${from}, and ${unknown}`, 2);
  if (unknown !== undefined) throw new Failure(unknown, 2);
  return step;
}

interface PlannedWith {
  readonly plan?: PlanDocument;
  /** Issues in the settings with that version. */
  readonly issues: readonly string[];
}

/** Plans the stack with another version of its cluster. */
async function planWith(stack: Stack, settings: Settings, version: string): Promise<PlannedWith> {
  const [{ planStack }, { asJson }, { PlanDocument }, { formatIssue, SettingsError }] = await Promise.all([
    import("../plan/plan.ts"),
    import("../plan/recording.ts"),
    import("../diff/document.ts"),
    import("../../components/schema/errors.ts"),
  ]);
  const key = "eks-dns-logging:cluster";
  const given: unknown = JSON.parse(stack.config[key] ?? "{}");
  const name = settings.cluster.kind === "eks" ? "version" : "kubernetesVersion";
  const cluster = JSON.stringify(typeof given === "object" ? { ...given, [name]: version } : given);
  try {
    const recording = await planStack({ name: stack.name, config: { ...stack.config, [key]: cluster } });
    return { plan: PlanDocument.parse(JSON.parse(JSON.stringify(asJson(stack.name, recording)))), issues: [] };
  } catch (error) {
    if (error instanceof SettingsError) return { issues: error.issues.map(formatIssue) };
    throw error;
  }
}
