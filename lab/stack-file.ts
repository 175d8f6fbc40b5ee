import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Document, parseDocument, Scalar, stringify, visit, YAMLParseError } from "yaml";
import { textByCode } from "../components/logging/collectors/yaml-text.ts";
import { ENCRYPTED } from "../components/schema/errors.ts";
import { CONFIG_NAMESPACE } from "../components/schema/extends.ts";
import { isCircular, isEncrypted, isObject, isYamlError } from "../components/schema/values.ts";
import type { Settings } from "../components/settings.ts";
import { Failure, fileText, PROJECT_ROOT } from "./command-line.ts";

/** A stack as described by its file. */
export interface Stack {
  readonly name: string;
  /** Configuration as the engine would pass it: `namespace:key` to a string, structured values as JSON. */
  readonly config: Readonly<Record<string, string>>;
}

/**
 * Reads `Pulumi.NAME.yaml`.
 * @throws {Failure} if it does not exist, or is not a stack file.
 * @see https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
 */
export async function readStack(name: string, folder: string = PROJECT_ROOT): Promise<Stack> {
  const file = `Pulumi.${name}.yaml`;
  if (!existsSync(join(folder, file)))
    throw new Failure(
      `no stack '${name}' (file ${file}); found: ${(await stackNames(folder)).join(", ") || "none"}`,
      2,
    );
  const text = await fileText(join(folder, file));
  return { name, config: { ...(await projectConfig(folder)), ...configOf(text, file) } };
}

/**
 * Reads a stack from another file, like `pulumi --config-file`.
 * @throws {Failure} if it does not exist, or is not a stack file.
 */
export async function readStackFile(name: string, file: string): Promise<Stack> {
  return { name, config: { ...(await projectConfig(PROJECT_ROOT)), ...configOf(await fileText(file), file) } };
}

/**
 * Default configuration of all stacks in `Pulumi.yaml`; empty if there is no such file.
 * @see https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration
 */
async function projectConfig(folder: string): Promise<Stack["config"]> {
  const file = "Pulumi.yaml";
  const text = await readFile(join(folder, file), "utf8").catch(() => "");
  const document = text === "" ? undefined : parseStackFile(text, file);
  const config = isObject(document) && isObject(document.config) ? document.config : {};
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, given]) => {
      // A plain value, or an object that declares the key.
      const value = isObject(given) ? (given.default ?? given.value) : given;
      return value === undefined || value === null ? [] : [[qualified(key), asEngineString(value)]];
    }),
  );
}

/** A key in the engine's form: without a namespace it belongs to the project. */
function qualified(key: string): string {
  return key.includes(":") ? key : `${CONFIG_NAMESPACE}:${key}`;
}

/** Reads the stack that the flags name, from its own file or from `--config-file`. */
export async function chosenStack(flags: { readonly stack: string; readonly configFile?: string }): Promise<Stack> {
  return flags.configFile === undefined ? readStack(flags.stack) : readStackFile(flags.stack, flags.configFile);
}

/**
 * Reads a stack's file and its settings.
 * @throws {Failure} as {@link readStack}
 * @throws {SettingsError} with every issue in the settings.
 */
export async function loadStack(name: string, folder?: string): Promise<Stack & { readonly settings: Settings }> {
  return withSettings(await readStack(name, folder));
}

/** Adds the settings to a stack. @throws {SettingsError} with every issue in them. */
export async function withSettings(stack: Stack): Promise<Stack & { readonly settings: Settings }> {
  // The settings import Pulumi, which `--help` does not need.
  const { parseSettings } = await import("../components/settings.ts");
  return { ...stack, settings: parseSettings(stack.config) };
}

/** Names of the stacks with a file in the folder, sorted. */
export async function stackNames(folder: string = PROJECT_ROOT): Promise<string[]> {
  const files = await readdir(folder);
  return files.flatMap((file) => /^Pulumi\.([\w.-]+)\.yaml$/.exec(file)?.[1] ?? []).sort();
}

/** Keys of a stack file that Pulumi's CLI knows. @see https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/ */
const STACK_FILE_KEYS = new Set(["config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"]);

function configOf(text: string, file: string): Stack["config"] {
  const document = parseStackFile(text, file);
  if (!isObject(document))
    throw new Failure(`${file} is not a stack configuration: it must be an object with the key 'config'`, 2);
  if (document.environment !== undefined)
    process.stderr.write(
      `${file}: 'environment' (Pulumi ESC) is only read by the Pulumi CLI, so its values are missing here\n`,
    );
  if (document.config === undefined && Object.keys(document).some((key) => !STACK_FILE_KEYS.has(key)))
    throw new Failure(`${file} has no key 'config'${withoutConfig(Object.keys(document))}`, 2);
  const config = document.config ?? {};
  if (!isObject(config))
    throw new Failure(`${file}: 'config' must be an object with keys such as 'eks-dns-logging:cluster'`, 2);
  const duplicate = Object.keys(config).find((key) => !key.includes(":") && Object.hasOwn(config, qualified(key)));
  if (duplicate !== undefined)
    throw new Failure(`${file}: 'config' has both ${duplicate} and ${qualified(duplicate)}`, 2);
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [qualified(key), asEngineString(value)]));
}

/** Describes the keys of a stack file without `config`. */
function withoutConfig(keys: readonly string[]): string {
  const list = keys.join(", ");
  return keys.some((key) => key.includes(":")) ? `: put ${list} below it` : `, but ${list}`;
}

/** JSON turns numbers that it cannot represent into null, such as YAML's `.inf`. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? stringify(value).trim() : value;
}

function asEngineString(value: unknown): string {
  const readable = withoutSecrets(value);
  return typeof readable === "string" ? readable : JSON.stringify(readable, jsonValue);
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  if (isEncrypted(value)) return ENCRYPTED;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}

/** Plain words that YAML 1.1 or 1.2 does not read as text: Booleans, null, infinities, the merge key. */
const SPECIAL_WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|~|<<|=|)$/i;
/** Start of text that some YAML reader takes for a number or a date. */
const NUMBER_LIKE = /^[-+._]*e?[-+_]*\d|^[-+._:e]+$|^[-+]?\.(?:inf|nan)$/i;

/**
 * YAML that readers of YAML 1.1 (kubectl, through sigs.k8s.io/yaml) and YAML 1.2 parse alike: ambiguous text is quoted, and characters that
 * only one of them treats as line breaks are escaped.
 * @see https://yaml.org/type/bool.html
 */
export function portableYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value !== "string" || node.value.includes("\n")) return;
      if (SPECIAL_WORDS.test(node.value) || NUMBER_LIKE.test(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return textByCode(document);
}

/**
 * Parses a stack file.
 * @param file Name of the file, for the message.
 * @throws {Failure} if the text is not a single YAML document, or has a value that Pulumi's CLI reads differently than it looks.
 */
export function parseStackFile(text: string, file: string): unknown {
  // With the merge key `<<`, which the CLI supports. A warning would be the parser's own, about JavaScript.
  const document = parseDocument(text, { merge: true, logLevel: "error" });
  const [error] = document.errors;
  if (error instanceof YAMLParseError)
    throw new Failure(
      error.code === "MULTIPLE_DOCS"
        ? `${file} contains more than one YAML document`
        : `${file} is not valid YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`,
      2,
    );
  const misread: string[] = [];
  visit(document, {
    Scalar: (_key, node) => {
      if (node.type !== Scalar.PLAIN || node.source === undefined) return;
      const engine = engineValue(node.source);
      if (engine !== undefined && engine !== String(node.value))
        misread.push(`${file}: ${misreading(node.source, engine)}`);
    },
  });
  if (misread.length > 0) throw new Failure(misread.join("\n"), 2);
  const content = contentOf(document, file);
  if (isCircular(content)) throw new Failure(`${file} is not valid YAML: an alias is within its own anchor`, 2);
  return content;
}

function contentOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (isYamlError(error)) throw new Failure(`${file} is not valid YAML: ${error.message}`, 2);
    throw error;
  }
}

/** How Pulumi's CLI misreads a value, and what to write instead. */
function misreading(source: string, engine: string): string {
  const quoted = `quote it ("${source}")`;
  if (engine === source) return `${source} has more digits than a number can hold: ${quoted}`;
  const number = Number.isFinite(Number(engine)) ? `, or write ${engine}` : "";
  return `Pulumi reads ${source} as ${engine}: ${quoted}${number}`;
}

const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2})?)?$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const PREFIXED = /^([-+]?)0([xXbBoO]?)([0-9a-fA-F]+)$/;
const OCTAL = { base: 8, literal: "0o" };
const BASES = new Map([
  ["x", { base: 16, literal: "0x" }],
  ["b", { base: 2, literal: "0b" }],
  ["o", OCTAL],
  ["", OCTAL],
]);

/**
 * What Pulumi's CLI passes to a program for a plain scalar that it takes for a number or a date; undefined for others. The CLI parses with
 * gopkg.in/yaml.v3, which supports YAML 1.1's octal numbers, underscores and dates.
 * @see https://github.com/go-yaml/yaml/blob/v3.0.1/resolve.go
 */
export function engineValue(source: string): string | undefined {
  if (!/^[-+.0-9]/.test(source)) return undefined;
  return TIMESTAMP.test(source) ? engineTime(source) : engineNumber(source);
}

/** A date in the form of Go; undefined for a day that does not exist, which stays text. */
function engineTime(source: string): string | undefined {
  if (!/^\d{4}-\d{1,2}-\d{1,2}$/.test(source)) return "a timestamp";
  const [year = 0, month = 0, day = 0] = source.split("-").map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return `${date.toISOString().slice(0, 10)} 00:00:00 +0000 UTC`;
}

/** A number in decimal notation, whatever its base in the file. */
function engineNumber(source: string): string | undefined {
  const plain = source.replaceAll("_", "");
  const [, sign = "", prefix = "", digits = ""] = PREFIXED.exec(plain) ?? [];
  const { base, literal } = BASES.get(prefix.toLowerCase()) ?? OCTAL;
  if (digits !== "" && [...digits].every((digit) => Number.parseInt(digit, 16) < base)) {
    const value = BigInt(`${literal}${digits}`);
    return String(sign === "-" ? -value : value);
  }
  if (/^[-+]?(?:0|[1-9]\d*)$/.test(plain)) return String(BigInt(plain.replace(/^\+/, "")));
  if (!FLOAT.test(plain)) return undefined;
  return Number.isFinite(Number(plain)) ? String(Number(plain)) : source;
}
