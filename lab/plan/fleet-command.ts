import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { Failure } from "../failure.ts";
import { PROJECT_ROOT } from "../project.ts";
import { loadStack, stackNames } from "../stack.ts";
import { differences, type PlannedStack } from "./fleet.ts";

/** Plans at the same time: each is a process that fills a core. */
const PARALLEL = 2;

/** Adds `fleet` to the command line. */
export function registerFleet(program: Command): void {
  program
    .command("fleet")
    .description("plan several stacks and show what differs between them")
    .argument("[stacks...]", "stacks, as in Pulumi.NAME.yaml (default: all of the project)")
    .option("--json", "print one JSON document")
    .action(fleet);
}

async function fleet(names: readonly string[], flags: { readonly json?: true }): Promise<void> {
  const stacks = names.length > 0 ? names : await stackNames();
  const { default: ora } = await import("ora");
  const spinner = ora({ stream: process.stderr }).start(`planning ${stacks.join(", ")}`);
  const planned = await planAll(stacks, (stack) => {
    spinner.text = `planned ${stack}`;
  }).finally(() => spinner.stop());
  const rows = differences(planned);
  if (flags.json) {
    const counts = planned.map(({ stack, resources }) => ({ stack, resources }));
    process.stdout.write(`${JSON.stringify({ stacks: counts, differences: rows }, null, 2)}\n`);
    return;
  }
  const { default: Table } = await import("cli-table3");
  const table = new Table({ head: ["setting", ...planned.map(({ stack }) => stack)], style: { head: [], border: [] } });
  table.push(["resources", ...planned.map(({ resources }) => String(resources))]);
  table.push(...rows.map(({ setting, values }) => [setting, ...values.map((value) => value ?? "—")]));
  process.stdout.write(`${table.toString()}\nsettings that differ: ${rows.length}\n`);
}

/** Every stack is planned, and every issue in any of them is told, before the first one ends the command. */
async function planAll(stacks: readonly string[], done: (stack: string) => void): Promise<PlannedStack[]> {
  const loaded = await Promise.allSettled(stacks.map((stack) => loadStack(stack)));
  const wrong = loaded.flatMap((result, index) =>
    result.status === "rejected"
      ? [`stack ${stacks[index]}: ${result.reason instanceof Error ? result.reason.message : result.reason}`]
      : [],
  );
  if (wrong.length > 0) throw new Failure(wrong.join("\n"), 2);

  const waiting = loaded.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const planned = new Map<string, PlannedStack>();
  const queue = waiting.values();
  const work = async () => {
    for (const { name, settings } of queue) {
      planned.set(name, { stack: name, settings, resources: await countResources(name) });
      done(name);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return waiting.flatMap(({ name }) => planned.get(name) ?? []);
}

/** A process of its own for each: the program is a module, which runs once in a process. */
async function countResources(stack: string): Promise<number> {
  const args = [join(PROJECT_ROOT, "lab", "main.ts"), "plan", "--json", "--stack", stack];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 30 });
  const plan: { readonly resources: readonly unknown[] } = JSON.parse(stdout);
  return plan.resources.length;
}
