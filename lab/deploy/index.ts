import { type Command, Option } from "commander";
import { helpNote, kubeconfigOptions } from "../command-line.ts";
import { prepareVerify, runVerify, type VerifyFlags, verifyOptions } from "../verify/index.ts";

interface UpFlags extends VerifyFlags {
  readonly kind?: true;
  readonly verify: boolean;
}

type DownFlags = Pick<VerifyFlags, "stack" | "context" | "kubeconfig">;

/** Adds `up` to the command line, which deploys the lab to an existing cluster. */
export function registerUp(program: Command): void {
  const command = clusterOptions(
    program.command("up").description("deploy the lab to an existing cluster, replace expired curl pods, then verify"),
  )
    .option("--kind", "create a kind cluster and use it (needs kind and Docker)")
    .option("--no-verify", "do not verify at the end");
  verifyOptions(command)
    .addHelpText(
      "after",
      helpNote(
        `${STATE_NOTE}\nExit code: 0 if no check failed, 1 if the deployment or a check failed, 2 if nothing could be tried.`,
      ),
    )
    .action(up);
}

/** Adds `down`, which removes what `up` created. */
export function registerDown(program: Command): void {
  clusterOptions(program.command("down").description("remove what `up` created, including its kind cluster"))
    .addHelpText(
      "after",
      helpNote(
        `${STATE_NOTE}\nExit code: 0 if nothing is left, 1 if objects are left or Pulumi failed, 2 if nothing could be tried.`,
      ),
    )
    .action(down);
}

/** Adds `recover`, which repairs the state after a killed update, in .pulumi-state or in the user's own backend. */
export function registerRecover(program: Command): void {
  program
    .command("recover")
    .description("after a killed `pulumi up` or `up`, add what it created to the stack's state")
    .addOption(new Option("-s, --stack <name>", "stack, as in Pulumi.NAME.yaml").default("dev"))
    .addHelpText("after", RECOVER_NOTE)
    .action(async ({ stack }: { readonly stack: string }) => {
      const { nextCommand, recover, recoveryText } = await import("./recovery.ts");
      process.stdout.write(recoveryText(stack, await recover(stack), await nextCommand(stack)));
    });
}

const RECOVER_NOTE =
  helpNote(`The state is that in .pulumi-state if \`up\` has deployed the stack, else that of the backend of \`pulumi login\`.
Exit code: 0 if the next run can continue, 1 if Pulumi failed, 2 if the state or the cluster cannot be reached.`);

const STATE_NOTE =
  "State is kept in .pulumi-state by Pulumi's file backend, so no account is needed. The Pulumi CLI on the PATH is used if there is one, else Pulumi's npm package through npx. The next run recovers from an interrupted one.";

function clusterOptions(command: Command): Command {
  return kubeconfigOptions(
    command.addOption(new Option("-s, --stack <name>", "stack whose cluster.kind is existing").default("local")),
    "the stack's, else that of the last run, else the current one",
  );
}

async function up(flags: UpFlags): Promise<void> {
  const [{ loadStack }, { targetOf }, { up: run }] = await Promise.all([
    import("../stack-file.ts"),
    import("../verify/catalog.ts"),
    import("./deployment.ts"),
  ]);
  const { name, settings } = await loadStack(flags.stack);
  const target = targetOf(settings, flags);
  if (flags.verify) await prepareVerify(flags);
  const { context, kubeconfig } = await run({ stack: name, settings, target, kind: flags.kind ?? false });
  if (flags.verify)
    process.exitCode = await runVerify({ ...flags, context, ...(kubeconfig === undefined ? {} : { kubeconfig }) });
}

async function down(flags: DownFlags): Promise<void> {
  const [{ loadStack }, { targetOf }, { down: run, removalText }, { StateFolder }] = await Promise.all([
    import("../stack-file.ts"),
    import("../verify/catalog.ts"),
    import("./deployment.ts"),
    import("./state.ts"),
  ]);
  const { name, settings } = await loadStack(flags.stack);
  const isKind = (await new StateFolder(name).memory())?.kind !== undefined;
  const left = await run({ stack: name, settings, target: targetOf(settings, flags) });
  if (left === undefined) process.stdout.write(`Nothing to remove: \`up\` has not run for stack '${name}'.\n`);
  else if (left.length === 0) process.stdout.write(removalText(settings, isKind));
  else {
    process.stdout.write(`Left on the cluster: ${left.join(", ")}\n`);
    process.exitCode = 1;
  }
}
