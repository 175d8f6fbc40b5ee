import { readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { type Document, parseDocument, type YAMLParseError } from "yaml";
import { formatPath } from "./errors.ts";
import { otherThanFile } from "./file-kind.ts";
import { isCircular, isEncrypted, isObject } from "./values.ts";

/** The settings of a file that stacks extend, or why it cannot be extended, as the end of a sentence. */
export type BaseFile = { readonly settings: Readonly<Record<string, unknown>> } | { readonly problem: string };

const EXAMPLE = "such as environments/prod.yaml";
const AT_ITS_TOP = "must be a YAML file with settings such as 'teams' at its top level";

/** Reads the file named by `extends`, relative to a folder. */
export function readBaseFile(file: unknown, folder: string): BaseFile {
  if (typeof file !== "string" || file === "")
    return { problem: `must be the path of a YAML file of this project, ${EXAMPLE}` };
  if (isAbsolute(file)) return { problem: `must be a path relative to the project's folder, ${EXAMPLE}` };
  const path = join(folder, file);
  if (relative(folder, path).split(/[/\\]/)[0] === "..")
    return { problem: `must be a file within the project's folder, ${EXAMPLE}` };
  const text = textOf(path);
  return typeof text === "string" ? settingsIn(text, isSamePath(path, folder)) : text;
}

/** Returns a test for paths that name the same file, relative to a folder. */
function isSamePath(path: string, folder: string): (other: unknown) => boolean {
  return (other) => typeof other === "string" && join(folder, other) === path;
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "must be a file that exists, relative to the project's folder",
  ENOTDIR: "must be a file that exists, relative to the project's folder",
};

function textOf(path: string): string | { readonly problem: string } {
  const kind = otherThanFile(path);
  if (kind !== undefined) return { problem: `must be a YAML file and is ${kind}: name one file, ${EXAMPLE}` };
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { problem: UNREADABLE[code] ?? `must be a file that can be read, and cannot: ${code}` };
  }
}

function settingsIn(text: string, isItself: (other: unknown) => boolean): BaseFile {
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) return { problem: invalid(error) };
  const content = contentOf(document);
  if (content instanceof ReferenceError) return { problem: `must be valid YAML, and is not: ${content.message}` };
  if (isCircular(content)) return { problem: "must be valid YAML, and is not: an alias stands within its own anchor" };
  if (!isObject(content)) return { problem: `${AT_ITS_TOP}, and ${contentInWords(content)}` };
  if ("extends" in content)
    return {
      problem: isItself(content.extends)
        ? "must be a file without 'extends', and extends itself"
        : "must be a file without 'extends', since only a stack's file extends another",
    };
  if ("config" in content) return { problem: `${AT_ITS_TOP}, and not below 'config' as in a stack's file` };
  const named = Object.keys(content).find((key) => key.includes(":"));
  if (named !== undefined)
    return { problem: `${AT_ITS_TOP}: write '${named.slice(named.indexOf(":") + 1)}' for '${named}'` };
  const secret = placeOfSecret(content);
  if (secret !== undefined)
    return {
      problem: `must hold no encrypted values, since Pulumi decrypts those of a stack's file alone: move ${formatPath(secret)} there`,
    };
  return { settings: content };
}

function invalid(error: YAMLParseError): string {
  return error.code === "MULTIPLE_DOCS"
    ? "must hold one YAML document, and holds several"
    : `must be valid YAML, and is not: ${error.message.split("\n")[0]?.replace(/:$/, "")}`;
}

function contentOf(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // An alias without an anchor, or too many aliases.
    if (error instanceof ReferenceError) return error;
    throw error;
  }
}

function contentInWords(content: unknown): string {
  if (content === null || content === undefined) return "is empty";
  return `holds ${Array.isArray(content) ? "a list" : "a single value"}`;
}

/** Values that the CLI encrypts, with a passphrase or a key service; `{ secure: "yes" }` may be a label. */
const CIPHERTEXT = /^v1:|^[A-Za-z0-9+/]{24,}={0,2}$/;

/** Path of a value that the CLI has encrypted; undefined if there is none. */
function placeOfSecret(
  value: unknown,
  path: readonly (string | number)[] = [],
): readonly (string | number)[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isEncrypted(value) && CIPHERTEXT.test(value.secure)) return path;
  for (const [key, inner] of Object.entries(value)) {
    const found = placeOfSecret(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found !== undefined) return found;
  }
  return undefined;
}
