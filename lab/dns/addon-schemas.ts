import { readFile, writeFile } from "node:fs/promises";
import {
  ADDON_VERSIONS,
  FETCHED_FILE,
  parseAddonVersion,
  schemaFor,
  withFetched,
} from "eks-dns-logging-corefile/addon";
import { isObject, parsedJson } from "../../components/schema/values.ts";
import { Failure } from "../command-line.ts";
import { columns } from "../output/text.ts";
import { type Aws, isMissingProgram, outputOf } from "../process.ts";

const TIMEOUT_SECONDS = 60;
async function runAws(args: readonly string[]): Promise<string> {
  return outputOf("aws", args, { timeoutSeconds: TIMEOUT_SECONDS });
}

/** The add-on versions for this program's Kubernetes versions, newest last. */
export function usedVersions(): string[] {
  return [...new Set(Object.values(ADDON_VERSIONS))].sort(new Intl.Collator("en", { numeric: true }).compare);
}

export interface UpdateOptions {
  /** Default: the versions that this program uses. */
  readonly versions?: readonly string[] | undefined;
  readonly region?: string | undefined;
  readonly file?: URL;
  readonly aws?: Aws;
  readonly now?: Date;
}

/**
 * Fetches the schemas of add-on versions from EKS into the data file, where they override the built-in ones.
 * @returns the versions whose schema is new or has changed.
 * @throws {Failure} in one line; nothing is written then.
 * @see https://docs.aws.amazon.com/cli/latest/reference/eks/describe-addon-configuration.html
 */
export async function updateSchemas(options: UpdateOptions = {}): Promise<string[]> {
  const { versions = usedVersions(), region, file = FETCHED_FILE, aws, now = new Date() } = options;
  for (const version of versions)
    if (parseAddonVersion(version) === undefined)
      throw new Failure(
        `--version must be a version of the add-on, such as v1.13.2-eksbuild.31 (found '${version}')`,
        2,
      );
  const before = await stored(file);
  const added: Record<string, unknown> = {};
  for (const version of versions) {
    const text = configurationSchema(await describe(version, { aws, region }), version);
    added[version] = fetchedSchema(version, text, now.toISOString().slice(0, 7));
  }
  const changed = versions.filter((version) => schemaText(before[version]) !== schemaText(added[version]));
  // An unchanged schema keeps the date of its first lookup, so that a second run changes nothing.
  const kept = Object.fromEntries(changed.map((version) => [version, added[version]]));
  const all = Object.entries({ ...before, ...kept }).sort(([a], [b]) => (a < b ? -1 : 1));
  if (changed.length > 0) await writeFile(file, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  return changed;
}

async function stored(file: URL): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await readFile(file, "utf8"));
  return isObject(value) ? value : {};
}

function schemaText(entry: unknown): string | undefined {
  return isObject(entry) ? JSON.stringify(entry.schema) : undefined;
}

/** How to query EKS. */
export interface EksOptions {
  /** Default: the AWS CLI on the PATH. */
  readonly aws?: Aws | undefined;
  /** Default: the AWS CLI's. */
  readonly region?: string | undefined;
}

/**
 * Queries EKS with the AWS CLI; undefined if the answer is not JSON.
 * @param about Subject of the query, for the error.
 * @throws {Failure} in one line.
 */
export async function askEks(
  operation: string,
  args: readonly string[],
  about: string,
  { aws = runAws, region }: EksOptions,
): Promise<unknown> {
  const action = operation.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  const needs = `this needs the AWS CLI v2, credentials, a region (--region or AWS_REGION), and the permission eks:${action}`;
  const place = region === undefined ? [] : ["--region", region];
  try {
    return parsedJson(await aws(["eks", operation, ...args, "--output", "json", ...place]));
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (isMissingProgram(error)) throw new Failure(`aws is not on the PATH: ${needs}`, 2);
    const output = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const line = output.split("\n").findLast((text) => text.trim() !== "") ?? "it failed without a message";
    throw new Failure(`aws eks ${operation} for ${about}: ${line.trim()}; ${needs}`);
  }
}

function describe(version: string, options: EksOptions): Promise<unknown> {
  const args = ["--addon-name", "coredns", "--addon-version", version];
  return askEks("describe-addon-configuration", args, version, options);
}

function configurationSchema(answer: unknown, version: string): string {
  if (isObject(answer) && typeof answer.configurationSchema === "string") return answer.configurationSchema;
  throw new Failure(`aws eks describe-addon-configuration for ${version} printed no configurationSchema`);
}

function fetchedSchema(version: string, text: string, month: string): unknown {
  try {
    return withFetched(version, text, month)[version];
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error));
  }
}

/** A table of the add-on versions, the schema that checks each, and its source. */
export function formatSchemas(): string {
  const lines = Object.entries(ADDON_VERSIONS).map(([kubernetes, version]) => {
    const schema = schemaFor(version);
    const isOwnSchema = schema?.seenIn === version;
    return [
      kubernetes,
      version,
      schema?.seenIn ?? "none",
      schema?.lookedUp ?? "",
      isOwnSchema ? "its own" : "earlier version",
    ];
  });
  const advice = "Fetch the exact schemas from EKS with --update.";
  return `${columns(["Kubernetes", "add-on", "schema seen in", "looked up", "which"], lines).join("\n")}\n${advice}\n`;
}
