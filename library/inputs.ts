import * as pulumi from "@pulumi/pulumi";
import { holdsOutput } from "../components/schema/arguments.ts";
import { formatPath, type SettingsIssue, throwErrors } from "../components/schema/errors.ts";

/** The fields of a type in the package's schema that reading inputs requires. */
interface TypeSpec {
  readonly $ref?: string;
  readonly items?: TypeSpec;
  readonly additionalProperties?: TypeSpec;
  readonly oneOf?: readonly TypeSpec[];
  readonly plain?: boolean;
}

/** The fields of the package's schema that the provider reads. */
export interface PackageSchema {
  readonly name: string;
  readonly version: string;
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly inputProperties: Readonly<Record<string, TypeSpec>>;
        readonly properties: Readonly<Record<string, TypeSpec>>;
      }
    >
  >;
  readonly types: Readonly<Record<string, { readonly properties?: Readonly<Record<string, TypeSpec>> }>>;
}

/** Arguments that are other components' outputs. The TypeScript components take plain values, known in a preview. */
const AWAITED: readonly string[] = ["cluster", "dns", "network.dnsAddresses", "network.egress"];

/** Those that may be undefined. In a preview other languages treat an undefined output as unknown. */
const LEFT_OUT: readonly string[] = ["dns"];

/**
 * Converts inputs to the components' arguments: plain if the schema says so, because a component decides by them what to create.
 * @param name Name of the component, which the messages begin with.
 * @throws {ArgumentsError} with every plain value that is unknown or secret.
 */
export async function resolvedInputs(
  name: string,
  inputs: pulumi.Inputs,
  properties: Readonly<Record<string, TypeSpec>>,
  types: PackageSchema["types"],
): Promise<pulumi.Inputs> {
  const reader = new InputReader(types);
  const read = Object.entries(inputs).map(async ([key, value]) => {
    return [key, await reader.resolved(value, properties[key] ?? {}, [key])] as const;
  });
  const resolved = Object.fromEntries(await Promise.all(read));
  throwErrors(name, reader.issues);
  return resolved;
}

/** Converts inputs by the types of the schema, and collects their issues. */
class InputReader {
  readonly issues: SettingsIssue[] = [];
  readonly #types: PackageSchema["types"];

  constructor(types: PackageSchema["types"]) {
    this.#types = types;
  }

  async resolved(given: unknown, spec: TypeSpec, path: readonly PropertyKey[]): Promise<unknown> {
    if (!spec.plain) {
      if (AWAITED.includes(formatPath(path))) return this.#known(given, path);
      // A component takes a value or one output, and not a list with outputs in it.
      return holdsOutput(given) ? pulumi.output(given) : given;
    }
    const value = pulumi.Output.isInstance(given) ? await this.#known(given, path) : given;
    const { $ref = "", items, additionalProperties } = chosen(spec, value);
    const { properties } = this.#types[$ref.replace("#/types/", "")] ?? {};
    if (Array.isArray(value))
      return Promise.all(value.map((item, index) => this.resolved(item, items ?? {}, [...path, index])));
    if (typeof value !== "object" || value === null || (properties ?? additionalProperties) === undefined)
      return this.#known(value, path);
    const entries = Object.entries(value).map(async ([key, inner]) => {
      return [
        key,
        await this.resolved(inner, properties?.[key] ?? additionalProperties ?? {}, [...path, key]),
      ] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /** Resolves the outputs in a value; undefined if the value is refused. */
  async #known(given: unknown, path: readonly PropertyKey[]): Promise<unknown> {
    const { value } = await pulumi.runtime.serializeProperties(formatPath(path), { value: given });
    const text = JSON.stringify(value) ?? "";
    if (value === pulumi.runtime.unknownValue && LEFT_OUT.includes(formatPath(path))) return undefined;
    if (text.includes(`"${pulumi.runtime.unknownValue}"`))
      return this.#refuse(path, "must be known before the deployment, because it determines what is created");
    if (text.includes(pulumi.runtime.specialSecretSig))
      return this.#refuse(path, "must not be a secret, because it is part of names");
    return value;
  }

  #refuse(path: readonly PropertyKey[], message: string): undefined {
    this.issues.push({ path, message });
  }
}

/** The alternative of a union that applies to a list or an object. */
function chosen(spec: TypeSpec, value: unknown): TypeSpec {
  const fits = ({ $ref, items, additionalProperties }: TypeSpec) =>
    Array.isArray(value) ? items !== undefined : ($ref ?? additionalProperties) !== undefined;
  return spec.oneOf?.find(fits) ?? spec;
}
