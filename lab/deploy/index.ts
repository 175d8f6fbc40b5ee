import { type Command, Option } from "commander";
import { runVerify, type VerifyFlags, verifyOptions } from "../verify/index.ts";

interface UpFlags extends VerifyFlags {
  readonly kind?: true;
  readonly verify: boolean;
}

type DownFlags = Pick<VerifyFlags, "stack" | "context" | "kubeconfig">;

/** Adds `up` to the command line: the lab on a cluster that is there, in one command. */
export function registerUp(program: Command): void {
  const command = clusterOptions(
    program.command("up").description("put the lab on a cluster that is there, replace ended curl pods, then verify"),
  )
    .option("--kind", "make a kind cluster (needs kind and Docker) and use it")
    .option("--no-verify", "do not verify at the end");
  verifyOptions(command).addHelpText("after", STATE_NOTE).action(up);
}

/** Adds `down`: what `up` made is gone afterwards. */
export function registerDown(program: Command): void {
  clusterOptions(program.command("down").description("take away what `up` made, its kind cluster included"))
    .addHelpText("after", STATE_NOTE)
    .action(down);
}

/** Adds `recover`: after a killed `pulumi up` in the person's own backend, the next one goes on. */
export function registerRecover(program: Command): void {
  program
    .command("recover")
    .description(
      "after a killed `pulumi up`: put what it had made into the stack's state, so that the next one goes on",
    )
    .addOption(new Option("-s, --stack <name>", "stack, as in Pulumi.NAME.yaml").default("dev"))
    .action(async ({ stack }: { readonly stack: string }) => {
      const { recover, recoveryText } = await import("./recover.ts");
      process.stdout.write(recoveryText(stack, await recover(stack)));
    });
}

const STATE_NOTE = `
State is kept in .pulumi-state, by Pulumi's file backend: no account is needed. The Pulumi CLI is used where it is
installed, else Pulumi's npm package by npx. A run that was cut off is picked up by the next one.`;

function clusterOptions(command: Command): Command {
  return command
    .addOption(new Option("-s, --stack <name>", "stack of kind 'existing'").default("local"))
    .option(
      "--context <name>",
      "kubeconfig context (default: that of the stack, of the last run, else the current one)",
    )
    .option("--kubeconfig <file>", "kubeconfig (default: that of the stack, else KUBECONFIG, else ~/.kube/config)");
}

async function up(flags: UpFlags): Promise<void> {
  const [{ loadStack }, { targetOf }, { up: run }] = await Promise.all([
    import("../stack-file.ts"),
    import("../verify/catalog.ts"),
    import("./up.ts"),
  ]);
  const { name, settings } = await loadStack(flags.stack);
  const target = targetOf(settings, flags);
  const { context, kubeconfig } = await run({ stack: name, settings, target, kind: flags.kind ?? false });
  if (flags.verify)
    process.exitCode = await runVerify({ ...flags, context, ...(kubeconfig === undefined ? {} : { kubeconfig }) });
}

async function down(flags: DownFlags): Promise<void> {
  const [{ loadStack }, { targetOf }, { down: run }] = await Promise.all([
    import("../stack-file.ts"),
    import("../verify/catalog.ts"),
    import("./down.ts"),
  ]);
  const { name, settings } = await loadStack(flags.stack);
  const left = await run({ stack: name, settings, target: targetOf(settings, flags) });
  if (left === undefined)
    process.stdout.write(`There is nothing to take away: \`up\` has not run for stack '${name}'.\n`);
  else if (left.length === 0)
    process.stdout.write(
      `All is gone: no object of the lab is left on the cluster.\nA node that stays keeps the collector's buffer and positions, up to logging.buffer.size, in /var/lib/eks-dns-logging: delete that folder to remove them.\n`,
    );
  else {
    process.stdout.write(`Left on the cluster: ${left.join(", ")}\n`);
    process.exitCode = 1;
  }
}
