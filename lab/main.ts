import { enableCompileCache } from "node:module";
import project from "../package.json" with { type: "json" };

// Before the first module of this program loads: the compile cache of an earlier run cuts load time by a third.
enableCompileCache();

const [
  { commandLine, runCommandLine, writeOutput },
  { registerAdopt },
  { registerAudit },
  { registerDown, registerRecover, registerUp },
  { registerDiff },
  { registerDns },
  { registerDrill },
  { registerFleet, registerImages, registerPlan },
  { registerUpgrade },
  { registerVerify },
] = await Promise.all([
  import("./command-line.ts"),
  import("./adopt/index.ts"),
  import("./audit/index.ts"),
  import("./deploy/index.ts"),
  import("./diff/index.ts"),
  import("./dns/index.ts"),
  import("./drill/index.ts"),
  import("./plan/index.ts"),
  import("./upgrade/index.ts"),
  import("./verify/index.ts"),
]);

const program = commandLine("lab", "plan, deploy and verify CoreDNS, team namespaces and log collection");
program.version(project.version, "-V, --version", "print the version of this release");
registerPlan(program);
registerDiff(program);
registerUpgrade(program);
registerVerify(program);
registerAudit(program);
registerAdopt(program);
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
registerDrill(program);
registerFleet(program);

await runCommandLine(program);

/** Adds a command that prints a built-in table. */
function listing(name: string, description: string, load: () => Promise<{ table(): string; json(): object }>): void {
  program
    .command(name)
    .description(description)
    .option("--json", "print one JSON document with more detail")
    .action(async ({ json }: { readonly json?: true }) => {
      const content = await load();
      writeOutput(json ? content.json() : content.table());
    });
}
