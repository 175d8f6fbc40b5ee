import { RunError, runtime } from "@pulumi/pulumi";
import { Failure } from "../command-line.ts";

/**
 * Runs a program in a stack until all is registered. The SDK keeps an error in a resource's inputs to itself: unhandled, it would end the
 * process.
 * @throws the first error. Whatever waits for the resource fails with it, some of it later, and is no longer reported.
 */
export async function runInStack(program: () => Promise<unknown>): Promise<void> {
  // The stack keeps promises of its own on the program, which would end the process: so a failure leaves by another way.
  const failures: unknown[] = [];
  const work = async () => {
    await runtime.runInPulumiStack(() =>
      program().catch((error: unknown) => {
        failures.push(error);
      }),
    );
    await runtime.disconnect();
  };
  const failed = Promise.withResolvers<never>();
  const fail = (error: unknown) => {
    // The SDK looks at some of these promises afterwards, of which Node.js warns.
    process.removeAllListeners("warning");
    failed.reject(error);
  };
  process.on("unhandledRejection", fail);
  await Promise.race([work(), failed.promise]);
  process.off("unhandledRejection", fail);
  if (failures.length > 0) throw failures[0];
}

/** What the SDK puts before an error in an input, once for each resource that waits for it. */
const WAITING = /^(error serializing property "[^"]*": )+/;

/** An error that a component throws for its user to read, as the sentence that it is; undefined for any other. */
export function sentenceOf(error: unknown): Failure | undefined {
  return RunError.isInstance(error) ? new Failure(error.message.replace(WAITING, ""), 2) : undefined;
}
