import { type Command, InvalidArgumentError, Option } from "commander";

interface ClusterFlags {
  readonly from: string;
  readonly container?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly json?: true;
}

interface ExplainFlags extends ClusterFlags {
  readonly ndots?: number;
}

/** Adds `dns` to the command line. What it runs is imported when it runs, so that `--help` stays quick. */
export function registerDns(program: Command): void {
  const dns = program.command("dns").description("see what a name costs, and how fast the cluster's DNS answers");
  onCluster(dns.command("explain <name>"))
    .description("ask for a name as a pod's resolver does, and show a row for each query")
    .addOption(
      new Option("--ndots <number>", "walk as with this ndots (default: the pod's own)").argParser(between(0, 15)),
    )
    .option("--json", "print one JSON document instead of the table")
    .action(explain);
  onCluster(dns.command("forms <service.namespace>"))
    .description("print what each form of a Service's name costs with ndots 5, 3 and 2, as Markdown")
    .option("--json", "print one JSON document instead of the table")
    .action(forms);
}

/** The options that say which pod of which cluster asks. */
function onCluster(command: Command): Command {
  return command
    .option("--from <namespace/pod>", "pod that asks", "ts-team/curl-ts")
    .option("--container <name>", "container in it (default: curl, else the first one)")
    .option("--context <name>", "kubeconfig context (default: the current one)")
    .option("--kubeconfig <file>", "kubeconfig (default: KUBECONFIG, else ~/.kube/config)");
}

function between(least: number, most: number) {
  return (value: string) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

async function connected(flags: ClusterFlags) {
  const [{ connect }, { askerAt }] = await Promise.all([import("../verify/cluster/connect.ts"), import("./pod.ts")]);
  const { cluster } = await connect(flags);
  return { cluster, asker: await askerAt(cluster, flags.from, flags.container) };
}

/** Exit code 1 where the name leads nowhere. */
async function explain(name: string, flags: ExplainFlags): Promise<void> {
  const { cluster, asker } = await connected(flags);
  const [{ explain }, { formatExplanation }] = await Promise.all([import("./explain.ts"), import("./explain-text.ts")]);
  const explanation = await explain(cluster, asker, name, flags);
  process.stdout.write(flags.json ? `${JSON.stringify(explanation, null, 2)}\n` : formatExplanation(explanation));
  process.exitCode = explanation.found ? 0 : 1;
}

async function forms(name: string, flags: ClusterFlags): Promise<void> {
  const { cluster, asker } = await connected(flags);
  const { formatForms, nameForms } = await import("./forms.ts");
  const costs = await nameForms(cluster, asker, name);
  process.stdout.write(flags.json ? `${JSON.stringify(costs, null, 2)}\n` : formatForms(costs));
}
