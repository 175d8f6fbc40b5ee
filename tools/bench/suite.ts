import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "../../lab/failure.ts";
import { PROJECT_ROOT } from "../../lab/project.ts";
import { type Command, type Measurement, measure } from "./measure.ts";
import { measureStages } from "./stages.ts";
import { TEAM_COUNTS, withTeamFiles } from "./teams.ts";

/** A measurement, and how many things it made where that can be counted. */
export interface BenchRow extends Measurement {
  readonly count?: number;
  /** What is counted. */
  readonly of?: "resources" | "rows";
}

/** Names of the rows that the goals are about. */
export const ROW = {
  imports: "importing the Pulumi packages",
  plan: "lab plan, stack dev",
  teams: (count: number) => `lab plan, ${count.toLocaleString("en")} teams`,
  units: "npm run test:unit",
} as const;

const MAIN = join("lab", "main.ts");
const EMPTY: Command = ["node", "--input-type=module", "--eval", ""];
const PACKAGES = ["pulumi", "aws", "eks", "kubernetes"].map((name) => `import "@pulumi/${name}";`).join(" ");

/** What was measured, and what could not be, each in one line. */
export interface SuiteResult {
  readonly rows: readonly BenchRow[];
  /** Programs that failed. Their rows are left out, and the minutes of the others are not lost. */
  readonly failed: readonly string[];
}

/** Measures what needs no cluster, one after the other, and says what it is at. */
export async function runSuite(runs: number, say: (what: string) => void): Promise<SuiteResult> {
  const rows: BenchRow[] = [];
  const failed: string[] = [];
  const add = async (name: string, command: Command, options: { cold?: true; count?: number } = {}) => {
    say(name);
    const row = await measure(name, command, { runs, warm: options.cold !== true }).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      failed.push(`${name}: ${error.message}`);
      return undefined;
    });
    if (row !== undefined)
      rows.push(options.count === undefined ? row : { ...row, count: options.count, of: "resources" });
  };
  const plan = (...args: string[]): Command => ["node", MAIN, "plan", "--json", ...args];

  await add("an empty program", EMPTY);
  await add(ROW.imports, ["node", "--input-type=module", "--eval", PACKAGES]);
  await add("lab --help", ["node", MAIN, "--help"]);
  const count = await countResources(plan());
  await add(`${ROW.plan}, cold`, plan(), { cold: true, count });
  await add(ROW.plan, plan(), { count });
  await withTeamFiles(TEAM_COUNTS, async (files) => {
    for (const [teams, file] of files) {
      const command = plan("--stack", "local", "--config-file", file);
      await add(ROW.teams(teams), command, { count: await countResources(command) });
    }
    const most = Math.max(...TEAM_COUNTS);
    say(`the parts of a plan of ${most} teams`);
    rows.push(...(await measureStages(`${most.toLocaleString("en")} teams`, files.get(most) ?? "", runs)));
  });
  await add(`${ROW.units}, cold`, ["npm", "run", "test:unit"], { cold: true });
  await add(ROW.units, ["npm", "run", "test:unit"]);
  await add("npm test, cold", ["npm", "test"], { cold: true });
  await add("npm test", ["npm", "test"]);
  return { rows, failed };
}

async function countResources([, ...args]: Command): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT, maxBuffer: 2 ** 30 });
  const plan: { readonly resources: readonly unknown[] } = JSON.parse(stdout);
  return plan.resources.length;
}
