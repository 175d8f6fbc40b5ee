import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import {
  between,
  commaList,
  Failure,
  helpNote,
  kubeconfigOptions,
  progress,
  refuseUnwritable,
  stackOptions,
  writeOutput,
} from "../command-line.ts";
import { SESSIONS } from "../kubernetes/cluster.ts";
import type { Row } from "./result.ts";

export interface VerifyFlags {
  readonly stack: string;
  readonly configFile?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly json?: true;
  readonly report?: string;
  readonly only: readonly string[];
  readonly skip: readonly string[];
  readonly parallel: number;
  readonly wait: number;
}

/** Adds `verify` to the command line. Its modules load only when it runs, which keeps `--help` fast. */
export function registerVerify(program: Command): void {
  const command = program
    .command("verify")
    .description("check a running cluster: pods, ping, DNS, curl, network policies and logs");
  verifyOptions(kubeconfigOptions(stackOptions(command, "local")))
    .addHelpText("after", helpNote(EXIT_CODES))
    .action(async (flags: VerifyFlags) => {
      process.exitCode = await runVerify(flags);
    });
}

const EXIT_CODES = `ROW is an id (ping:ts:sa), a prefix (dns, dns:ts), or has * for a part (curl:*:sa).
Exit code: 0 if no check failed, 1 if one did, 2 if none could run.`;

/** Options of `verify`, and of `up`, which ends with it. */
export function verifyOptions(command: Command): Command {
  return command
    .option("--json", "print one JSON document instead of the table")
    .option("--report <file>", "write a self-contained HTML page with a diagram")
    .addOption(new Option("--only <row...>", "run only these rows").argParser(commaList).default([], "all"))
    .addOption(new Option("--skip <row...>", "run all rows except these").argParser(commaList).default([], "none"))
    .addOption(
      new Option("--parallel <count>", "number of parallel sessions in pods")
        .argParser(between(1, 64))
        .default(SESSIONS),
    )
    .addOption(
      new Option("--wait <seconds>", "maximum time for a marker to reach the log destination")
        .argParser(between(1, 3600))
        .default(60),
    );
}

/**
 * Reads the stack and validates the flags before the slow steps.
 * @throws {Failure} if no row is selected, or the report cannot be written.
 */
export async function prepareVerify(flags: VerifyFlags) {
  const [{ chosenStack, withSettings }, { allChecks, checkInputOf, select }] = await Promise.all([
    import("../stack-file.ts"),
    import("./catalog.ts"),
  ]);
  const { name, settings } = await withSettings(await chosenStack(flags));
  await refuseUnwritable(flags.report);
  const input = checkInputOf(name, settings, flags.wait);
  select(allChecks(input), flags);
  return { name, settings, input };
}

/** Runs the rows, prints them, and returns the exit code. */
export async function runVerify(flags: VerifyFlags): Promise<number> {
  const [{ targetOf }, { verify }] = await Promise.all([import("./catalog.ts"), import("./verify.ts")]);
  const { name, settings, input } = await prepareVerify(flags);
  const shown = await progress("connecting to the cluster");
  let failed = 0;
  const onRow = ({ id, status }: Row, done: number, all: number) => {
    if (status === "fail") failed += 1;
    shown.update(`${done} of ${all} rows${failed > 0 ? `, ${failed} failed` : ""}, ${id}`);
  };
  const result = await verify({
    stack: name,
    input,
    target: targetOf(settings, flags),
    selection: flags,
    parallel: flags.parallel,
    onRow,
  }).finally(shown.stop);

  const { asJson, formatResult } = await import("./result.ts");
  if (flags.json) writeOutput(asJson(result));
  else {
    const color = process.stdout.hasColors?.() ?? false;
    process.stdout.write(formatResult(result, { color, width: process.stdout.columns || 160 }));
  }
  if (result.rows.length === 0)
    process.stderr.write(`Nothing to verify: nothing of stack '${name}' runs on the cluster\n`);
  if (flags.report !== undefined) {
    const { reportPage } = await import("./report/report-page.ts");
    await writeReport(flags.report, reportPage(result));
  }
  return result.rows.some((row) => row.status === "fail") ? 1 : 0;
}

async function writeReport(file: string, page: string): Promise<void> {
  await writeFile(file, page).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${file} cannot be written: ${error.code ?? error.message}`);
  });
  process.stderr.write(`Wrote ${file}\n`);
}
