import "../../components/runtime.ts";
import type * as pulumi from "@pulumi/pulumi";
import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb.js";
import resources from "@pulumi/pulumi/proto/resource_pb.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { specialResourceSig, specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc.js";
import { isObject } from "../../components/schema/values.ts";
import { pathOf, SECRET } from "../../policies/core/resource.ts";

/** What a run registered, in order of registration, and what it exported. */
export interface Recording {
  readonly resources: readonly PlannedResource[];
  readonly outputs: { readonly [key: string]: Planned };
  /** Names of outputs that are secret, or contain a secret. */
  readonly secretOutputs: readonly string[];
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
  /** URN of the resource whose deletion also deletes this one; empty for none. */
  readonly deletedWith: string;
  readonly ignoreChanges: readonly string[];
  /** Former URNs, from aliases. */
  readonly formerUrns: readonly string[];
  /** `create`, `update` and `delete` timeouts as written, such as `20m`; empty for the provider's defaults. */
  readonly timeouts: { readonly create: string; readonly update: string; readonly delete: string };
}

/** Name of the project, part of each URN. */
export const PROJECT = "eks-dns-logging";
/** Type of the stack itself, the root of all resources. */
const STACK_TYPE = "pulumi:pulumi:Stack";

type Callback<T> = (error: unknown, response: T) => void;

interface MonitorOptions {
  readonly stack: string;
  readonly preview: boolean;
  /** Whether a resource's outputs equal its inputs. */
  readonly echoes: boolean;
}

/** A mocked engine that records every registration. */
export class RecordingMonitor extends MockMonitor {
  readonly planned: PlannedResource[] = [];
  outputs = plain({});
  readonly #stack: string;
  readonly #preview: boolean;
  readonly #echoes: boolean;

  constructor(mocks: pulumi.runtime.Mocks, { stack, preview, echoes }: MonitorOptions) {
    super(mocks);
    this.#stack = stack;
    this.#preview = preview;
    this.#echoes = echoes;
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
    // The SDK writes each answer into a debug message that nobody reads.
    response.toString = () => "";
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
    deletedWith: request.getDeletedwith(),
    ignoreChanges: request.getIgnorechangesList(),
    formerUrns: formerUrns(urn, request),
    timeouts: {
      create: timeouts?.getCreate() ?? "",
      update: timeouts?.getUpdate() ?? "",
      delete: timeouts?.getDelete() ?? "",
    },
  };
}

/** A wire value without its markers, and the paths of those markers. */
interface Plain {
  readonly value: { readonly [key: string]: Planned };
  readonly secrets: readonly string[];
  readonly unknowns: readonly string[];
  /** Names of the fields that are secret, or contain a secret. */
  readonly secretKeys: readonly string[];
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
    if (Array.isArray(value)) return value.map((item, index) => read(item, pathOf(path, index)));
    if (!isObject(value)) throw new Error(`${path}: the engine cannot carry a value of type ${typeof value}`);
    if (value[specialSigKey] === specialSecretSig) {
      secrets.push(path);
      return read(value.value ?? null, path);
    }
    if (value[specialSigKey] === specialResourceSig) return read(value.urn ?? null, path);
    return object(value, path);
  };

  const object = (fields: Readonly<Record<string, unknown>>, path: string) =>
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, read(value, pathOf(path, key))]));

  const secretKeys: string[] = [];
  const value = Object.entries(wire).map(([key, inner]) => {
    const before = secrets.length;
    const decoded = read(inner, pathOf("", key));
    if (secrets.length > before) secretKeys.push(key);
    return [key, decoded] as const;
  });
  return { value: Object.fromEntries(value), secrets, unknowns, secretKeys };
}

/**
 * The engine includes the types of all parents except the stack's in a URN; the mocks include only the nearest, even if it is the stack's.
 * @see https://www.pulumi.com/docs/iac/concepts/resources/names/
 */
function engineUrn(stack: string, request: RegisterResourceRequest): string {
  const parents = request.getParent().split("::")[2] ?? "";
  const type = parents === "" || parents === STACK_TYPE ? request.getType() : `${parents}$${request.getType()}`;
  return `urn:pulumi:${[stack, PROJECT, type, request.getName()].join("::")}`;
}

/**
 * URNs of a resource's aliases: former names below the same parents.
 * @param urn Its current URN.
 */
function formerUrns(urn: string, request: RegisterResourceRequest): string[] {
  const names = request.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() || []);
  const current = request.getName();
  const place = urn.slice(0, -current.length);
  return [...new Set(names)].filter((name) => name !== current).map((name) => place + name);
}

/** The plan as JSON. Secret inputs and outputs are masked. */
export function asJson(stack: string, recording: Recording) {
  return {
    stack,
    resources: recording.resources.map(masked),
    outputs: Object.fromEntries(
      Object.entries(recording.outputs).map(([key, value]) => [
        key,
        recording.secretOutputs.includes(key) ? SECRET : value,
      ]),
    ),
  };
}

function masked(resource: PlannedResource): PlannedResource {
  const secretKeys = new Set(resource.secrets.map((path) => path.split(/[.[]/)[0]));
  const inputs = Object.entries(resource.inputs).map(([key, value]) => [key, secretKeys.has(key) ? SECRET : value]);
  return { ...resource, inputs: Object.fromEntries(inputs) };
}
