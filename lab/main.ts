import { enableCompileCache } from "node:module";
import { Command, CommanderError } from "commander";
import { registerBench } from "../tools/bench/command.ts";
import { registerSchema } from "../tools/docs/command.ts";
import { registerCollectors } from "./collectors/command.ts";
import { registerDown, registerUp } from "./deploy/command.ts";
import { registerDiff } from "./diff/command.ts";
import { registerDns } from "./dns/command.ts";
import { Failure } from "./failure.ts";
import { registerPlan } from "./plan/command.ts";
import { registerFleet } from "./plan/fleet-command.ts";
import { registerImages } from "./plan/images-command.ts";
import { registerPolicies } from "./policies/command.ts";
import { registerVerify } from "./verify/command.ts";

// A plan imports a few thousand modules; compiled once, they start in two thirds of the time.
enableCompileCache();

const program = new Command("lab")
  .description("CoreDNS, team namespaces and log collection: plan them, run them, prove them")
  .showHelpAfterError("(add --help for the options)")
  .exitOverride();
registerPlan(program);
registerDiff(program);
registerVerify(program);
registerUp(program);
registerDown(program);
registerPolicies(program);
registerCollectors(program);
registerImages(program);
registerDns(program);
registerFleet(program);
registerBench(program);
registerSchema(program);

// Whoever reads may stop before the end, as `head` does: that is no failure, and nothing is left half done for it.
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") return;
  process.stderr.write(`the output cannot be written: ${code ?? message}\n`);
  process.exitCode = 2;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Prints what went wrong and returns the exit code. Only what nobody foresaw keeps its stack trace. */
function report(error: unknown): number {
  // Commander has printed its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Failure) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof Error && error.name === "SettingsError") {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 70;
}
