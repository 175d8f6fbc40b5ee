import { type Command, Option } from "commander";
import { appended, Failure, helpNote, PROJECT_ROOT, whileHandling, writeOutput } from "../command-line.ts";

interface DiffFlags {
  readonly stack: readonly string[];
  readonly markdown?: true;
  readonly json?: true;
}

/** Adds `diff` to the command line. */
export function registerDiff(program: Command): void {
  program
    .command("diff")
    .description("compare the plans of two Git revisions, resource by resource; needs no account or cluster")
    .argument("<base>", "base revision, such as main")
    .argument("[head]", "revision to compare with it; . is the working tree", ".")
    .addOption(
      new Option("-s, --stack <name>", "stack to compare; may be repeated")
        .default([], "all that have a file in head")
        .argParser(appended),
    )
    .addOption(new Option("--markdown", "print Markdown for a pull request comment").conflicts("json"))
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      helpNote(
        "Exit code: 0, even if resources change; 1 if head cannot be planned, violates a mandatory policy, or changes Kubernetes versions in a way that EKS refuses; 2 if nothing could be compared.",
      ),
    )
    .action(diffCommand);
}

async function diffCommand(base: string, head: string, flags: DiffFlags): Promise<void> {
  const stop = new AbortController();
  const compare = async () => {
    const { diff, fails } = await import("./diff.ts");
    const result = await diff({
      base,
      head,
      stacks: flags.stack,
      project: PROJECT_ROOT,
      signal: stop.signal,
      onStep: (step) => process.stderr.write(`${step} …\n`),
    });
    writeOutput(await resultOf(result, flags));
    if (fails(result)) process.exitCode = 1;
  };
  await whileHandling(() => stop.abort(), compare).catch((error: unknown) => {
    throw stop.signal.aborted ? new Failure("stopped; temporary checkouts removed", 130) : error;
  });
}

async function resultOf(diff: import("./diff.ts").Diff, flags: DiffFlags): Promise<string | object> {
  if (flags.json) return diff;
  const { formatDiff, markdownOf } = await import("./diff-report.ts");
  return flags.markdown ? markdownOf(diff) : formatDiff(diff);
}
