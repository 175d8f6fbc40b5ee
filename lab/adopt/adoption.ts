import { isIP, isIPv6 } from "node:net";
import { styleText } from "node:util";
import { KUBERNETES_VERSIONS } from "../../components/cluster/eks-settings.ts";
import { formatIssue, SettingsError } from "../../components/schema/errors.ts";
import { CONFIG_NAMESPACE } from "../../components/schema/extends.ts";
import { parseSettings } from "../../components/settings.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import { isOwn, textAt } from "../audit/kubernetes-object.ts";
import { plainTable, plural } from "../output/text.ts";
import { planStack } from "../plan/plan.ts";
import { portableYaml } from "../stack-file.ts";
import type { AwsCluster } from "./aws-cluster.ts";
import {
  type AdoptionAction,
  type AdoptionRow,
  type ImportFile,
  importPlan,
  type LiveObjects,
  row,
} from "./import-file.ts";
import { outlookText, type PolicyOutlook, policyOutlook } from "./policy-outlook.ts";
import { type DeploymentPlace, readCoreDns, type Takeover, unmanagedCoreDns } from "./running-coredns.ts";
import { readTeams } from "./running-teams.ts";

/** Parts that can be adopted. */
export type Part = "dns" | "teams" | "logging";

/** What to adopt, and from which cluster. */
export interface AdoptionRequest {
  readonly stack: string;
  readonly parts: readonly Part[];
  readonly namespaces: readonly string[];
  readonly coredns: DeploymentPlace;
  readonly context: string;
  readonly kubeconfig: string | undefined;
  /** Version of the API server, such as `v1.36.3`. */
  readonly version: string;
  readonly eks: EksRequest | undefined;
  /** Levels, options and exemptions of the policies. Default: each rule's own. */
  readonly policyConfig?: PackConfig;
}

export interface EksRequest {
  readonly name: string;
  readonly region: string;
  /** What AWS reports about the cluster, or why that is unknown. */
  readonly aws: AwsCluster | string;
}

/** What `lab adopt` writes and reports. */
export interface Adoption {
  readonly stack: string;
  /** The stack's configuration, keyed as in its file. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly importFile: ImportFile;
  /** URNs of the resources that must be in the state before the import. */
  readonly targets: readonly string[];
  readonly rows: readonly AdoptionRow[];
  /** Undefined if the settings are invalid, so that nothing can be planned. */
  readonly policies: PolicyOutlook | undefined;
}

/** Turns a live cluster into a stack's settings, then plans that stack to find conflicts with existing objects. */
export async function adopt(live: LiveObjects, request: AdoptionRequest): Promise<Adoption> {
  const { eks, parts } = request;
  const awsCluster = typeof eks?.aws === "object" ? eks.aws : undefined;
  const dns = dnsAdoption(live, request, awsCluster);
  const teams = readTeams(live, parts.includes("teams") ? request.namespaces : []);
  const adoptsLogging = parts.includes("logging");
  const config = {
    ...(eks === undefined ? {} : { "aws:region": eks.region }),
    [`${CONFIG_NAMESPACE}:cluster`]: clusterSettings(request, awsCluster, live),
    [`${CONFIG_NAMESPACE}:dns`]: dns.settings,
    [`${CONFIG_NAMESPACE}:teams`]: teams.settings,
    [`${CONFIG_NAMESPACE}:curlPods`]: false,
    [`${CONFIG_NAMESPACE}:logging`]: adoptsLogging
      ? { destination: { kind: eks === undefined ? "stdout" : "cloudwatch" } }
      : false,
  };
  const planned = await planAdoption(live, request, config, awsCluster);
  return {
    stack: request.stack,
    config,
    importFile: planned.importFile,
    targets: planned.targets,
    policies: planned.policies,
    rows: [
      ...(eks === undefined ? [] : eksRows(eks)),
      ...dns.rows,
      ...teams.rows,
      ...(adoptsLogging ? loggingRows(live, eks !== undefined) : []),
      ...planned.rows,
    ],
  };
}

/** The settings under `dns`: those of the adopted CoreDNS, or where an unmanaged one runs. */
function dnsAdoption(
  live: LiveObjects,
  { eks, parts, coredns }: AdoptionRequest,
  awsCluster: AwsCluster | undefined,
): { readonly settings: unknown; readonly rows: readonly AdoptionRow[] } {
  if (!parts.includes("dns")) {
    const settings = unmanagedCoreDns(live, coredns);
    const reason = "dns.adopt only says where it is, for the network policies";
    return { settings, rows: settings === false ? [] : [row("leave", "dns", reason)] };
  }
  const takeover = takeoverOf(eks, awsCluster);
  const { settings, misfits, rows } = readCoreDns(live, coredns, takeover);
  const addonVersion = takeover === "is-addon" ? awsCluster?.coreDnsVersion : undefined;
  const unchanged = "is patched as it is (dns.adopt), without the EKS add-on";
  return {
    settings: { ...settings, ...(addonVersion && { addonVersion }) },
    rows: [
      ...misfits.map(({ field, reason }): AdoptionRow => row("leave", `the EKS add-on cannot take ${field}`, reason)),
      ...(misfits.length === 0 ? [] : [row("adopt", "dns", unchanged)]),
      ...rows,
    ],
  };
}

function takeoverOf(eks: EksRequest | undefined, awsCluster: AwsCluster | undefined): Takeover {
  if (eks === undefined || awsCluster?.isAutoMode) return "patch";
  return awsCluster?.hasCoreDnsAddon ? "is-addon" : "to-addon";
}

function clusterSettings(
  { eks, version, context, kubeconfig }: AdoptionRequest,
  awsCluster: AwsCluster | undefined,
  live: LiveObjects,
) {
  const reached = {
    ...(hasIPv6Services(live) ? { ipFamily: "ipv6" } : {}),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    context,
  };
  if (eks === undefined) return { kind: "existing", ...reached };
  const minor = /^v?(\d+\.\d+)/.exec(version)?.[1];
  const stated = KUBERNETES_VERSIONS.find((version) => version === minor);
  return {
    kind: "eks-existing",
    name: eks.name,
    ...(stated === undefined ? {} : { kubernetesVersion: stated }),
    ...(awsCluster?.isAutoMode ? { compute: "auto" } : {}),
    ...(awsCluster?.serviceCidr === undefined ? {} : { serviceCidr: awsCluster.serviceCidr }),
    ...reached,
  };
}

/** Whether Services are IPv6: the first address of a Service has the cluster's primary family. */
function hasIPv6Services(live: LiveObjects): boolean {
  const addresses = live.ofKind("Service").flatMap(({ content }) => textAt(content, "spec", "clusterIPs", 0) ?? []);
  const assigned = addresses.filter((address) => isIP(address) !== 0);
  return assigned.length > 0 && assigned.every(isIPv6);
}

function eksRows({ aws, name }: EksRequest): AdoptionRow[] {
  if (typeof aws === "string")
    return [
      row(
        "check",
        `EKS cluster ${name}`,
        `AWS does not answer (${aws}): state cluster.compute and serviceCidr, and import the add-on with id ${name}:coredns if there is one`,
      ),
    ];
  if (aws.isAutoMode || aws.hasCoreDnsAddon) return [];
  return [
    row(
      "adopt",
      `add-on ${name}:coredns`,
      "does not exist yet: EKS takes over a self-managed CoreDNS in place, unless a field below prevents it",
    ),
  ];
}

const COLLECTOR =
  /fluent-?(bit|d)|vector|filebeat|promtail|otel|opentelemetry-collector|alloy|logagent|cloudwatch-agent/;

function loggingRows(live: LiveObjects, isEks: boolean): AdoptionRow[] {
  const collectors = live
    .ofKind("DaemonSet")
    .filter((daemonSet) => COLLECTOR.test(daemonSet.name) && !isOwn(daemonSet));
  return [
    row("check", "logging.destination", `${isEks ? "cloudwatch" : "stdout"} is written: replace it with yours`),
    ...collectors.map(
      ({ namespace, name }): AdoptionRow =>
        row(
          "leave",
          `DaemonSet/${namespace}/${name}`,
          "collects logs already, and both would run: remove it once the new one delivers",
        ),
    ),
  ];
}

/** Plans the written stack: what it imports, and what its settings' checks and the policies say about it. */
async function planAdoption(
  live: LiveObjects,
  { stack, eks, coredns, policyConfig = {} }: AdoptionRequest,
  config: Adoption["config"],
  awsCluster: AwsCluster | undefined,
): Promise<Pick<Adoption, "importFile" | "targets" | "rows" | "policies">> {
  const engineConfig = Object.fromEntries(
    Object.entries(config).map(([key, value]): [string, string] => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  try {
    const { warnings } = parseSettings(engineConfig);
    const recording = await planStack({ name: stack, config: engineConfig });
    const addon = awsCluster?.hasCoreDnsAddon ? [["aws:eks/addon:Addon", `${eks?.name}:coredns`] as const] : [];
    const { file, targets, rows } = importPlan(recording.resources, live, new Map(addon));
    const warned = warnings.map((warning): AdoptionRow => row("check", "settings", formatIssue(warning)));
    const policies = policyOutlook(recording, live, coredns, policyConfig);
    return { importFile: file, targets, rows: [...rows, ...warned], policies };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const rows = error.issues.map((issue): AdoptionRow => row("conflict", "settings", formatIssue(issue)));
    return { importFile: { resources: [] }, targets: [], rows, policies: undefined };
  }
}

/** The stack's file, headed by a comment that names its source. */
export function stackFileText({ config }: Adoption, title: string): string {
  const header = [
    "# yaml-language-server: $schema=./settings.schema.json",
    `# Written by lab adopt from ${title}. Review it before \`pulumi up\`.`,
    "",
  ].join("\n");
  return header + portableYaml({ config });
}

const ORDER: readonly AdoptionAction[] = ["conflict", "check", "import", "adopt", "leave"];
const COLORS = { conflict: "red", check: "yellow", import: "green", adopt: "green", leave: "dim" } as const;

/** Sorts by severity, then by the order of discovery. */
function sorted(rows: readonly AdoptionRow[]): AdoptionRow[] {
  return rows.toSorted((one, other) => ORDER.indexOf(one.action) - ORDER.indexOf(other.action));
}

/** The adoption as a table for a terminal. */
export function adoptionTable(adoption: Adoption, title: string, commands: readonly string[]): string {
  const { rows, importFile, policies } = adoption;
  const outlook =
    policies === undefined
      ? "The policies cannot judge this stack before its settings are valid.\n"
      : outlookText(policies);
  const cells = sorted(rows).map(({ action, subject, reason }) => [
    styleText(COLORS[action], action, { stream: process.stdout }),
    subject,
    reason,
  ]);
  const count = (action: AdoptionAction) => rows.filter((row) => row.action === action).length;
  const imported = importFile.resources.filter(({ id }) => id !== undefined).length;
  return [
    `Adoption of ${title}`,
    "",
    plainTable(["Action", "Subject", "Reason"], cells, { widths: [10, 62, 90] }),
    "",
    `${plural(count("conflict"), "conflict")}, ${count("check")} to check, ${imported} to import, ${count("adopt")} adopted, ${count("leave")} left alone`,
    "",
    ...(outlook === "" ? [] : [outlook]),
    ...commands.map((command) => `    ${command}`),
    "",
  ].join("\n");
}

export function adoptionJson(
  { stack, config, importFile, rows, policies }: Adoption,
  title: string,
  files: readonly string[],
) {
  return { stack, source: title, files, config, import: importFile, rows: sorted(rows), policies };
}

/** Whether something must change before `pulumi up` with the policies can run. */
export function blocks({ rows, policies }: Adoption): boolean {
  return rows.some(({ action }) => action === "conflict") || policies?.stops === true;
}
