import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { ENCRYPTED } from "../components/schema/errors.ts";
import { CONFIG_NAMESPACE } from "../components/schema/extends.ts";
import { isEncrypted, isObject } from "../components/schema/values.ts";
import type { Settings } from "../components/settings.ts";
import { Failure, PROJECT_ROOT } from "./command-line.ts";
import { fileText } from "./user-files.ts";
import { parseStackFile } from "./yaml-dialects.ts";

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
