import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { between, commandLine, progress, runCommandLine } from "../../lab/command-line.ts";
import type { Target } from "../../lab/kubernetes/connect.ts";

interface BenchFlags extends Target {
  readonly runs: number;
  readonly output?: string;
  readonly json?: true;
  readonly write?: true;
}

const program = commandLine(
  "bench",
  "measure start-up, plans from 2 to 1,000 teams and the tests, as whole processes; verify on a cluster",
)
  .option("--runs <number>", "counted runs of each", between(1), 5)
  .option(
    "--context <name>",
    "kubeconfig context of a cluster: deploy 20 teams there, measure verify and names, remove the teams",
  )
  .option("--kubeconfig <file>", "kubeconfig file, with --context (default: $KUBECONFIG, else ~/.kube/config)")
  .option("--json", "print one JSON document instead of the table")
  .option("--output <file>", "write the JSON document to a file as well")
  .option("--write", "write the tables into docs/measurements/speed.md as well")
  .action(bench);

async function bench(flags: BenchFlags): Promise<void> {
  const [{ runSuite }, { formatBench, goalsOf, writeBench }] = await Promise.all([
    import("./suite.ts"),
    import("./suite.ts"),
  ]);
  const shown = await progress("measuring");
  const say = (what: string) => shown.update(`measuring: ${what}`);
  try {
    // First, because an unreachable cluster should be reported before ten minutes have passed.
    const live = flags.context === undefined ? undefined : await onCluster(flags, say);
    const { rows: own, failed } = await runSuite(flags.runs, say);
    const rows = [...own, ...(live?.rows ?? [])];
    const document = {
      node: process.version,
      cores: cpus().length,
      rows,
      goals: goalsOf(rows),
      forms: live?.forms ?? [],
    };
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (flags.output !== undefined) await writeFile(flags.output, text);
    // The costs of names are in docs/explanation/name-cost.md.
    if (flags.write) await writeBench(formatBench({ ...document, forms: [] }));
    shown.stop();
    process.stdout.write(flags.json ? text : formatBench(document));
    for (const line of failed) process.stderr.write(`left out, since it failed: ${line}\n`);
    if (failed.length > 0) process.exitCode = 1;
  } finally {
    shown.stop();
  }
}

async function onCluster(flags: BenchFlags, say: (what: string) => void) {
  const target = { context: flags.context, kubeconfig: flags.kubeconfig };
  const { connect } = await import("../../lab/kubernetes/connect.ts");
  // Before the Pulumi packages load, so that an unreachable cluster is reported at once.
  const connection = await connect(target);
  const { runOnCluster } = await import("./cluster-bench.ts");
  return runOnCluster(connection, target, flags.runs, say);
}

await runCommandLine(program);
