import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { releaseChanges } from "eks-dns-logging-corefile";
import { type AddonName, addonNames, FETCHED_FILE, minorOf, parseAddonVersion } from "eks-dns-logging-corefile/addon";
import { z } from "zod";
import { KUBERNETES_VERSIONS } from "../../components/cluster/eks-settings.ts";
import { parsedJson } from "../../components/schema/values.ts";
import { commandLine, Failure, PROJECT_ROOT, runCommandLine } from "../../lab/command-line.ts";
import { askEks, type EksOptions, updateSchemas } from "../../lab/dns/addon-schemas.ts";
import type { Aws } from "../../lab/process.ts";
import { outputOf } from "../../lab/process.ts";

/** EKS's versions on a given day. */
export interface EksAnswers {
  /** Last day of standard support by Kubernetes version. */
  readonly supportEnds: Readonly<Record<string, string>>;
  /** Default version of each add-on by Kubernetes version. */
  readonly defaults: Readonly<Record<string, Readonly<Partial<Record<AddonName, string>>>>>;
}

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterVersionInformation.html */
const ClusterVersions = z.object({
  clusterVersions: z.array(
    z.object({
      clusterVersion: z.string(),
      versionStatus: z.string().optional(),
      // The CLI prints dates as text or as seconds since 1970, depending on cli_timestamp_format.
      endOfStandardSupportDate: z.union([z.string(), z.number()]).optional(),
    }),
  ),
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonVersions.html */
const AddonVersions = z.object({
  addons: z.array(
    z.object({
      addonVersions: z.array(
        z.object({
          addonVersion: z.string(),
          compatibilities: z.array(z.object({ clusterVersion: z.string(), defaultVersion: z.boolean() })),
        }),
      ),
    }),
  ),
});

/**
 * Queries EKS for its Kubernetes versions and, for those in standard support, the default add-ons.
 * @throws {Failure} if an answer is missing or malformed.
 */
export async function askVersions(options: EksOptions): Promise<EksAnswers> {
  const answer = await askEks("describe-cluster-versions", [], "all versions", options);
  const listed = read(ClusterVersions, answer, "describe-cluster-versions").clusterVersions.filter(
    ({ clusterVersion }) => minorOf(clusterVersion) !== undefined,
  );
  const supportEnds = listed.flatMap(({ clusterVersion, endOfStandardSupportDate: end }): [string, string][] =>
    end === undefined ? [] : [[clusterVersion, dayOf(end)]],
  );
  const supported = listed.filter(({ versionStatus }) => versionStatus === "STANDARD_SUPPORT");
  if (supported.length === 0)
    throw new Failure("aws eks describe-cluster-versions names no version in standard support");
  const defaults: [string, Partial<Record<AddonName, string>>][] = [];
  for (const { clusterVersion } of supported) {
    const found: [AddonName, string][] = [];
    for (const addon of addonNames()) found.push([addon, await defaultVersion(addon, clusterVersion, options)]);
    defaults.push([clusterVersion, Object.fromEntries(found)]);
  }
  return { supportEnds: Object.fromEntries(supportEnds), defaults: Object.fromEntries(defaults) };
}

async function defaultVersion(addon: AddonName, kubernetes: string, options: EksOptions): Promise<string> {
  const args = ["--addon-name", addon, "--kubernetes-version", kubernetes];
  const about = `${addon} with ${kubernetes}`;
  const answer = await askEks("describe-addon-versions", args, about, options);
  const versions = read(AddonVersions, answer, `describe-addon-versions for ${about}`).addons.flatMap(
    ({ addonVersions }) => addonVersions,
  );
  const defaultEntry = versions.find(({ compatibilities }) =>
    compatibilities.some((one) => one.clusterVersion === kubernetes && one.defaultVersion),
  );
  if (defaultEntry === undefined) throw new Failure(`aws eks describe-addon-versions names no default of ${about}`);
  return defaultEntry.addonVersion;
}

function read<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const { success, data } = schema.safeParse(answer);
  if (!success) throw new Failure(`aws eks ${what}: the answer does not have the form in EKS's API reference`);
  return data;
}

function dayOf(date: string | number): string {
  const day = new Date(typeof date === "number" ? date * 1000 : date);
  if (Number.isNaN(day.getTime())) throw new Failure(`aws eks describe-cluster-versions: "${date}" is not a date`);
  return day.toISOString().slice(0, 10);
}

/** Recorded answers, each with the command line that produced it. */
const AnswersFile = z.object({
  lookedUp: z.iso.date(),
  answers: z.array(z.object({ command: z.string(), output: z.json() })),
});

/**
 * Reads a file of recorded answers, to be used instead of the AWS CLI.
 * @throws {Failure} if the file is missing or malformed.
 */
export async function answersOf(file: string): Promise<{ readonly lookedUp: string; readonly aws: Aws }> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new Failure(`no file ${file}`, 2);
  });
  const { success, data } = AnswersFile.safeParse(parsedJson(text));
  if (!success)
    throw new Failure(
      `${file} must be {"lookedUp": "YYYY-MM-DD", "answers": [{"command": "aws eks …", "output": {…}}]}`,
      2,
    );
  const outputs = new Map(data.answers.map(({ command, output }) => [command, output]));
  return {
    lookedUp: data.lookedUp,
    aws: async (args) => {
      const command = commandOf(args);
      const output = outputs.get(command);
      if (output === undefined) throw new Failure(`${file} has no answer of: ${command}`, 2);
      return JSON.stringify(output);
    },
  };
}

/** The command line without options for output and credentials. */
export function commandOf(args: readonly string[]): string {
  const skipped = ["--output", "--region"];
  return [
    "aws",
    ...args.filter((arg, index) => !skipped.includes(arg) && !skipped.includes(args[index - 1] ?? "")),
  ].join(" ");
}

/** The content of the file with EKS's versions. */
interface VersionData {
  readonly lookedUp: string;
  readonly sources: Readonly<Record<string, string>>;
  readonly versions: Readonly<
    Record<
      string,
      { readonly standardSupportEnds: string; readonly addons?: Readonly<Partial<Record<AddonName, string>>> }
    >
  >;
}

const VERSIONS_FILE = new URL("../../corefile/addon/eks-versions.json", import.meta.url);
const TIMEOUT_SECONDS = 60;

export interface RefreshOptions {
  /** File of recorded answers. Default: query EKS with the AWS CLI. */
  readonly from?: string;
  /** File to which the answers are recorded, for `from`. Default: none. */
  readonly save?: string;
  readonly region?: string;
  /** Default: the project's file. */
  readonly versionsFile?: URL;
  /** Default: the project's file. */
  readonly schemasFile?: URL;
  readonly aws?: Aws;
  /** Day of the lookup, if EKS is queried. */
  readonly today: string;
}

/**
 * Looks up EKS's Kubernetes versions, their ends of standard support, the default add-ons and their schemas, and writes the data files.
 * @returns what changed and what remains to be done, one line each.
 * @throws {Failure} if an answer is missing; no file is written then.
 */
export async function refresh(options: RefreshOptions): Promise<string[]> {
  const { versionsFile = VERSIONS_FILE, schemasFile = FETCHED_FILE, region, save, today } = options;
  const file = options.from === undefined ? undefined : await answersOf(options.from);
  const asked = new Map<string, unknown>();
  const ask = file?.aws ?? options.aws ?? ((args) => outputOf("aws", args, { timeoutSeconds: TIMEOUT_SECONDS }));
  const aws: Aws = async (args) => {
    const output = await ask(args);
    asked.set(commandOf(args), JSON.parse(output));
    return output;
  };
  const lookedUp = file?.lookedUp ?? today;
  const answers = await askVersions({ aws, region });
  const before: VersionData = JSON.parse(await readFile(versionsFile, "utf8"));
  if (lookedUp < before.lookedUp)
    throw new Failure(`the answers of ${lookedUp} are older than the data, which is of ${before.lookedUp}`, 2);
  const after = merged(before, answers, lookedUp);
  const coredns = [...new Set(Object.values(after.versions).flatMap(({ addons }) => addons?.coredns ?? []))];
  // The versions looked up now; versions kept from before already have their schema.
  const current = new Set(Object.values(answers.defaults).map((addons) => addons.coredns));
  const schemas = await updateSchemas({
    versions: coredns.filter((version) => current.has(version)),
    region,
    aws,
    file: schemasFile,
    now: new Date(`${lookedUp}T00:00:00Z`),
  });
  await writeFile(versionsFile, `${JSON.stringify(after, null, 2)}\n`);
  if (save !== undefined) {
    const kept = [...asked].map(([command, output]) => ({ command, output }));
    await writeFile(save, `${JSON.stringify({ lookedUp, answers: kept }, null, 2)}\n`);
  }
  return [
    ...changesOf(before, after),
    ...schemas.map((version) => `schema of coredns ${version}: new`),
    ...leftToDo(coredns, Object.keys(answers.defaults)),
  ];
}

/** Merges the answers into the data. Versions that EKS no longer lists keep their data. */
function merged(before: VersionData, { supportEnds, defaults }: EksAnswers, lookedUp: string): VersionData {
  const names = [...new Set([...Object.keys(before.versions), ...Object.keys(supportEnds)])];
  const versions = names
    .sort((one, other) => (minorOf(one) ?? 0) - (minorOf(other) ?? 0))
    .flatMap((version) => {
      const previous = before.versions[version];
      const standardSupportEnds = supportEnds[version] ?? previous?.standardSupportEnds;
      if (standardSupportEnds === undefined) return [];
      const addons = { ...previous?.addons, ...defaults[version] };
      return [[version, { standardSupportEnds, ...(Object.keys(addons).length === 0 ? {} : { addons }) }] as const];
    });
  const sources = Object.keys(before.sources).map((name) => [
    name,
    name === "support"
      ? "aws eks describe-cluster-versions"
      : `aws eks describe-addon-versions --addon-name ${name} --kubernetes-version VERSION`,
  ]);
  return { lookedUp, sources: Object.fromEntries(sources), versions: Object.fromEntries(versions) };
}

function changesOf(before: VersionData, after: VersionData): string[] {
  return Object.entries(after.versions).flatMap(([version, { standardSupportEnds, addons = {} }]) => {
    const previous = before.versions[version];
    const ends =
      previous?.standardSupportEnds === standardSupportEnds
        ? []
        : [
            `${version}: standard support ends on ${standardSupportEnds} (was ${previous?.standardSupportEnds ?? "not known"})`,
          ];
    const updates = Object.entries(addons).flatMap(([name, wanted]) => {
      const old = Object.entries(previous?.addons ?? {}).find(([key]) => key === name)?.[1];
      return old === wanted ? [] : [`${version}: ${name} ${wanted} (was ${old ?? "not known"})`];
    });
    return [...ends, ...updates];
  });
}

/** What remains to be done by hand: CoreDNS releases without plugin data, and versions that the settings do not accept. */
function leftToDo(addons: readonly string[], supported: readonly string[]): string[] {
  const releases = addons.flatMap((version) => {
    const coredns = parseAddonVersion(version)?.coredns;
    return coredns === undefined || releaseChanges(coredns, coredns).to === coredns.join(".")
      ? []
      : [coredns.join(".")];
  });
  const taken: readonly string[] = KUBERNETES_VERSIONS;
  const missing = supported.filter((version) => !taken.includes(version));
  return [
    ...[...new Set(releases)].map((release) => `to do: node tools/coredns/release-data.ts ${release}`),
    ...missing.map((version) => `to do: add ${version} to KUBERNETES_VERSIONS in components/cluster/eks-settings.ts`),
  ];
}

async function versions(flags: { readonly from?: string; readonly save?: string; readonly region?: string }) {
  const changes = await refresh({ ...flags, today: new Date().toISOString().slice(0, 10) });
  const file = fileURLToPath(VERSIONS_FILE).slice(PROJECT_ROOT.length);
  process.stdout.write(`${[...changes, `wrote ${file}`].join("\n")}\n`);
}

if (import.meta.main) {
  await runCommandLine(
    commandLine("versions", "look up EKS's Kubernetes and add-on versions and the add-ons' schemas with the AWS CLI")
      .option("--from <file>", "read EKS's answers from this file, which --save wrote, instead of asking")
      .option("--save <file>", "also save the answers to this file")
      .option("--region <region>", "AWS region (default: the AWS CLI's)")
      .action(versions),
  );
}
