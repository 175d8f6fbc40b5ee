import "../../components/runtime.ts";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { unknownValue } from "@pulumi/pulumi/runtime/rpc.js";
import { setMockOptions } from "@pulumi/pulumi/runtime/settings.js";
import { deferModule } from "../../components/runtime.ts";
import { Failure } from "../command-line.ts";
import type { Stack } from "../stack-file.ts";
import { type PlannedResource, PROJECT, type Recording, RecordingMonitor } from "./recording.ts";

/**
 * Plans a stack: runs the real index.ts against a mocked engine, without CLI, account, cluster or network. Values that only a provider
 * knows stay unknown.
 * @throws {SettingsError} with every issue in the settings.
 */
export function planStack({ name, config }: Stack): Promise<Recording> {
  const call = (token: string, inputs: Record<string, unknown>) => answer(token, inputs, config);
  return record({ stack: name, config, call }, () => {
    // A module runs only on its first import, so each run uses another URL.
    runs += 1;
    return import(new URL(`../../index.ts?stack=${name}&run=${runs}`, import.meta.url).href);
  });
}

let runs = 0;

/** Input of a run, and how the mocked engine answers it. */
export interface RecordOptions {
  /** Stack name. */
  readonly stack: string;
  /** Stack configuration as the engine passes it: `namespace:key` to a string, structured values as JSON. */
  readonly config: Readonly<Record<string, string>>;
  /**
   * Whether outputs that only a provider knows stay unknown, as in `pulumi preview`.
   * If `false`, a resource has the id `NAME_id` and its inputs as outputs, as after `pulumi up`. Default true.
   */
  readonly preview?: boolean;
  /** Outputs that a provider would compute, merged over the inputs. Default: none. */
  readonly outputs?: (type: string, name: string, inputs: pulumi.Inputs) => pulumi.Inputs;
  /** Results of provider functions. Default: the call's arguments. */
  readonly call?: (token: string, inputs: pulumi.Inputs) => pulumi.Inputs;
}

/**
 * Runs a program against a mocked engine and records every registration with its parent, dependencies and options.
 * If the program throws, it runs again for a full stack trace, and this rethrows the error. One run at a time: the Pulumi runtime's
 * settings are global.
 */
export async function record(options: RecordOptions, program: () => Promise<unknown>): Promise<Recording> {
  const recording = await runOrRerun(options, program);
  refuseSharedUrns(recording.resources);
  return recording;
}

/** Placeholder for an unknown account: the number that AWS uses in its documentation. */
const EXAMPLE_ACCOUNT = "123456789012";

/** Zone suffixes of a region, whose number only AWS knows: as many as `cluster.vpc.zones` accepts. */
const ZONES = ["a", "b", "c", "d", "e", "f"];

/** Answers provider functions from the configuration, if it has the answer. */
function answer(
  token: string,
  inputs: Record<string, unknown>,
  config: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const region = config["aws:region"] ?? "";
  if (token === "aws:index/getAvailabilityZones:getAvailabilityZones") {
    return { ...inputs, names: ZONES.map((letter) => `${region}${letter}`) };
  }
  if (token === "aws:index/getCallerIdentity:getCallerIdentity") return { ...inputs, accountId: EXAMPLE_ACCOUNT };
  // The settings state the facts of an existing cluster.
  if (token === "aws:eks/getCluster:getCluster")
    return { ...inputs, endpoint: unknownValue, certificateAuthorities: unknownValue, version: unknownValue };
  if (token === "aws:eks/getAddonVersion:getAddonVersion") return { ...inputs, version: unknownValue };
  return inputs;
}

async function runOrRerun(options: RecordOptions, program: () => Promise<unknown>): Promise<Recording> {
  try {
    return await withoutStackTraces(() => run(options, program));
  } catch (error) {
    // Errors in settings name their path. Others are thrown again by a second run with stack traces.
    if (error instanceof Error && error.name === "SettingsError") throw error;
    const failure = userError(error);
    if (failure !== undefined) throw failure;
    return run(options, program);
  }
}

/**
 * Pulumi captures a stack trace for each promise, to show those that never settle, and a full one for each resource, whatever the limit: a
 * quarter of a plan's time. V8 captures none if the limit is an accessor property.
 */
async function withoutStackTraces<T>(work: () => Promise<T>): Promise<T> {
  const limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit");
  Object.defineProperty(Error, "stackTraceLimit", { get: () => undefined, set: () => {}, configurable: true });
  try {
    return await work();
  } finally {
    if (limit !== undefined) Object.defineProperty(Error, "stackTraceLimit", limit);
  }
}

async function run(options: RecordOptions, program: () => Promise<unknown>): Promise<Recording> {
  await endFailedRun();
  const preview = options.preview ?? true;
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ type, name, inputs }) => ({
      id: preview ? undefined : `${name}_id`,
      state: { ...inputs, ...options.outputs?.(type, name, inputs) },
    }),
    call: ({ token, inputs }) => options.call?.(token, inputs) ?? inputs,
  };
  const { stack, outputs } = options;
  const monitor = new RecordingMonitor(mocks, { stack, preview, echoes: outputs === undefined });
  // setMocks enables the runtime's features, but its monitor does not expose parents and dependencies.
  await pulumi.runtime.setMocks(mocks, PROJECT, stack, preview);
  setMockOptions(monitor, PROJECT, stack, preview);
  pulumi.runtime.setAllConfig({ ...options.config });

  await runInStack(program);
  return { resources: monitor.planned, outputs: monitor.outputs.value, secretOutputs: monitor.outputs.secretKeys };
}

/** @throws Error if two resources have the same URN: the engine would fail at the second, the mocks do not. */
function refuseSharedUrns(planned: readonly PlannedResource[]): void {
  const urns = new Set<string>();
  for (const { urn } of planned) {
    if (urns.has(urn)) throw new Error(`internal error: two resources have the URN ${urn}, which the engine refuses`);
    urns.add(urn);
  }
}

/** How long the next run waits for the rest of one that failed. */
const MAX_SETTLE_MS = 2000;
const nothing = () => Promise.resolve();

/**
 * Waits until a run that failed has ended: its program may still register resources, and errors of those that depend on the failed one come
 * later. Both would be counted for the next run.
 */
let endFailedRun = nothing;

/**
 * Runs a program in a stack until everything is registered. The SDK does not propagate an error in a resource's inputs; as an unhandled
 * rejection it would end the process.
 * @throws the first error. Resources that depend on the failed one fail too, some of them later, and are not reported.
 */
async function runInStack(program: () => Promise<unknown>): Promise<void> {
  // If the program's promise were rejected, so would be promises that the stack derives from it, which would end the process.
  const failures: unknown[] = [];
  const work = async () => {
    await pulumi.runtime.runInPulumiStack(() =>
      program().catch((error: unknown) => {
        failures.push(error);
      }),
    );
    await pulumi.runtime.disconnect();
  };
  const failed = Promise.withResolvers<never>();
  const fail = (error: unknown) => {
    // The SDK reads some of these promises later, for which Node.js would print a warning.
    process.removeAllListeners("warning");
    failed.reject(error);
  };
  process.on("unhandledRejection", fail);
  const working = work();
  endFailedRun = async () => {
    endFailedRun = nothing;
    const late = new AbortController();
    await Promise.race([working, wait(MAX_SETTLE_MS, undefined, { signal: late.signal })]).catch(nothing);
    late.abort();
    // The errors are reported after this turn.
    await nextTurn();
    process.off("unhandledRejection", fail);
  };
  await Promise.race([working, failed.promise]);
  process.off("unhandledRejection", fail);
  endFailedRun = nothing;
  if (failures.length > 0) throw failures[0];
}

/** Prefix that the SDK adds to an error in an input, once per dependent resource. */
const SERIALIZING = /^(error serializing property "[^"]*": )+/;

/** The message of an error that a component throws for its user; undefined for any other error. */
function userError(error: unknown): Failure | undefined {
  return pulumi.RunError.isInstance(error) ? new Failure(error.message.replace(SERIALIZING, ""), 2) : undefined;
}

/**
 * Provider packages with a folder per service: 266 folders, of which a plan of an EKS cluster uses 10. Each folder registers the classes
 * for resource references. Without an engine, references only name resources that the program itself creates, whose folder is loaded; an
 * engine's answers may name others. So this is for plans only.
 */
const PACKAGES = ["@pulumi/aws", "@pulumi/kubernetes"];

/** Loads each service of the provider packages on its first use. */
function deferServices(): void {
  for (const name of PACKAGES) {
    const index = createRequire(import.meta.url).resolve(name);
    const require = createRequire(index);
    // Imports of the whole package get all of it.
    if (require.cache[index] !== undefined) continue;
    const folder = dirname(index);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const service = join(folder, entry.name, "index.js");
      if (entry.isDirectory() && entry.name !== "node_modules" && existsSync(service)) deferModule(require, service);
    }
  }
}

// Before the program loads the packages.
deferServices();
