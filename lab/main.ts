import { registerAudit } from "./audit/index.ts";
import { commandLine, runCommandLine, writeOutput } from "./command-line.ts";
import { registerDown, registerRecover, registerUp } from "./deploy/index.ts";
import { registerDiff } from "./diff/index.ts";
import { registerDns } from "./dns/index.ts";
import { registerFleet, registerImages, registerPlan } from "./plan/index.ts";
import { registerVerify } from "./verify/index.ts";

const program = commandLine("lab", "plan, deploy and verify CoreDNS, team namespaces and log collection");
registerPlan(program);
registerDiff(program);
registerVerify(program);
registerAudit(program);
registerUp(program);
registerDown(program);
registerRecover(program);
listing("policies", "list the policy rules", async () => {
  const { rulesJson, rulesTable } = await import("./plan/policy-report.ts");
  return { table: rulesTable, json: rulesJson };
});
listing("collectors", "compare the log collectors", async () => {
  const { collectorsJson, collectorsTable } = await import("./collector-table.ts");
  return { table: collectorsTable, json: collectorsJson };
});
registerImages(program);
registerDns(program);
registerFleet(program);

await runCommandLine(program);

/** Adds a command that prints a table of what the program knows. */
function listing(name: string, description: string, load: () => Promise<{ table(): string; json(): object }>): void {
  program
    .command(name)
    .description(description)
    .option("--json", "print one JSON document with more detail")
    .action(async ({ json }: { readonly json?: true }) => {
      const found = await load();
      writeOutput(json ? found.json() : found.table());
    });
}
