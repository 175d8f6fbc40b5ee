import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CONFIG_NAMESPACE } from "../components/schema/extends.ts";
import { isObject } from "../components/schema/values.ts";
import type { Settings } from "../components/settings.ts";
import { Failure, PROJECT_ROOT } from "./command-line.ts";
import { parseStackFile } from "./yaml.ts";

/** A stack as its file describes it. */
export interface Stack {
  readonly name: string;
  /** Configuration as the engine would pass it: `namespace:key` to a string, structured values as JSON. */
  readonly config: Readonly<Record<string, string>>;
}

/** Stands for a value that is encrypted in the file and that only the engine can read. */
const ENCRYPTED = "(encrypted)";

/**
 * Reads `Pulumi.NAME.yaml`.
 * @throws {Failure} where there is no such file, or it is not a stack file.
 * @see https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
 */
export async function readStack(name: string, folder: string = PROJECT_ROOT): Promise<Stack> {
  const file = `Pulumi.${name}.yaml`;
  const text = await readFile(join(folder, file), "utf8").catch(async () => {
    throw new Failure(`no stack '${name}' (file ${file}); found: ${(await stackNames(folder)).join(", ")}`, 2);
  });
  return { name, config: configOf(text, file) };
}

/**
 * Reads a stack from another file than its own, as `pulumi --config-file` does.
 * @throws {Failure} where there is no such file, or it is not a stack file.
 */
export async function readStackFile(name: string, file: string): Promise<Stack> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new Failure(`no file ${file}`, 2);
  });
  return { name, config: configOf(text, file) };
}

/** Reads the stack that the flags name: its own file, or the one given instead. */
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

/** A stack with its settings. @throws {SettingsError} with every issue in them. */
export async function withSettings(stack: Stack): Promise<Stack & { readonly settings: Settings }> {
  // The settings bring Pulumi with them, which `--help` need not wait for.
  const { parseSettings } = await import("../components/settings.ts");
  return { ...stack, settings: parseSettings(stack.config) };
}

/** Names of the stacks that have a file in the folder, sorted. */
export async function stackNames(folder: string = PROJECT_ROOT): Promise<string[]> {
  const files = await readdir(folder);
  return files.flatMap((file) => /^Pulumi\.([\w.-]+)\.yaml$/.exec(file)?.[1] ?? []).sort();
}

function configOf(text: string, file: string): Stack["config"] {
  const document = parseStackFile(text, file);
  if (!isObject(document))
    throw new Failure(`${file} is not a stack configuration: it must be an object with the key 'config'`, 2);
  if (document.environment !== undefined)
    process.stderr.write(
      `${file}: 'environment' (Pulumi ESC) is only read by the Pulumi CLI, so its values are missing here\n`,
    );
  const config = document.config ?? {};
  if (!isObject(config))
    throw new Failure(`${file}: 'config' must be an object with keys such as 'eks-dns-logging:cluster'`, 2);
  // As the engine, which takes a key without a namespace for the project's own.
  const named = (key: string) => (key.includes(":") ? key : `${CONFIG_NAMESPACE}:${key}`);
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [named(key), asEngineString(value)]));
}

function asEngineString(value: unknown): string {
  const readable = withoutSecrets(value);
  return typeof readable === "string" ? readable : JSON.stringify(readable);
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  if (isEncrypted(value)) return ENCRYPTED;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}

/** Whether the CLI has encrypted a value: it writes `secure: …` then. */
export function isEncrypted(value: object): boolean {
  return Object.keys(value).length === 1 && "secure" in value && typeof value.secure === "string";
}
