import { RunError, runtime } from "@pulumi/pulumi";
import { Failure } from "../command-line.ts";

/**
 * Runs a program in a stack until everything is registered. The SDK does not propagate an error in a resource's inputs; as an unhandled
 * rejection it would end the process.
 * @throws the first error. Resources that depend on the failed one fail too, some of them later, and are not reported.
 */
export async function runInStack(program: () => Promise<unknown>): Promise<void> {
  // The stack keeps its own promises on the program, whose rejection would end the process: so a failure is returned another way.
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
    // The SDK reads some of these promises later, for which Node.js would print a warning.
    process.removeAllListeners("warning");
    failed.reject(error);
  };
  process.on("unhandledRejection", fail);
  await Promise.race([work(), failed.promise]);
  process.off("unhandledRejection", fail);
  if (failures.length > 0) throw failures[0];
}

/** Prefix that the SDK adds to an error in an input, once per dependent resource. */
const WAITING = /^(error serializing property "[^"]*": )+/;

/** The message of an error that a component throws for its user; undefined for any other error. */
export function sentenceOf(error: unknown): Failure | undefined {
  return RunError.isInstance(error) ? new Failure(error.message.replace(WAITING, ""), 2) : undefined;
}
