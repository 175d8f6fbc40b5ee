import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  commaList,
  Failure,
  helpNote,
  PROJECT_ROOT,
  progress,
  shellWord,
  writeNamedFile,
  writeOutput,
} from "../command-line.ts";
import type { Adoption, AdoptionRequest, Part } from "./adoption.ts";
import type { LiveObjects } from "./import-file.ts";
import type { DeploymentPlace } from "./running-coredns.ts";

interface AdoptFlags {
  readonly stack?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly name?: string;
  readonly region?: string;
  readonly parts?: readonly Part[];
  readonly namespaces: readonly string[];
  readonly coredns: DeploymentPlace;
  readonly out: string;
  readonly policyConfig?: string;
  readonly force?: true;
  readonly json?: true;
}

/** Adds `adopt` to the command line. Its modules load only when it runs, which keeps `--help` fast. */
export function registerAdopt(program: Command): void {
  program
    .command("adopt")
    .description(
      "write a stack file, and a file of imports if any, for what a cluster already runs; changes nothing on it",
    )
    .addOption(
      new Option(
        "-s, --stack <name>",
        "stack to write, as in Pulumi.NAME.yaml (default: the cluster's name or the context)",
      ).argParser(parseStackName),
    )
    .addOption(new Option("--context <name>", "kubeconfig context of the cluster (default: the current one)"))
    .option("--kubeconfig <file>", "kubeconfig file (default: $KUBECONFIG, else ~/.kube/config)")
    .option("--name <cluster>", "name of the EKS cluster; needs --region (default: none, AWS is not queried)")
    .option("--region <region>", "AWS region of the EKS cluster")
    .addOption(
      new Option(
        "--parts <list>",
        "what to adopt: dns, teams, logging (default: dns, and teams with --namespaces)",
      ).argParser(parseParts),
    )
    .addOption(
      new Option("--namespaces <list>", "namespaces to adopt as teams, such as payments,checkout")
        .argParser(commaList)
        .default([], "none"),
    )
    .addOption(
      new Option("--coredns <namespace/name>", "Deployment of CoreDNS")
        .argParser(parsePlace)
        .default({ namespace: "kube-system", name: "coredns" }, "kube-system/coredns"),
    )
    .addOption(new Option("--out <folder>", "folder for the files").default(PROJECT_ROOT, "that of the project"))
    .option(
      "--policy-config <file>",
      "levels, options and exemptions of policies, as for pulumi --policy-pack-config (default: policy-config.json)",
    )
    .option("--force", "overwrite existing files")
    .option("--json", "print one JSON document instead of the table")
    .addHelpText(
      "after",
      helpNote(
        "View permissions are enough.\nExit code: 0 if `pulumi up` can run next, 1 if there is a conflict or a mandatory policy stops the stack, 2 if nothing was written.",
      ),
    )
    .action(runAdopt);
}

const PARTS: readonly Part[] = ["dns", "teams", "logging"];

function parseParts(text: string): Part[] {
  return commaList(text).map((word) => {
    const part = PARTS.find((name) => name === word);
    if (part === undefined) throw new InvalidArgumentError(`It must be a list of ${PARTS.join(", ")}.`);
    return part;
  });
}

/** @see https://www.pulumi.com/learn/building-with-pulumi/understanding-stacks */
function parseStackName(text: string): string {
  if (/^[\w.-]+$/.test(text)) return text;
  throw new InvalidArgumentError("It must be letters, digits, '-', '_' and '.'.");
}

function parsePlace(text: string): DeploymentPlace {
  const [, namespace, name] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) throw new InvalidArgumentError("It must be NAMESPACE/NAME.");
  return { namespace, name };
}

async function runAdopt(flags: AdoptFlags): Promise<void> {
  const wanted = flags.parts ?? (flags.namespaces.length > 0 ? ["dns", "teams"] : ["dns"]);
  if ((flags.name === undefined) !== (flags.region === undefined))
    throw new Failure("--name and --region must be set together", 2);
  if (flags.namespaces.length > 0 && !wanted.includes("teams"))
    throw new Failure("--namespaces needs teams in --parts", 2);
  if (wanted.includes("teams") && flags.namespaces.length === 0)
    throw new Failure("--parts teams needs --namespaces, such as --namespaces payments,checkout", 2);
  const shown = await progress("reading the cluster");
  try {
    const { live, context, version, server } = await readLive(flags, wanted);
    const stack = flags.stack ?? (flags.name ?? context).replaceAll(/[^\w.-]+/g, "-");
    const files = [join(flags.out, `Pulumi.${stack}.yaml`), join(flags.out, `import.${stack}.json`)] as const;
    if (flags.force !== true) refuseExisting(files);
    if (flags.name !== undefined) shown.update(`asking AWS for ${flags.name}`);
    const eks = await eksOf(flags);
    shown.update(`planning ${stack}`);
    const [{ adopt }, { readPackConfig }] = await Promise.all([
      import("./adoption.ts"),
      import("../plan/policy-report.ts"),
    ]);
    const adoption = await adopt(live, {
      stack,
      parts: wanted,
      namespaces: [...new Set(flags.namespaces)],
      coredns: flags.coredns,
      context,
      kubeconfig: flags.kubeconfig,
      version,
      eks,
      policyConfig: await readPackConfig(flags.policyConfig),
    });
    shown.stop();
    await report(adoption, files, `context ${context} (${server}, ${version})`, flags);
  } finally {
    shown.stop();
  }
}

async function report(
  adoption: Adoption,
  files: readonly [stackFile: string, importFile: string],
  title: string,
  flags: AdoptFlags,
): Promise<void> {
  const { adoptionJson, adoptionTable, blocks, stackFileText } = await import("./adoption.ts");
  const [stackFile, importFile] = files;
  const { importFile: imports, targets } = adoption;
  const hasImports = imports.resources.length > 0;
  await writeNamedFile(stackFile, stackFileText(adoption, title));
  if (hasImports) await writeNamedFile(importFile, `${JSON.stringify(imports, null, 2)}\n`);
  else await removeOld(importFile);
  const commands = [
    `pulumi stack init ${adoption.stack}`,
    ...(targets.length > 0 ? [`pulumi up ${targets.map((urn) => `--target '${urn}'`).join(" ")}`] : []),
    ...(hasImports
      ? [
          `pulumi import --file ${shellWord(relative(PROJECT_ROOT, importFile))} --generate-code=false --protect=false --yes`,
        ]
      : []),
    "pulumi preview --diff",
  ];
  const written = hasImports ? files : [stackFile];
  writeOutput(flags.json ? adoptionJson(adoption, title, written) : adoptionTable(adoption, title, commands));
  if (blocks(adoption)) process.exitCode = 1;
}

/** Removes the file of an earlier run, which --force would have overwritten: its imports do not belong to the new stack file. */
async function removeOld(file: string): Promise<void> {
  const existed = await rm(file).then(
    () => true,
    () => false,
  );
  if (existed) process.stderr.write(`Removed ${file}: nothing is to be imported now\n`);
}

async function readLive(flags: AdoptFlags, wanted: readonly Part[]) {
  const [{ connect }, { visibleObjects }, { LiveObjects }] = await Promise.all([
    import("../kubernetes/connect.ts"),
    import("../audit/cluster-objects.ts"),
    import("./import-file.ts"),
  ]);
  const connection = await connect({ ...flags, hasStack: false });
  const { cluster, version } = connection;
  const { objects, forbidden } = await visibleObjects(connection);
  const live: LiveObjects = new LiveObjects(
    objects,
    forbidden.map((token) => token.split(":").at(-1) ?? token),
  );
  for (const kind of requiredKinds(wanted))
    if (live.unread.has(kind))
      throw new Failure(
        `context '${cluster.context}': its user may not list ${kind}; it needs the ClusterRole view`,
        2,
      );
  return { live, context: cluster.context, version, server: cluster.server };
}

/** Kinds that a part cannot be read without. */
function requiredKinds(wanted: readonly Part[]): string[] {
  return [
    ...(wanted.includes("dns") ? ["Deployment", "ConfigMap"] : []),
    ...(wanted.includes("teams") ? ["Namespace", "NetworkPolicy"] : []),
  ];
}

async function eksOf({ name, region }: AdoptFlags): Promise<AdoptionRequest["eks"]> {
  if (name === undefined || region === undefined) return undefined;
  const { describeCluster } = await import("./aws-cluster.ts");
  return { name, region, aws: await describeCluster(name, region) };
}

function refuseExisting(files: readonly string[]): void {
  for (const file of files) {
    if (existsSync(file)) throw new Failure(`${file} exists: choose another --stack or --out, or add --force`, 2);
  }
}
