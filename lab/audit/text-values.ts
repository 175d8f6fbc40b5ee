import { type Document, isScalar } from "yaml";
import { isObject } from "../../components/schema/values.ts";
import { isCredential } from "../../policies/readers/credentials.ts";

type Path = readonly (string | number)[];

/** Fields that map to strings wherever they occur in a Kubernetes object. */
const MAPS: readonly string[] = ["labels", "matchLabels"];
/** Kinds whose `data` maps to strings. */
const WITH_DATA: readonly string[] = ["ConfigMap", "Secret"];
const NAMES = ["name", "generateName", "namespace"] as const;

/**
 * Finds the first value that must be a string and is not, such as an unquoted `n`, `1.0` or `on`: the API server rejects it, and a rule
 * would treat it as unset. Undefined if there is none.
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

/** A sentence about such a value, quoting the file. */
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

/** Whether a value is in a Secret's data, or under a name like that of a password, such as a variable's. */
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
  // Custom resources have schemas of their own.
  if (!isBuiltIn(object.apiVersion)) return below(metadata, ["metadata"]);
  const inData = WITH_DATA.includes(kind) && isObject(data) ? keyOfNoText(data) : undefined;
  return inData === undefined ? below(object, []) : ["data", inData];
}

function isBuiltIn(apiVersion: string): boolean {
  const [group = "", version] = apiVersion.split("/");
  if (version === undefined || !group.includes(".")) return true;
  // Schemas in CustomResourceDefinitions have properties with these names.
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

/** Whether a value is set and is not a string. */
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
