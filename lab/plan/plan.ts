import type { Stack } from "../stack.ts";
import { type Recording, record } from "./recorder.ts";

/**
 * What `pulumi up` would make of a stack: runs the real index.ts against a mocked engine. Needs no CLI, account, cluster or
 * network; what only a provider knows stays unknown.
 * @throws {SettingsError} with every issue in the settings.
 */
export function planStack({ name, config }: Stack): Promise<Recording> {
  const call = (token: string, inputs: Record<string, unknown>) => answer(token, inputs, config);
  return record({ stack: name, config, call }, () => {
    // A module runs on its first import alone, so that every run has its own.
    runs += 1;
    return import(new URL(`../../index.ts?stack=${name}&run=${runs}`, import.meta.url).href);
  });
}

let runs = 0;

/** Stands for the account that nobody has named yet: the number that AWS's own documentation uses. */
export const EXAMPLE_ACCOUNT = "123456789012";

/** Answers the provider functions that the program asks, as far as the configuration tells. */
function answer(
  token: string,
  inputs: Record<string, unknown>,
  config: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const region = config["aws:region"] ?? "";
  if (token === "aws:index/getAvailabilityZones:getAvailabilityZones") {
    return { ...inputs, names: ["a", "b", "c"].map((letter) => `${region}${letter}`) };
  }
  if (token === "aws:index/getCallerIdentity:getCallerIdentity") return { ...inputs, accountId: EXAMPLE_ACCOUNT };
  return inputs;
}
