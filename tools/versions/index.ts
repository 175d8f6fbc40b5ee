import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { releaseChanges } from "eks-dns-logging-corefile";
import { type AddonName, FETCHED_FILE, minorOf, parseAddonVersion } from "eks-dns-logging-corefile/addon";
import { KUBERNETES_VERSIONS } from "../../components/cluster/eks-settings.ts";
import { commandLine, Failure, PROJECT_ROOT, runCommandLine } from "../../lab/command-line.ts";
import { type Aws, updateSchemas } from "../../lab/dns/schema.ts";
import { outputOf } from "../../lab/process.ts";
import { answersOf, askVersions, commandOf, type EksAnswers } from "./eks-answers.ts";

/** The data of EKS's versions, as its file has it. */
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
  /** File of answers. Default: EKS itself, by the AWS CLI. */
  readonly from?: string;
  /** Where to keep the answers, to be used by `from`. Default: nowhere. */
  readonly save?: string;
  readonly region?: string;
  /** Default: the file of the project. */
  readonly versionsFile?: URL;
  /** Default: the file of the project. */
  readonly schemasFile?: URL;
  readonly aws?: Aws;
  /** Day of the lookup, where EKS itself is asked. */
  readonly today: string;
}

/**
 * Looks up EKS's Kubernetes versions, their ends of standard support, the default add-ons and their schemas, and writes the data files.
 * @returns what changed and what is left to do, a line each.
 * @throws {Failure} where an answer is missing. No file is written then.
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
    throw new Failure(`the answers are of ${lookedUp}, and the data of ${before.lookedUp} is newer`, 2);
  const after = merged(before, answers, lookedUp);
  const coredns = [...new Set(Object.values(after.versions).flatMap(({ addons }) => addons?.coredns ?? []))];
  // The versions that are asked anew; what stays from before has its schema already.
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

/** The data with the answers over it. Versions that EKS names no more keep what was known. */
function merged(before: VersionData, { supportEnds, defaults }: EksAnswers, lookedUp: string): VersionData {
  const names = [...new Set([...Object.keys(before.versions), ...Object.keys(supportEnds)])];
  const versions = names
    .sort((one, other) => (minorOf(one) ?? 0) - (minorOf(other) ?? 0))
    .flatMap((version) => {
      const known = before.versions[version];
      const standardSupportEnds = supportEnds[version] ?? known?.standardSupportEnds;
      if (standardSupportEnds === undefined) return [];
      const addons = { ...known?.addons, ...defaults[version] };
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
    const known = before.versions[version];
    const ends =
      known?.standardSupportEnds === standardSupportEnds
        ? []
        : [
            `${version}: standard support ends on ${standardSupportEnds} (was ${known?.standardSupportEnds ?? "not known"})`,
          ];
    const updates = Object.entries(addons).flatMap(([name, wanted]) => {
      const old = Object.entries(known?.addons ?? {}).find(([key]) => key === name)?.[1];
      return old === wanted ? [] : [`${version}: ${name} ${wanted} (was ${old ?? "not known"})`];
    });
    return [...ends, ...updates];
  });
}

/** What the answers leave to be done by hand: CoreDNS releases whose plugins are not known, and versions that settings do not take. */
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
    commandLine("versions", "look up EKS's Kubernetes and add-on versions and the add-ons' schemas, by the AWS CLI")
      .option("--from <file>", "read EKS's answers from this file, which --save wrote, instead of asking")
      .option("--save <file>", "also keep the answers in this file")
      .option("--region <region>", "AWS region (default: the AWS CLI's)")
      .action(versions),
  );
}
