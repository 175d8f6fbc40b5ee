import { dirname } from "node:path";
import { type Command, Option } from "commander";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import {
  appended,
  Failure,
  helpNote,
  refuseUnwritable,
  shellWord,
  writeNamedFile,
  writeOutput,
} from "../command-line.ts";
import type { Subject } from "./audit.ts";

interface AuditFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly state?: string;
  readonly manifests?: readonly string[];
  readonly namespace: readonly string[];
  readonly includeSystem?: true;
  readonly policyConfig?: string;
  readonly json?: true;
  readonly sarif?: string;
  readonly markdown?: string;
}

/** Adds `audit` to the command line. Its modules load only when it runs, which keeps `--help` fast. */
export function registerAudit(program: Command): void {
  program
    .command("audit")
    .description("check existing resources against the policy rules: a cluster, a Pulumi state, or manifests")
    .addOption(new Option("--context <name>", "kubeconfig context of the cluster (default: the current one)"))
    .option("--kubeconfig <file>", "kubeconfig file (default: $KUBECONFIG, else ~/.kube/config)")
    .addOption(
      new Option(
        "--state <file>",
        "output of `pulumi stack export`, of any Pulumi project; - for standard input",
      ).conflicts(["context", "kubeconfig", "manifests"]),
    )
    .addOption(
      new Option("--manifests <path>", "manifest file, folder (recursive), or - for standard input; may be repeated")
        .argParser(appended)
        .conflicts(["context", "kubeconfig"]),
    )
    .addOption(
      new Option(
        "-n, --namespace <name...>",
        "only these namespaces; with --manifests, the namespace of objects without one",
      )
        .argParser(appended)
        .default([], "all of the cluster"),
    )
    .option("--include-system", "include kube-system")
    .option(
      "--policy-config <file>",
      "levels, options and exemptions, as for pulumi --policy-pack-config (default: policy-config.json)",
    )
    .option("--json", "print one JSON document instead of the table")
    .option("--sarif <file>", "also write SARIF 2.1.0, for code scanning")
    .option("--markdown <file>", "also write a pull request comment")
    .addHelpText(
      "after",
      helpNote(
        "On a cluster, view permissions are enough: resources that cannot be listed are reported, and rules that need them are skipped.\nExit code: 0 if no mandatory finding, 1 if there is one, 2 if nothing could be read.",
      ),
    )
    .action(runAudit);
}

async function runAudit(flags: AuditFlags): Promise<void> {
  await refuseUnwritable(flags.sarif, flags.markdown);
  const { readPackConfig } = await import("../plan/policy-report.ts");
  const config: PackConfig = await readPackConfig(flags.policyConfig);
  const { subject, title, notes } = await subjectFor(flags);
  const { audit, auditJson, auditMarkdown, auditTable, fails, sarifOf } = await import("./audit.ts");
  const report = { title, notes, ...audit(subject, config) };
  writeOutput(flags.json ? auditJson(report) : auditTable(report));
  if (flags.sarif !== undefined) await writeNamedFile(flags.sarif, `${JSON.stringify(sarifOf(report), null, 2)}\n`);
  if (flags.markdown !== undefined) await writeNamedFile(flags.markdown, auditMarkdown(report));
  if (fails(report)) process.exitCode = 1;
}

interface NamedSubject {
  readonly subject: Subject;
  /** The subject, such as `context kind-lab (https://127.0.0.1:6443, v1.36.3)`. */
  readonly title: string;
  /** What was not read, one sentence each. */
  readonly notes: readonly string[];
}

async function subjectFor(flags: AuditFlags): Promise<NamedSubject> {
  const { subjectOf, subjectOfStack } = await import("./audit.ts");
  if (flags.state !== undefined) {
    if (flags.namespace.length > 0) throw new Failure("--namespace is for --context and --manifests", 2);
    const { readState } = await import("./object-files.ts");
    return { subject: subjectOfStack(await readState(flags.state)), title: `state ${flags.state}`, notes: [] };
  }
  if (flags.manifests !== undefined) {
    const [namespace, more] = flags.namespace;
    if (more !== undefined) throw new Failure("--manifests takes one --namespace", 2);
    const { readManifestFiles } = await import("./object-files.ts");
    const { objects, others, kustomizations } = await readManifestFiles(flags.manifests);
    const notes = [
      ...others.map((file) => `${file} holds no Kubernetes object`),
      ...kustomizations.map(
        (file) =>
          `${file} was not applied: audit what \`kubectl kustomize ${shellWord(dirname(file))}\` prints, with --manifests -`,
      ),
    ];
    return {
      subject: subjectOf(objects, { live: false, namespace }),
      title: `manifests ${flags.manifests.join(", ")}`,
      notes,
    };
  }
  return clusterSubject(flags);
}

async function clusterSubject(flags: AuditFlags): Promise<NamedSubject> {
  const [{ kindOf, subjectOf }, { connect }, { visibleObjects }] = await Promise.all([
    import("./audit.ts"),
    import("../kubernetes/connect.ts"),
    import("./cluster-objects.ts"),
  ]);
  const connection = await connect({ ...flags, hasStack: false });
  const { cluster, version } = connection;
  const { objects, forbidden, absent } = await visibleObjects(connection, flags.namespace);
  if (absent.length > 0)
    throw new Failure(`context '${cluster.context}': there is no namespace ${absent.join(", ")}`, 2);
  const notes =
    forbidden.length === 0 ? [] : [`not read, because the user may not list them: ${forbidden.map(kindOf).join(", ")}`];
  const includeSystem = flags.includeSystem ?? false;
  return {
    subject: subjectOf(objects, { live: true, includeSystem, unreadTypes: forbidden }),
    title: `context ${cluster.context} (${cluster.server}, ${version})`,
    notes,
  };
}
