import * as pulumi from "@pulumi/pulumi";

/** The fields of a type in the package's schema that reading inputs requires. */
interface TypeSpec {
  readonly $ref?: string;
  readonly items?: TypeSpec;
  readonly additionalProperties?: TypeSpec;
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

/**
 * Converts inputs to the components' arguments: plain if the schema says so, because a component decides by them what to create.
 * @throws {pulumi.InputPropertyError} for a plain value that is unknown or secret.
 */
export async function resolvedInputs(
  inputs: pulumi.Inputs,
  properties: Readonly<Record<string, TypeSpec>>,
  types: PackageSchema["types"],
): Promise<pulumi.Inputs> {
  return Object.fromEntries(
    await Promise.all(
      Object.entries(inputs).map(async ([key, value]) => [
        key,
        await resolved(value, properties[key] ?? {}, key, types),
      ]),
    ),
  );
}

async function resolved(given: unknown, spec: TypeSpec, path: string, types: PackageSchema["types"]): Promise<unknown> {
  if (!spec.plain) return AWAITED.includes(path) ? knownValue(given, path) : given;
  const value = pulumi.Output.isInstance(given) ? await knownValue(given, path) : given;
  const { properties } = types[spec.$ref?.replace("#/types/", "") ?? ""] ?? {};
  const { items, additionalProperties } = spec;
  if (Array.isArray(value))
    return Promise.all(value.map((item, index) => resolved(item, items ?? {}, `${path}[${index}]`, types)));
  if (typeof value !== "object" || value === null || (properties ?? additionalProperties) === undefined)
    return knownValue(value, path);
  const entries = Object.entries(value).map(async ([key, inner]) => {
    return [
      key,
      await resolved(inner, properties?.[key] ?? additionalProperties ?? {}, `${path}.${key}`, types),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Resolves the outputs in a value. */
async function knownValue(given: unknown, path: string): Promise<unknown> {
  const { value } = await pulumi.runtime.serializeProperties(path, { value: given });
  const text = JSON.stringify(value) ?? "";
  const refuse = (reason: string) => new pulumi.InputPropertyError({ propertyPath: path, reason });
  if (text.includes(`"${pulumi.runtime.unknownValue}"`))
    throw refuse("must be known before the deployment, because it determines what is created");
  if (text.includes(pulumi.runtime.specialSecretSig)) throw refuse("must not be a secret, because it is part of names");
  return value;
}
