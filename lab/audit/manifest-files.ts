import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { isAlias, LineCounter, parseAllDocuments } from "yaml";
import { isObject } from "../../components/schema/values.ts";
import { Failure } from "../command-line.ts";
import { type KubernetesObject, kubernetesObject } from "./kubernetes-object.ts";

const MANIFEST = /\.(ya?ml|json)$/;
/** Of the files in such folders nobody thinks as manifests. */
const OTHER_FOLDERS = /(^|\/)(node_modules|\.git)(\/|$)/;

/** What a folder of manifests holds. */
export interface ManifestObjects {
  readonly objects: readonly KubernetesObject[];
  /** Files that hold no Kubernetes object, such as `values.yaml`. */
  readonly others: readonly string[];
}

/**
 * Reads all manifests of a file or a folder and the folders below it, as `kubectl apply --recursive` does.
 * @throws {Failure} where there is no such path, or a file is not valid YAML: an audit of the rest would be taken for one of all.
 */
export async function readManifestFiles(path: string): Promise<ManifestObjects> {
  const files = await filesAt(path);
  const objects: KubernetesObject[] = [];
  const others: string[] = [];
  const invalid: string[] = [];
  for (const file of files) {
    const found = objectsIn(await readFile(file, "utf8"), relative("", file));
    if (typeof found === "string") invalid.push(`${file}: ${found}`);
    else if (found.length === 0) others.push(file);
    else objects.push(...found);
  }
  if (invalid.length > 0) {
    const advice = "render templates first, as with helm template or kustomize build";
    throw new Failure(`not valid YAML (${advice}):\n  ${invalid.join("\n  ")}`, 2);
  }
  if (objects.length === 0) throw new Failure(`there is no Kubernetes object in ${path}`, 2);
  return { objects, others };
}

async function filesAt(path: string): Promise<string[]> {
  const status = await stat(path).catch(() => {
    throw new Failure(`there is no file or folder ${path}`, 2);
  });
  if (status.isFile()) return [path];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => MANIFEST.test(name) && !OTHER_FOLDERS.test(name))
    .sort()
    .map((name) => join(path, name));
}

/** The objects of a file, or why it cannot be read. */
export function objectsIn(text: string, file: string): KubernetesObject[] | string {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, merge: true });
  if (!Array.isArray(documents)) return [];
  const objects: KubernetesObject[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) return error.message.split("\n")[0] ?? error.message;
    const { contents } = document;
    const start = contents === null || isAlias(contents) ? 0 : (contents.range?.[0] ?? 0);
    objects.push(...unlisted(document.toJS(), { file, line: lines.linePos(start).line }));
  }
  return objects;
}

/** The items of a `List` are objects themselves, wherever they stand in the file. */
function unlisted(content: unknown, source: { readonly file: string; readonly line: number }): KubernetesObject[] {
  if (isObject(content) && typeof content.kind === "string" && content.kind.endsWith("List"))
    return Array.isArray(content.items) ? content.items.flatMap((item: unknown) => unlisted(item, source)) : [];
  const object = kubernetesObject(content, source);
  return object === undefined ? [] : [object];
}
