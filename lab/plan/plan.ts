import "../../components/runtime.ts";
import "./deferred-packages.ts";
import * as pulumi from "@pulumi/pulumi";
import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb.js";
import resources from "@pulumi/pulumi/proto/resource_pb.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { specialResourceSig, specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc.js";
import { setMockOptions } from "@pulumi/pulumi/runtime/settings.js";
import type { Stack } from "../stack-file.ts";
import { runInStack, sentenceOf } from "./resource-failure.ts";
import { engineUrn, formerUrns, PROJECT, STACK_TYPE } from "./resource-urns.ts";

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

/** What a run registered, in order of registration, and what it exported. */
export interface Recording {
  readonly resources: readonly PlannedResource[];
  readonly outputs: { readonly [key: string]: Planned };
  /** Names of secret outputs. */
  readonly secretOutputs: readonly string[];
}

/**
 * Runs a program against a mocked engine and records every registration with its parent, dependencies and options.
 * If the program throws, it runs again for a full stack trace, and this rethrows the error. One run at a time: the Pulumi runtime's
 * settings are global.
 */
export async function record(options: RecordOptions, program: () => Promise<unknown>): Promise<Recording> {
  try {
    return await withoutStackTraces(() => run(options, program));
  } catch (error) {
    // Errors in settings name their path. Others are thrown again by a second run with stack traces.
    if (error instanceof Error && error.name === "SettingsError") throw error;
    const sentence = sentenceOf(error);
    if (sentence !== undefined) throw sentence;
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
  const preview = options.preview ?? true;
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ type, name, inputs }) => ({
      id: preview ? undefined : `${name}_id`,
      state: { ...inputs, ...options.outputs?.(type, name, inputs) },
    }),
    call: ({ token, inputs }) => options.call?.(token, inputs) ?? inputs,
  };
  const monitor = new RecordingMonitor(mocks, options, preview);
  // setMocks enables the runtime's features, but its monitor does not expose parents and dependencies.
  await pulumi.runtime.setMocks(mocks, PROJECT, options.stack, preview);
  setMockOptions(monitor, PROJECT, options.stack, preview);
  pulumi.runtime.setAllConfig({ ...options.config });

  await runInStack(program);
  refuseSharedUrns(monitor.planned);
  return { resources: monitor.planned, outputs: monitor.outputs.value, secretOutputs: monitor.outputs.secrets };
}

/** @throws Error if two resources have the same URN: the engine would fail at the second, the mocks do not. */
function refuseSharedUrns(planned: readonly PlannedResource[]): void {
  const urns = new Set<string>();
  for (const { urn } of planned) {
    if (urns.has(urn)) throw new Error(`internal error: two resources have the URN ${urn}, which the engine refuses`);
    urns.add(urn);
  }
}

type Callback<T> = (error: unknown, response: T) => void;

class RecordingMonitor extends MockMonitor {
  readonly planned: PlannedResource[] = [];
  outputs = plain({});
  readonly #stack: string;
  readonly #preview: boolean;
  /** Whether a resource's outputs equal its inputs. */
  readonly #echoes: boolean;

  constructor(mocks: pulumi.runtime.Mocks, { stack, outputs }: RecordOptions, preview: boolean) {
    super(mocks);
    this.#stack = stack;
    this.#preview = preview;
    this.#echoes = outputs === undefined;
  }

  override registerResource(
    request: RegisterResourceRequest,
    callback: Callback<RegisterResourceResponse>,
  ): Promise<void> {
    if (this.#echoes) return this.#echo(request, callback);
    // Registrations overlap, so the URN is only known from the answer to this request.
    return super.registerResource(request, (error: unknown, response: RegisterResourceResponse) => {
      if (error === null) {
        const registered = this.resources.get(response.getUrn());
        const urn = engineUrn(this.#stack, request);
        if (registered !== undefined) this.resources.set(urn, { ...registered, urn });
        response.setUrn(urn);
        this.#record(urn, request, request.getObject()?.toJavaScript() ?? {});
      }
      callback(error, response);
    });
  }

  /**
   * Answers with the inputs as received. The mocks would deserialize and serialize each value twice, with the same result: a sixth of the
   * CPU time of 195 plans.
   */
  async #echo(request: RegisterResourceRequest, callback: Callback<RegisterResourceResponse>): Promise<void> {
    const name = request.getName();
    const urn = engineUrn(this.#stack, request);
    const inputs = request.getObject();
    const state = inputs?.toJavaScript() ?? {};
    const id = this.#preview ? "" : `${name}_id`;
    // The SDK reads the answer without changing it.
    if (inputs !== undefined) inputs.toJavaScript = () => state;
    this.resources.set(urn, { urn, id: id || null, state });
    this.#record(urn, request, state);
    const response = new resources.RegisterResourceResponse();
    response.setUrn(urn);
    response.setId(id);
    response.setObject(inputs);
    callback(null, response);
  }

  #record(urn: string, request: RegisterResourceRequest, inputs: Readonly<Record<string, unknown>>): void {
    if (request.getType() !== STACK_TYPE) this.planned.push(planned(urn, request, inputs));
  }

  /** The mocks' monitor claims to support hooks, but does not. No resource fails here, so no hook is ever called. */
  registerErrorHook(_request: unknown, callback: Callback<object>): void {
    callback(null, {});
  }

  override registerResourceOutputs(request: RegisterResourceOutputsRequest, callback: Callback<object>): void {
    if (request.getUrn().includes(`::${STACK_TYPE}::`)) {
      this.outputs = plain(request.getOutputs()?.toJavaScript() ?? {});
    }
    super.registerResourceOutputs(request, callback);
  }
}

function planned(
  urn: string,
  request: RegisterResourceRequest,
  fields: Readonly<Record<string, unknown>>,
): PlannedResource {
  const inputs = plain(fields);
  const timeouts = request.getCustomtimeouts();
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    inputs: inputs.value,
    secrets: inputs.secrets,
    unknowns: inputs.unknowns,
    parent: request.getParent(),
    dependencies: request.getDependenciesList(),
    provider: request.getProvider(),
    protect: request.getProtect() ?? false,
    deleteBeforeReplace: request.getDeletebeforereplace(),
    retainOnDelete: request.getRetainondelete() ?? false,
    ignoreChanges: request.getIgnorechangesList(),
    formerUrns: formerUrns(urn, request),
    timeouts: {
      create: timeouts?.getCreate() ?? "",
      update: timeouts?.getUpdate() ?? "",
      delete: timeouts?.getDelete() ?? "",
    },
  };
}

/** A value known only after deployment: an id, an address, an ARN. */
class Unknown {
  toString(): string {
    return "(known after deployment)";
  }
  toJSON(): string {
    return this.toString();
  }
}

/** The only unknown value; compare by identity. */
export const UNKNOWN: Unknown = new Unknown();

/** JSON that may contain {@link UNKNOWN}. */
export type Planned =
  | string
  | number
  | boolean
  | null
  | Unknown
  | readonly Planned[]
  | { readonly [key: string]: Planned };

/** A registered resource as the engine sees it. */
export interface PlannedResource {
  readonly urn: string;
  /** Type token, such as `kubernetes:core/v1:Namespace`. */
  readonly type: string;
  readonly name: string;
  /** Whether a provider creates it; false for components, which only group resources. */
  readonly custom: boolean;
  readonly inputs: { readonly [key: string]: Planned };
  /** Paths of secret inputs, such as `stringData.password`. */
  readonly secrets: readonly string[];
  /** Paths of inputs known only after deployment. */
  readonly unknowns: readonly string[];
  /** URN of the parent; empty for the stack itself. */
  readonly parent: string;
  /** URNs of its dependencies, by `dependsOn` or through an input. */
  readonly dependencies: readonly string[];
  /** `URN::ID` of the provider; empty for the default provider. */
  readonly provider: string;
  readonly protect: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
  /** Former URNs, from aliases. */
  readonly formerUrns: readonly string[];
  /** `create`, `update` and `delete` timeouts as written, such as `20m`; empty for the provider's defaults. */
  readonly timeouts: { readonly create: string; readonly update: string; readonly delete: string };
}

/** A wire value without its markers, and the paths of those markers. */
export interface Plain {
  readonly value: { readonly [key: string]: Planned };
  readonly secrets: readonly string[];
  readonly unknowns: readonly string[];
}

/** Decodes the engine's wire form of an object: secrets are unwrapped, unknown values become {@link UNKNOWN}. */
function plain(wire: Readonly<Record<string, unknown>>): Plain {
  const secrets: string[] = [];
  const unknowns: string[] = [];

  const read = (value: unknown, path: string): Planned => {
    if (value === unknownValue) {
      unknowns.push(path);
      return UNKNOWN;
    }
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return value;
    if (Array.isArray(value)) return value.map((item, index) => read(item, `${path}[${index}]`));
    if (!isRecord(value)) throw new Error(`${path}: the engine cannot carry a value of type ${typeof value}`);
    if (value[specialSigKey] === specialSecretSig) {
      secrets.push(path);
      return read(value.value ?? null, path);
    }
    if (value[specialSigKey] === specialResourceSig) return read(value.urn ?? null, path);
    return object(value, path);
  };

  const object = (fields: Readonly<Record<string, unknown>>, path: string) =>
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, read(value, path === "" ? key : `${path}.${key}`)]),
    );

  return { value: object(wire, ""), secrets, unknowns };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
