import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Resource } from "../../policies/core/resource.ts";
import { Stack } from "../../policies/core/stack.ts";
import { readGroup } from "../../policies/core/value.ts";
import { Failure } from "../command-line.ts";

/** Key and value that mark a secret in Pulumi's state. @see https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Components that are judged by their parts, which stand in the state beside them. */
const BY_THEIR_PARTS: readonly string[] = ["eks:index:Cluster"];

const Urns = z.array(z.string()).default([]);
const StateResource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  inputs: z.record(z.string(), z.unknown()).default({}),
  dependencies: Urns,
  propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
  provider: z.string().default(""),
  protect: z.boolean().default(false),
  /** It is replaced already, and waits for its deletion. */
  delete: z.boolean().default(false),
});
const StateExport = z.looseObject({ deployment: z.looseObject({ resources: z.array(StateResource).nullish() }) });

/**
 * Reads what `pulumi stack export` wrote. A secret that it did not decrypt is a value that nobody knows.
 * @throws {Failure} where there is no such file, or it is another one.
 */
export async function readState(file: string): Promise<Stack> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new Failure(`there is no file ${file}`, 2);
  });
  return new Stack(resourcesOf(parseState(text, file)));
}

function parseState(text: string, file: string): z.infer<typeof StateExport> {
  try {
    return StateExport.parse(JSON.parse(text));
  } catch {
    throw new Failure(`${file} is no state as 'pulumi stack export --file ${file}' writes it`, 2);
  }
}

function resourcesOf({ deployment }: z.infer<typeof StateExport>): Resource[] {
  const all = (deployment.resources ?? []).filter((one) => !one.delete && !BY_THEIR_PARTS.includes(one.type));
  const read = new Map(all.map(({ urn, inputs }) => [urn, decoded(inputs)]));
  return all.map(({ urn, type, dependencies, propertyDependencies, provider, protect }) => {
    const { value = {}, secrets = [] } = read.get(urn) ?? {};
    const ofProvider = read.get(provider.slice(0, Math.max(0, provider.lastIndexOf("::"))));
    return new Resource({
      urn,
      type,
      name: urn.split("::").slice(3).join("::"),
      props: readGroup(value, (one) => one === ENCRYPTED),
      secrets,
      dependencies,
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies ?? {}).map(([key, urns]) => [key, urns ?? []]),
      ),
      protect,
      provider: readGroup(ofProvider?.value ?? {}, (one) => one === ENCRYPTED),
    });
  });
}

/** Stands for a secret that is encrypted. */
const ENCRYPTED = Symbol("encrypted in the state");

interface Decoded {
  readonly value: object;
  readonly secrets: readonly string[];
}

/** Inputs without the markers of secrets, and the paths where they stood. */
function decoded(inputs: Readonly<Record<string, unknown>>): Decoded {
  const secrets: string[] = [];
  const read = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown, index) => read(item, `${path}[${index}]`));
    if (typeof value !== "object" || value === null) return value;
    const fields: Readonly<Record<string, unknown>> = { ...value };
    if (fields[SIGNATURE] === SECRET) {
      secrets.push(path);
      return typeof fields.plaintext === "string" ? read(JSON.parse(fields.plaintext), path) : ENCRYPTED;
    }
    return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, read(inner, join(path, key))]));
  };
  const value = Object.fromEntries(Object.entries(inputs).map(([key, inner]) => [key, read(inner, join("", key))]));
  return { value, secrets };
}

function join(path: string, key: string): string {
  const plain = /^[\w-]+$/.test(key);
  if (path === "" && plain) return key;
  return plain ? `${path}.${key}` : `${path}["${key}"]`;
}
