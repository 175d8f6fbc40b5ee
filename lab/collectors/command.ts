import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Command, Option } from "commander";
import { PROJECT_ROOT } from "../project.ts";

interface CollectorsFlags {
  readonly markdown?: true;
  readonly index?: true;
  readonly json?: true;
  readonly write?: true;
}

/** Adds `collectors` to the command line. */
export function registerCollectors(program: Command): void {
  program
    .command("collectors")
    .description("compare the log collectors: how each runs, where it can send and what it cannot do")
    .addOption(new Option("--markdown", "print the page that compares them").conflicts("json"))
    .addOption(new Option("--index", "print the page on the names of indices, for each collector").conflicts("json"))
    .option("--json", "print one JSON document")
    .addOption(new Option("--write", "write both pages to docs/").conflicts("json"))
    .action(collectors);
}

async function collectors(flags: CollectorsFlags): Promise<void> {
  const [{ collectorsJson, collectorsTable }, { COLLECTORS_FILE, collectorsPage }, { INDEX_FILE, indexPage }] =
    await Promise.all([
      import("./table.ts"),
      import("../../tools/docs/collectors-page.ts"),
      import("../../tools/docs/index-page.ts"),
    ]);
  if (flags.write) {
    await writeFile(join(PROJECT_ROOT, COLLECTORS_FILE), collectorsPage());
    await writeFile(join(PROJECT_ROOT, INDEX_FILE), indexPage());
  } else if (flags.index) process.stdout.write(indexPage());
  else if (flags.markdown) process.stdout.write(collectorsPage());
  else if (flags.json) process.stdout.write(`${JSON.stringify(collectorsJson(), null, 2)}\n`);
  else process.stdout.write(process.stdout.isTTY ? collectorsTable() : stripVTControlCharacters(collectorsTable()));
}
