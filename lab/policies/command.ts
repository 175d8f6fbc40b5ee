import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Command, Option } from "commander";
import { PROJECT_ROOT } from "../project.ts";

interface PoliciesFlags {
  readonly markdown?: true;
  readonly json?: true;
  readonly write?: true;
}

/** Adds `policies` to the command line. */
export function registerPolicies(program: Command): void {
  program
    .command("policies")
    .description("print the rules that plans and deployments are held to")
    .addOption(new Option("--markdown", "print the page of them, with reasons, fixes and settings").conflicts("json"))
    .option("--json", "print one JSON document")
    .addOption(
      new Option("--write", "write the page to docs/policies.md").implies({ markdown: true }).conflicts("json"),
    )
    .action(policies);
}

async function policies(flags: PoliciesFlags): Promise<void> {
  const { POLICIES_FILE, rulesJson, rulesPage, rulesTable } = await import("./table.ts");
  if (flags.write) await writeFile(join(PROJECT_ROOT, POLICIES_FILE), rulesPage());
  else if (flags.markdown) process.stdout.write(rulesPage());
  else if (flags.json) process.stdout.write(`${JSON.stringify(rulesJson(), null, 2)}\n`);
  else process.stdout.write(process.stdout.isTTY ? rulesTable() : stripVTControlCharacters(rulesTable()));
}
