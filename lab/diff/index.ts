import { type Command, Option } from "commander";
import { Failure, PROJECT_ROOT, writeOutput } from "../command-line.ts";

interface DiffFlags {
  readonly stack: readonly string[];
  readonly markdown?: true;
  readonly json?: true;
}

/** Adds `diff` to the command line. */
export function registerDiff(program: Command): void {
  program
    .command("diff")
    .description(
      "show what a change does to each resource, by the plans of two git revisions, without account or cluster",
    )
    .argument("<base>", "revision that stands, such as main")
    .argument("[head]", "revision that changes it; . is the working tree", ".")
    .addOption(
      new Option("-s, --stack <name>", "stack to compare, as often as wanted")
        .default([], "all that have a file in head")
        .argParser((name: string, earlier: readonly string[]) => [...earlier, name]),
    )
    .addOption(new Option("--markdown", "print the comment for a pull request").conflicts("json"))
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExits with 1 where head cannot be planned or a mandatory policy fails, else with 0: a change is no failure.",
    )
    .action(diffCommand);
}

async function diffCommand(base: string, head: string, flags: DiffFlags): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
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
  } catch (error) {
    if (stop.signal.aborted) throw new Failure("stopped; the checkouts are taken away again", 130);
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

async function resultOf(diff: import("./diff.ts").Diff, flags: DiffFlags): Promise<string | object> {
  if (flags.json) return diff;
  if (flags.markdown) return (await import("./markdown-diff.ts")).markdownOf(diff);
  return (await import("./terminal.ts")).formatDiff(diff);
}
