import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { type Document, isAlias, isCollection, visit, type YAMLParseError } from "yaml";
import { z } from "zod";
import { isCircular, isObject } from "../../components/schema/values.ts";
import { pathOf, Resource, readGroup } from "../../policies/core/resource.ts";
import { providerUrn, Stack } from "../../policies/core/stack.ts";
import { Failure, fileBytes, shellWord } from "../command-line.ts";
import { type KubernetesObject, kubernetesObject } from "./kubernetes-object.ts";
import { firstNonText, jsonDocuments, nonTextIssue, yamlDocuments } from "./manifest-documents.ts";

const KUSTOMIZATION = /(^|\/)(kustomization\.ya?ml|Kustomization)$/;
const MANIFEST = /\.(ya?ml|json)$/;
/** Folders whose files are not manifests. */
const OTHER_FOLDERS = /(^|\/)(node_modules|\.git)(\/|$)/;

/** The objects in a folder of manifests. */
export interface ManifestObjects {
  readonly objects: readonly KubernetesObject[];
  /** Files without a Kubernetes object, such as `values.yaml`. */
  readonly others: readonly string[];
  /** Files by which Kustomize changes the objects of others. */
  readonly kustomizations: readonly string[];
}

/**
 * Reads the manifests in files and, recursively, in folders, as `kubectl apply --recursive` does; `-` is standard input.
 * @throws {Failure} if a path does not exist or a file is not valid YAML: an audit of the rest would pass for a complete one.
 */
export async function readManifestFiles(paths: readonly string[]): Promise<ManifestObjects> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const objects: KubernetesObject[] = [];
  const others: string[] = [];
  const kustomizations: string[] = [];
  const invalid: string[] = [];
  let isTemplate = false;
  for (const file of files) {
    const text = await textOf(file);
    if (changesObjects(file, text)) {
      kustomizations.push(file);
      continue;
    }
    const result = objectsIn(text, file === "-" ? nameOf(file) : relative("", file));
    if (typeof result === "string") {
      invalid.push(`${nameOf(file)}: ${result}`);
      isTemplate ||= text.includes("{{");
    } else if (result.length === 0) others.push(file);
    else objects.push(...result);
  }
  if (invalid.length > 0) {
    const advice = isTemplate ? " (render templates first, as with helm template or kustomize build)" : "";
    throw new Failure(`not valid YAML for Kubernetes${advice}:\n  ${invalid.join("\n  ")}`, 2);
  }
  if (objects.length === 0) {
    const advice = kustomizations.length > 0 ? " (audit what kubectl kustomize prints, with --manifests -)" : "";
    throw new Failure(`there is no Kubernetes object in ${paths.map(nameOf).join(", ")}${advice}`, 2);
  }
  return { objects, others, kustomizations };
}

/** Fields of a kustomization that change no object. */
const UNCHANGING = ["apiVersion", "kind", "metadata", "resources", "bases", "sortOptions"];

/**
 * Whether a file tells Kustomize to change objects, as by a namespace or a patch, or to make some.
 * @see https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
 */
function changesObjects(file: string, text: string): boolean {
  if (!KUSTOMIZATION.test(file)) return false;
  const [document] = yamlDocuments(text).documents;
  const content: unknown = document !== undefined && document.errors.length === 0 ? document.toJS() : undefined;
  if (!isObject(content)) return false;
  // Flux has an object of the same kind, which changes no other.
  if (content.kind !== undefined && !/^kustomize\.config\.k8s\.io\//.test(String(content.apiVersion))) return false;
  return Object.keys(content).some((key) => !UNCHANGING.includes(key));
}

function nameOf(file: string): string {
  return file === "-" ? "standard input" : file;
}

async function filesAt(path: string): Promise<string[]> {
  // A pipe is not a regular file, but can be read like one.
  if (path === "-" || !(await statusOf(path)).isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  const files = names
    .filter((name) => (MANIFEST.test(name) || KUSTOMIZATION.test(name)) && !OTHER_FOLDERS.test(name))
    .sort()
    .map((name) => join(path, name));
  return filesOnce(files);
}

/**
 * Deduplicates files that symbolic links reach twice, keeping the shortest path: a link to a parent folder repeats its files until the link
 * limit, and a mounted ConfigMap links to each of its own.
 */
async function filesOnce(names: readonly string[]): Promise<string[]> {
  const shortest = new Map<string, string>();
  for (const name of names) {
    const real = await realpath(name).catch(({ code }: NodeJS.ErrnoException) => (code === "ELOOP" ? undefined : name));
    if (real === undefined || (await statusOf(name)).isDirectory()) continue;
    const path = shortest.get(real);
    if (path === undefined || name.length < path.length) shortest.set(real, name);
  }
  return [...shortest.values()].sort();
}

/** @throws {Failure} if nothing exists at the path, even behind a link. */
function statusOf(path: string): Promise<Stats> {
  return stat(path).catch(() => {
    throw new Failure(`there is no file or folder ${path}`, 2);
  });
}

/** The text of a file, in the encoding of its byte order mark: PowerShell writes UTF-16. */
async function textOf(file: string): Promise<string> {
  const bytes = await (file === "-" ? buffer(process.stdin) : fileBytes(file));
  try {
    // Concatenated files may have a byte order mark before each YAML document.
    return new TextDecoder(encodingOf(bytes)).decode(bytes).replace(/^\ufeff/gm, "");
  } catch {
    throw new Failure(
      `${file} cannot be read: ${Math.round(bytes.length / 2 ** 20)} MiB is more than a string can hold`,
      2,
    );
  }
}

function encodingOf([first, second]: Uint8Array): "utf-8" | "utf-16be" | "utf-16le" {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

/** Far more uses of anchors than people write, and too few to fill the memory. */
const MAX_ALIASES = 100_000;

/** The objects of a file, or the reason it cannot be read. */
export function objectsIn(text: string, file: string): KubernetesObject[] | string {
  const json = jsonDocuments(text);
  if (Array.isArray(json)) return json.flatMap(({ content, line }) => itemsOf(content, { file, line }));
  const { documents, lines } = yamlDocuments(text);
  const objects: KubernetesObject[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined && json !== undefined)
      return `the document at line ${json.brokenAt} is neither JSON, like the one before it, nor YAML: is the file truncated?`;
    if (error !== undefined) return sentenceOf(error);
    const template = templateOffset(document);
    if (template !== undefined)
      return `a template placeholder, such as {{ .Values.name }}, stands in place of a value at line ${lines.linePos(template).line}`;
    const { contents } = document;
    const start = contents === null || isAlias(contents) ? 0 : (contents.range?.[0] ?? 0);
    let content: unknown;
    try {
      content = document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (problem) {
      // An alias without an anchor; anchors do not cross documents.
      if (problem instanceof ReferenceError) return problem.message;
      throw problem;
    }
    if (isCircular(content)) return "an alias is within its own anchor";
    const nonText = firstNonText(document, content);
    if (nonText !== undefined) return nonTextIssue(document, nonText, (offset) => lines.linePos(offset).line);
    objects.push(...itemsOf(content, { file, line: lines.linePos(start).line }));
  }
  return objects;
}

/** What is wrong and where: the parser's first line, without the excerpt of the file below it. */
function sentenceOf({ message }: YAMLParseError): string {
  const [first = message] = message.split("\n");
  return first.replace(/:$/, "").replace(/^Missing closing (["'])quote/, "Missing closing quote $1");
}

/** Offset of an unquoted `{{ … }}`, which YAML reads as a mapping whose key is a mapping; undefined if there is none. */
function templateOffset(document: Document.Parsed): number | undefined {
  let place: number | undefined;
  visit(document, {
    Pair: (_, { key }) => {
      if (!isCollection(key)) return undefined;
      place = key.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return place;
}

/** Expands a `List` into its items. The API server omits apiVersion and kind in the items of a typed list, such as a `PodList`. */
function itemsOf(content: unknown, source: { readonly file: string; readonly line: number }): KubernetesObject[] {
  // The form that `jq .items` writes.
  if (Array.isArray(content)) return content.flatMap((item) => itemsOf(item, source));
  // The name of a custom kind may end in List too.
  if (isObject(content) && typeof content.kind === "string" && content.kind.endsWith("List") && "items" in content) {
    const kind = content.kind.slice(0, -"List".length);
    const common = kind === "" ? {} : { apiVersion: content.apiVersion, kind };
    const items: readonly unknown[] = Array.isArray(content.items) ? content.items : [];
    return items.flatMap((item) => itemsOf(isObject(item) ? { ...common, ...item } : item, source));
  }
  const object = kubernetesObject(content, source);
  return object === undefined ? [] : [object];
}

/** Key and value that mark a secret in Pulumi's state. @see https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Components that are checked through their children, which are in the state too. */
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
  /** Already replaced, and pending deletion. */
  delete: z.boolean().default(false),
});
const StateExport = z.looseObject({ deployment: z.looseObject({ resources: z.array(StateResource).nullish() }) });

/**
 * Reads the output of `pulumi stack export`. A secret that was not decrypted is an unknown value.
 * @throws {Failure} if the file does not exist or has another format.
 */
export async function readState(file: string): Promise<Stack> {
  if (file !== "-") await statusOf(file);
  return parseState(await textOf(file), file);
}

function parseState(text: string, file: string): Stack {
  try {
    return new Stack(resourcesOf(StateExport.parse(JSON.parse(text))));
  } catch {
    const command = file === "-" ? "pulumi stack export" : `pulumi stack export --file ${shellWord(file)}`;
    throw new Failure(`${nameOf(file)} is not a state written by \`${command}\``, 2);
  }
}

function resourcesOf({ deployment }: z.infer<typeof StateExport>): Resource[] {
  const all = (deployment.resources ?? []).filter(
    ({ delete: isReplaced, type }) => !isReplaced && !BY_THEIR_PARTS.includes(type),
  );
  const read = new Map(all.map(({ urn, inputs }) => [urn, decoded(inputs)]));
  return all.map(({ urn, type, dependencies, propertyDependencies, provider, protect }) => {
    const { value = {}, secrets = [] } = read.get(urn) ?? {};
    const ofProvider = read.get(providerUrn(provider));
    return new Resource({
      urn,
      type,
      name: urn.split("::").slice(3).join("::"),
      props: readGroup(value, isEncrypted),
      secrets,
      dependencies,
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies ?? {}).map(([key, urns]) => [key, urns ?? []]),
      ),
      protect,
      provider: readGroup(ofProvider?.value ?? {}, isEncrypted),
    });
  });
}

/** Placeholder for an encrypted secret. */
const ENCRYPTED = Symbol("encrypted in the state");

function isEncrypted(value: unknown): boolean {
  return value === ENCRYPTED;
}

interface Decoded {
  readonly value: object;
  readonly secrets: readonly string[];
}

/** Inputs without secret markers, and the paths of those markers. */
function decoded(inputs: Readonly<Record<string, unknown>>): Decoded {
  const secrets: string[] = [];
  const read = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown, index) => read(item, pathOf(path, index)));
    if (typeof value !== "object" || value === null) return value;
    const fields: Readonly<Record<string, unknown>> = { ...value };
    if (fields[SIGNATURE] === SECRET) {
      secrets.push(path);
      return typeof fields.plaintext === "string" ? read(JSON.parse(fields.plaintext), path) : ENCRYPTED;
    }
    return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, read(inner, pathOf(path, key))]));
  };
  const value = Object.fromEntries(Object.entries(inputs).map(([key, inner]) => [key, read(inner, pathOf("", key))]));
  return { value, secrets };
}
