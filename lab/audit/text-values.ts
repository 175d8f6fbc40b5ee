import { type Document, isScalar } from "yaml";
import { isObject } from "../../components/schema/values.ts";
import { isCredential } from "../../policies/readers/credentials.ts";

type Path = readonly (string | number)[];

/** Maps of texts that rules read, wherever they are in an object of Kubernetes. */
const MAPS: readonly string[] = ["labels", "matchLabels"];
/** Kinds whose own `data` is a map of texts. */
const WITH_DATA: readonly string[] = ["ConfigMap", "Secret"];
const NAMES = ["name", "generateName", "namespace"] as const;

/**
 * The first value of an object that must be text and is none, as YAML reads `n`, `1.0` or `on` without quotes: the API server refuses it,
 * and a rule would take it for one that is not set. Undefined where there is none.
 */
export function valueThatIsNoText(document: Document.Parsed, content: unknown): Path | undefined {
  if (!isObject(content)) return undefined;
  if (Array.isArray(content.items))
    return firstOf(content.items, (item, index) => {
      const path = pathInObject(item);
      return path === undefined ? undefined : ["items", index, ...path];
    });
  return document.errors.length > 0 ? undefined : pathInObject(content);
}

/** A sentence about such a value, with what is written in the file. */
export function notText(document: Document.Parsed, path: Path, lineOf: (offset: number) => number): string {
  const node = document.getIn(path, true);
  const field = path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
  if (!isScalar(node)) return `${field} must be text`;
  const where = node.range === null || node.range === undefined ? "" : ` at line ${lineOf(node.range[0])}`;
  if (mayBeSecret(document, path)) return `${field}${where} must be text in quotes (value not shown)`;
  const written = node.source ?? String(node.value);
  return `${field}${where} must be text in quotes (found ${written}, which YAML reads as ${JSON.stringify(node.value)})`;
}

/** Whether a value stands in a Secret's data, or under the name of a password, such as that of a variable. */
function mayBeSecret(document: Document.Parsed, path: Path): boolean {
  const [key, dataKey] = [path.at(-1), path.at(-2)];
  if (dataKey === "data" && document.getIn([...path.slice(0, -2), "kind"]) === "Secret") return true;
  const name = key === "value" ? document.getIn([...path.slice(0, -1), "name"]) : key;
  return typeof name === "string" && isCredential(name, "unknown");
}

function pathInObject(object: unknown): Path | undefined {
  if (!isObject(object) || typeof object.apiVersion !== "string" || typeof object.kind !== "string") return undefined;
  const { metadata, kind, data } = object;
  if (!isObject(metadata)) return undefined;
  const name = NAMES.find((key) => isNoText(metadata[key]));
  if (name !== undefined) return ["metadata", name];
  // What a custom resource takes elsewhere, its own schema tells.
  if (!isBuiltIn(object.apiVersion)) return below(metadata, ["metadata"]);
  const inData = WITH_DATA.includes(kind) && isObject(data) ? keyOfNoText(data) : undefined;
  return inData === undefined ? below(object, []) : ["data", inData];
}

function isBuiltIn(apiVersion: string): boolean {
  const [group = "", version] = apiVersion.split("/");
  if (version === undefined || !group.includes(".")) return true;
  // The schemas of custom resources describe fields that are called so.
  return group.endsWith(".k8s.io") && group !== "apiextensions.k8s.io";
}

function below(value: unknown, path: Path): Path | undefined {
  if (Array.isArray(value)) return firstOf(value, (item, index) => below(item, [...path, index]));
  if (!isObject(value)) return undefined;
  return firstOf(Object.entries(value), ([key, inner]) => {
    const here = [...path, key];
    if (MAPS.includes(key) && isObject(inner)) {
      const wrong = keyOfNoText(inner);
      return wrong === undefined ? undefined : [...here, wrong];
    }
    if (key === "env" && Array.isArray(inner))
      return firstOf(inner, (entry, index) =>
        isObject(entry) && isNoText(entry.value) ? [...here, index, "value"] : undefined,
      );
    if ((key === "command" || key === "args") && Array.isArray(inner))
      return firstOf(inner, (word, index) => (isNoText(word) ? [...here, index] : undefined));
    return below(inner, here);
  });
}

function keyOfNoText(map: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(map).find((key) => isNoText(map[key]));
}

/** What is not set is no wrong text. */
function isNoText(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== "string";
}

function firstOf<T>(items: readonly T[], find: (item: T, index: number) => Path | undefined): Path | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
