import { readFile } from "node:fs/promises";
import { type AddonName, addonNames, minorOf } from "eks-dns-logging-corefile/addon";
import { z } from "zod";
import { Failure } from "../../lab/command-line.ts";
import { type Aws, askEks, type EksOptions } from "../../lab/dns/schema.ts";

/** What EKS says of its versions on a day. */
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
      // The CLI prints a date by its setting cli_timestamp_format: as text, or as seconds since 1970.
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
 * Asks EKS for its Kubernetes versions and, for those in standard support, the default add-ons.
 * @throws {Failure} where an answer is missing or has another form.
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
  const found = versions.find(({ compatibilities }) =>
    compatibilities.some((one) => one.clusterVersion === kubernetes && one.defaultVersion),
  );
  if (found === undefined) throw new Failure(`aws eks describe-addon-versions names no default of ${about}`);
  return found.addonVersion;
}

function read<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const { success, data } = schema.safeParse(answer);
  if (!success) throw new Failure(`aws eks ${what}: the answer has another form than EKS's API reference says`);
  return data;
}

function dayOf(date: string | number): string {
  const day = new Date(typeof date === "number" ? date * 1000 : date);
  if (Number.isNaN(day.getTime())) throw new Failure(`aws eks describe-cluster-versions: "${date}" is no date`);
  return day.toISOString().slice(0, 10);
}

/** Answers that were asked elsewhere: each with the command line that gave it. */
const AnswersFile = z.object({
  lookedUp: z.iso.date(),
  answers: z.array(z.object({ command: z.string(), output: z.json() })),
});

/**
 * Reads a file of answers, to be asked instead of the AWS CLI.
 * @throws {Failure} where the file is missing or has another form.
 */
export async function answersOf(file: string): Promise<{ readonly lookedUp: string; readonly aws: Aws }> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new Failure(`no file ${file}`, 2);
  });
  const { success, data } = AnswersFile.safeParse(json(text));
  if (!success)
    throw new Failure(
      `${file} must be {"lookedUp": "YYYY-MM-DD", "answers": [{"command": "aws eks …", "output": {…}}]}`,
      2,
    );
  const known = new Map(data.answers.map(({ command, output }) => [command, output]));
  return {
    lookedUp: data.lookedUp,
    aws: async (args) => {
      const command = commandOf(args);
      const output = known.get(command);
      if (output === undefined) throw new Failure(`${file} has no answer of: ${command}`, 2);
      return JSON.stringify(output);
    },
  };
}

/** The command line without what says how and where it is asked. */
export function commandOf(args: readonly string[]): string {
  const skipped = ["--output", "--region"];
  return [
    "aws",
    ...args.filter((arg, index) => !skipped.includes(arg) && !skipped.includes(args[index - 1] ?? "")),
  ].join(" ");
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
