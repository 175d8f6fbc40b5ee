import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { PROJECT_ROOT } from "../project.ts";
import { readStack } from "../stack.ts";
import { type Measurement, measure } from "./measure.ts";

/** A measurement, and how many resources it planned where it planned any. */
export interface BenchRow extends Measurement {
  readonly resources?: number;
}

const MAIN = join(PROJECT_ROOT, "lab", "main.ts");
const IMPORTS = ["pulumi", "aws", "eks", "kubernetes"].map((name) => `import "@pulumi/${name}";`).join(" ");
/** Fleet sizes whose cost a team is compared. */
export const TEAM_COUNTS = [2, 20, 200, 1000];

/** Measures everything that `npm run bench` reports, one after the other, and says what it is at. */
export async function runSuite(runs: number, say: (what: string) => void): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const add = async (name: string, args: readonly string[], options: { warm?: boolean; resources?: number } = {}) => {
    say(name);
    const row = await measure(name, args, { runs, ...(options.warm === undefined ? {} : { warm: options.warm }) });
    rows.push(options.resources === undefined ? row : { ...row, resources: options.resources });
  };

  await add("an empty program", ["--input-type=module", "--eval", ""]);
  await add("importing the Pulumi packages", ["--input-type=module", "--eval", IMPORTS]);
  await add("lab --help", [MAIN, "--help"]);
  await add("lab plan, stack dev, cold", [MAIN, "plan", "--json"], {
    warm: false,
    resources: await countResources([]),
  });
  await add("lab plan, stack dev", [MAIN, "plan", "--json"], { resources: await countResources([]) });
  await withFleetFiles(async (files) => {
    for (const [teams, file] of files) {
      const args = ["--stack", "local", "--config-file", file];
      await add(`lab plan, ${teams} teams`, [MAIN, "plan", "--json", ...args], {
        resources: await countResources(args),
      });
    }
  });
  const mocha = join(PROJECT_ROOT, "node_modules", "mocha", "bin", "mocha.js");
  await add("unit tests, cold", [mocha, "--reporter", "dot"], { warm: false });
  await add("unit tests", [mocha, "--reporter", "dot"]);
  return rows;
}

async function countResources(args: readonly string[]): Promise<number> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [MAIN, "plan", "--json", ...args], {
    cwd: PROJECT_ROOT,
    maxBuffer: 2 ** 30,
  });
  const plan: { readonly resources: readonly unknown[] } = JSON.parse(stdout);
  return plan.resources.length;
}

/** Writes the local stack with 2, 20, 200 and 1,000 teams, each with two peers. */
async function withFleetFiles(use: (files: ReadonlyMap<number, string>) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fleet-"));
  try {
    const local = await readStack("local");
    const files = new Map<number, string>();
    for (const count of TEAM_COUNTS) {
      const file = join(folder, `Pulumi.teams-${count}.yaml`);
      await writeFile(file, stringify({ config: { ...local.config, "eks-dns-logging:teams": teamsOf(count) } }));
      files.set(count, file);
    }
    await use(files);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A ring: each team may talk to its two neighbours. */
function teamsOf(count: number) {
  const name = (index: number) => `team-${(index + count) % count}`;
  return Array.from({ length: count }, (_, index) => ({
    name: name(index),
    peers: [...new Set([name(index - 1), name(index + 1)])].filter((peer) => peer !== name(index)),
  }));
}
