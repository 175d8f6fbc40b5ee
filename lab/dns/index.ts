import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { between, Failure, kubeconfigOptions, progress, refuseUnwritable, writeOutput } from "../command-line.ts";

interface ClusterFlags {
  readonly from: string;
  readonly container?: string;
  readonly stack: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly json?: true;
}

interface ExplainFlags extends ClusterFlags {
  readonly ndots?: number;
}

interface FormsFlags extends ClusterFlags {
  readonly runs: number;
}

interface BenchFlags extends ClusterFlags {
  readonly rate: number;
  readonly seconds: number;
  readonly internal?: string;
  readonly outside: string;
  readonly html?: string;
}

interface SchemaFlags {
  readonly update?: true;
  readonly version?: readonly string[];
  readonly region?: string;
}

/** Same as in bench.ts, whose imports would slow down `--help`. */
const MAX_PER_SECOND = 200;
const MAX_SECONDS = 60;

/** Adds `dns` to the command line. Its modules load only when they run, which keeps `--help` fast. */
export function registerDns(program: Command): void {
  const dns = program.command("dns").description("explain and measure DNS lookups");
  onCluster(dns.command("explain <name>"))
    .description("resolve a name as the pod's resolver does, and show each query")
    .addOption(new Option("--ndots <number>", "ndots to use (default: the pod's)").argParser(between(0, 15)))
    .option("--json", "print one JSON document instead of the table")
    .action(explain);
  onCluster(dns.command("forms <service.namespace>"))
    .description("print the cost of each form of a Service name with ndots 5, 3 and 2, as Markdown")
    .addOption(new Option("--runs <number>", "runs; the median is shown").argParser(between(1, 20)).default(3))
    .option("--json", "print one JSON document instead of the table")
    .action(forms);
  onCluster(dns.command("bench"))
    .description(
      "measure the cluster's DNS from a pod, with a name in the cluster, one outside it, and nonexistent names",
    )
    .addOption(new Option("--rate <number>", "queries per second").argParser(between(1, MAX_PER_SECOND)).default(100))
    .addOption(
      new Option("--seconds <number>", "seconds per kind of name").argParser(between(1, MAX_SECONDS)).default(10),
    )
    .option("--internal <name>", "name in the cluster to look up (default: the API server's Service)")
    .option("--outside <name>", "name outside the cluster to look up", "aws.amazon.com")
    .option("--html <file>", "also write a self-contained page with charts")
    .option("--json", "print one JSON document instead of the table")
    .action(bench);
  dns
    .command("schema")
    .description("list the schema used for each version of the EKS add-on, or fetch newer ones")
    .option("--update", "fetch from EKS with the AWS CLI, into corefile/addon/schemas/fetched.json")
    .option("--version <version...>", "add-on versions to fetch (default: those that this program uses)")
    .option("--region <region>", "AWS region (default: the AWS CLI's)")
    .action(schema);
  dns
    .command("profile")
    .description("show a stack's effective DNS settings, with reasons")
    .addOption(new Option("-s, --stack <name>", "stack, as in Pulumi.NAME.yaml").default("dev"))
    .option("--sizes", "print a Markdown table for several cluster sizes instead")
    .action(profile);
}

/** Adds the options that choose the cluster and the pod that queries. */
function onCluster(command: Command): Command {
  return kubeconfigOptions(
    command
      .option("--from <namespace/pod>", "pod that sends the queries", "ts-team/curl-ts")
      .option("--container <name>", "container of the pod (default: curl, else the first one)")
      .addOption(new Option("-s, --stack <name>", "stack of the cluster").default("local")),
  );
}

/**
 * Connects to the cluster of the stack that the flags name, and finds the pod that queries.
 * @param folder Folder of the stack files. Default: the project.
 */
export async function connected(flags: ClusterFlags, folder?: string) {
  const [{ loadStack }, { targetOf }, { upCommand }, { connect }, { dnsClientAt, isCurlPod }] = await Promise.all([
    import("../stack-file.ts"),
    import("../verify/catalog.ts"),
    import("../../components/stack-commands.ts"),
    import("../kubernetes/connect.ts"),
    import("./dns-client.ts"),
  ]);
  const { name, settings } = await loadStack(flags.stack, folder);
  const { cluster } = await connect(targetOf(settings, flags));
  const up = isCurlPod(flags.from, settings) ? upCommand({ stack: name, cluster: settings.cluster }) : undefined;
  return {
    cluster,
    dns: settings.dns,
    client: await dnsClientAt(cluster, flags.from, { up, container: flags.container }),
  };
}

/** Explains a name from the pod, with the CoreDNS of the stack. @param folder As in {@link connected}. */
export async function explained(name: string, flags: ExplainFlags, folder?: string) {
  const { cluster, client, dns } = await connected(flags, folder);
  const [{ explain }, { statedPlace }] = await Promise.all([
    import("./explanation.ts"),
    import("../kubernetes/core-dns-place.ts"),
  ]);
  return explain(cluster, client, name, { ...flags, coreDns: statedPlace(dns) });
}

/** Exits with 1 if the name does not resolve. */
async function explain(name: string, flags: ExplainFlags): Promise<void> {
  const explanation = await explained(name, flags);
  const { formatExplanation } = await import("./explanation.ts");
  writeOutput(flags.json ? explanation : formatExplanation(explanation));
  process.exitCode = explanation.found ? 0 : 1;
}

async function forms(name: string, flags: FormsFlags): Promise<void> {
  const { cluster, client } = await connected(flags);
  const { formatForms, nameForms } = await import("./explanation.ts");
  const costs = await nameForms(cluster, client, name, flags.runs);
  writeOutput(flags.json ? costs : formatForms(costs));
}

async function bench(flags: BenchFlags): Promise<void> {
  await refuseUnwritable(flags.html);
  const { cluster, client } = await connected(flags);
  const { bench, benchPage, formatBench } = await import("./bench.ts");
  const shown = await progress("measuring");
  const options = { ...flags, perSecond: flags.rate };
  const result = await bench(cluster, client, options, (step) => shown.update(`measuring ${step}`)).finally(shown.stop);
  writeOutput(flags.json ? result : formatBench(result));
  if (flags.html === undefined) return;
  const { html } = flags;
  await writeFile(html, benchPage(result)).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`cannot write the page to ${html}: ${error.code ?? error.message}`);
  });
  process.stderr.write(`Wrote ${html}\n`);
}

async function schema(flags: SchemaFlags): Promise<void> {
  if (flags.update === undefined && (flags.version !== undefined || flags.region !== undefined))
    throw new Failure("--version and --region require --update", 2);
  const { formatSchemas, updateSchemas } = await import("./addon-schemas.ts");
  if (flags.update === undefined) {
    process.stdout.write(formatSchemas());
    return;
  }
  const changed = await updateSchemas({ versions: flags.version, region: flags.region });
  process.stdout.write(changed.length === 0 ? "no schema has changed\n" : `new or changed: ${changed.join(", ")}\n`);
}

async function profile(flags: { readonly stack: string; readonly sizes?: true }): Promise<void> {
  if (flags.sizes) {
    const { profileTable } = await import("../plan/plan-text.ts");
    process.stdout.write(profileTable());
    return;
  }
  const [{ loadStack }, { formatDns }] = await Promise.all([
    import("../stack-file.ts"),
    import("../plan/plan-text.ts"),
  ]);
  const { settings } = await loadStack(flags.stack);
  process.stdout.write(formatDns(settings) || "This stack installs nothing for DNS.\n");
}
