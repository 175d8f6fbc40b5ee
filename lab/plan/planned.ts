import { specialResourceSig, specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc.js";

/** A value that only the deployment will tell: an id, an address, an ARN. */
class Unknown {
  toString(): string {
    return "(known after deployment)";
  }
  toJSON(): string {
    return this.toString();
  }
}

/** The one unknown value; compare by identity. */
export const UNKNOWN: Unknown = new Unknown();

/** JSON, in which a value may be {@link UNKNOWN}. */
export type Planned =
  | string
  | number
  | boolean
  | null
  | Unknown
  | readonly Planned[]
  | { readonly [key: string]: Planned };

/** One registered resource as the engine would see it. */
export interface PlannedResource {
  readonly urn: string;
  /** Type token, such as `kubernetes:core/v1:Namespace`. */
  readonly type: string;
  readonly name: string;
  /** Whether a provider makes it; false for components, which only group. */
  readonly custom: boolean;
  readonly inputs: { readonly [key: string]: Planned };
  /** Paths of the inputs that are secret, such as `stringData.password`. */
  readonly secrets: readonly string[];
  /** Paths of the inputs that only the deployment will tell. */
  readonly unknowns: readonly string[];
  /** URN of the parent; empty for the stack itself. */
  readonly parent: string;
  /** URNs of what must exist before, by `dependsOn` or through an input. */
  readonly dependencies: readonly string[];
  /** `URN::ID` of the provider; empty for the default one. */
  readonly provider: string;
  readonly protect: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
  /** `create`, `update` and `delete` limits as written, such as `20m`; empty for the provider's own. */
  readonly timeouts: { readonly create: string; readonly update: string; readonly delete: string };
}

/** A wire value without its markers, and the paths where they were. */
export interface Plain {
  readonly value: { readonly [key: string]: Planned };
  readonly secrets: readonly string[];
  readonly unknowns: readonly string[];
}

/** Reads the engine's wire form of an object: secrets are unwrapped, unknown values become {@link UNKNOWN}. */
export function plain(wire: Readonly<Record<string, unknown>>): Plain {
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
