import type { z } from "zod";
import { exceededCapacity } from "./cluster/eks/node-group-settings.ts";
import type { ClusterSettings, EksClusterSettings } from "./cluster/settings.ts";
import { namespacesOf } from "./kubernetes/labels.ts";
import { awsIdentitySetting } from "./logging/destinations/destination-settings.ts";
import { targetsOf } from "./logging/routing/routes.ts";
import type { LoggingSettings } from "./logging/settings.ts";
import { awsSourceClusterIssues } from "./logging/sources/source-issues.ts";
import { errorMap, type SettingsIssue, typeRequirement } from "./schema/errors.ts";
import { amount, isObject } from "./schema/values.ts";
import type { TeamSettings } from "./team/settings.ts";

/** Parts that a stack may omit with `false` instead of their settings. */
const OPTIONAL_PARTS = ["dns", "logging"] as const;
type OptionalPart = (typeof OPTIONAL_PARTS)[number];

/** Whether `false` omits the part. */
export function isOptionalPart(key: string): key is OptionalPart {
  return OPTIONAL_PARTS.some((part) => part === key);
}

/** A stack's settings without omitted parts. */
export interface PresentParts {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly absent: ReadonlySet<OptionalPart>;
}

/** Removes `dns: false` and `logging: false`, so that the schemas of these parts only parse settings. */
export function presentParts(given: Readonly<Record<string, unknown>>): PresentParts {
  const absent = new Set(OPTIONAL_PARTS.filter((part) => given[part] === false));
  const settings = Object.entries(given).filter(([key]) => !isOptionalPart(key) || !absent.has(key));
  return { settings: Object.fromEntries(settings), absent };
}

/** {@link errorMap}, which adds that `false` omits an optional part. An empty key, which YAML reads as null, often means that. */
export const partErrorMap: z.core.$ZodErrorMap = (issue) => {
  const [part, ...below] = issue.path ?? [];
  const isPart = issue.code === "invalid_type" && below.length === 0 && isOptionalPart(String(part));
  return isPart ? `must be false, which leaves it out, or ${typeRequirement(issue)}` : errorMap(issue);
};

/** Whether the cluster can run the collector. */
export function runsCollector(cluster: ClusterSettings, { mode }: Pick<LoggingSettings, "mode">): boolean {
  return mode === "sidecar" || cluster.kind !== "eks-existing" || cluster.compute !== "fargate";
}

/** Whether CoreDNS pods run on the cluster: EKS Auto Mode answers DNS on the node, unless settings adopt a CoreDNS. */
export function runsCoreDns(cluster: ClusterSettings, dns: { readonly adopt?: unknown } | undefined): boolean {
  return cluster.kind !== "eks-existing" || cluster.compute !== "auto" || dns?.adopt !== undefined;
}

/** What checks across parts know of a stack. */
export interface PartsContext {
  readonly absent: ReadonlySet<OptionalPart>;
  readonly cluster: ClusterSettings | undefined;
  /** Undefined if omitted or invalid. */
  readonly logging:
    | Pick<
        LoggingSettings,
        "mode" | "namespace" | "sources" | "destination" | "destinations" | "index" | "buffer" | "resources"
      >
    | undefined;
  readonly teams: readonly Pick<TeamSettings, "name" | "memberRoles" | "podIdentity" | "namespaces">[];
  /** Whether any team has a curl pod. */
  readonly hasCurlPods: boolean;
  /** The settings as written in the stack's file. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** Parts that contradict each other, or that the cluster cannot run. */
export function partIssues(context: PartsContext): SettingsIssue[] {
  const { cluster, logging } = context;
  return [
    ...podIssues(context),
    ...identityIssues(context),
    ...(logging === undefined || cluster === undefined ? [] : collectorIssues(logging, cluster)),
    ...(cluster?.kind === "eks" ? newClusterIssues(context) : []),
    ...(cluster?.kind === "eks-existing" && cluster.compute === "auto" ? autoModeIssues(context) : []),
    ...(cluster?.kind === "eks-existing" && cluster.compute === "fargate" ? fargateIssues(context) : []),
  ];
}

function warning(path: SettingsIssue["path"], message: string): SettingsIssue {
  return { path, message, severity: "warning" };
}

/** Issues of curl pods, and of a team in the collector's namespace. */
function podIssues({ absent, logging, teams, hasCurlPods, given }: PartsContext): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  if (logging?.mode === "sidecar" && !hasCurlPods)
    issues.push({
      path: ["logging", "mode"],
      message: "must be daemonset without curl pods, since sidecars only run in those",
      value: "sidecar",
    });
  if (!hasCurlPods && given.curlPod !== undefined)
    issues.push(warning(["curlPod"], "has no effect, since no team has a curl pod"));
  if (absent.has("logging") || logging === undefined) return issues;
  const { namespace } = logging;
  for (const [index, team] of teams.entries()) {
    const place = team.namespaces?.findIndex(({ name }) => name === namespace);
    const isGiven = place !== undefined && place >= 0;
    if (isGiven)
      issues.push({
        path: ["teams", index, "namespaces", place, "name"],
        message: "must be another namespace, since the log collector runs in this one",
        value: namespace,
      });
    else if (namespacesOf(team).includes(namespace))
      issues.push({
        path: ["logging", "namespace"],
        message: `must not be the namespace of team ${team.name}`,
        value: namespace,
      });
  }
  return issues;
}

/** Issues of teams' IAM roles on a cluster without AWS identities. */
function identityIssues({ cluster, teams }: PartsContext): SettingsIssue[] {
  const noPodIdentity = withoutPodIdentity(cluster);
  return [...teams.entries()].flatMap(([index, { memberRoles, podIdentity }]) => {
    const issues: SettingsIssue[] = [];
    if (cluster?.kind === "existing" && memberRoles.length > 0)
      issues.push({
        path: ["teams", index, "memberRoles"],
        message: "must be empty with cluster.kind existing, which has no EKS access entries",
        value: memberRoles,
      });
    if (noPodIdentity !== undefined && podIdentity !== undefined)
      issues.push({ path: ["teams", index, "podIdentity"], message: `must not be set with ${noPodIdentity}` });
    return issues;
  });
}

/** The setting with which pods get no AWS identity, and why; undefined if they can get one. */
function withoutPodIdentity(cluster: ClusterSettings | undefined): string | undefined {
  if (cluster?.kind === "existing") return "cluster.kind existing, which has no EKS Pod Identity";
  if (cluster?.kind === "eks-existing" && cluster.compute === "fargate")
    return "cluster.compute fargate, whose pods get no Pod Identity";
  return undefined;
}

/** Issues of logs that the cluster lacks, and of buffers and requests too large for new nodes. */
function collectorIssues(
  logging: NonNullable<PartsContext["logging"]>,
  cluster: NonNullable<PartsContext["cluster"]>,
): SettingsIssue[] {
  const sources = awsSourceClusterIssues(logging.sources, cluster);
  return [
    ...sources.map((issue) => ({ ...issue, path: ["logging", ...issue.path] })),
    ...(cluster.kind === "eks" && logging.mode === "daemonset" ? bufferIssues(logging, cluster) : []),
    ...(cluster.kind === "eks" ? requestIssues(logging, cluster) : []),
  ];
}

function newClusterIssues({ absent, given }: PartsContext): SettingsIssue[] {
  const effect = "leaves a new cluster without CoreDNS: pods resolve no names until it is installed";
  if (absent.has("dns")) return [warning(["dns"], `false ${effect}`)];
  if (!isObject(given.dns) || given.dns.adopt === undefined) return [];
  if (isObject(given.dns.adopt) && given.dns.adopt.manage === false)
    return [warning(["dns", "adopt", "manage"], `false ${effect}`)];
  const message =
    "must not be set with cluster.kind eks, where CoreDNS is an add-on that this stack installs, unless manage is false";
  return [{ path: ["dns", "adopt"], message }];
}

function autoModeIssues({ absent, given }: PartsContext): SettingsIssue[] {
  if (absent.has("dns")) return [];
  const issues: SettingsIssue[] = [];
  if (isObject(given.dns) && given.dns.nodeLocalCache !== undefined)
    issues.push({
      path: ["dns", "nodeLocalCache"],
      message: "must not be set with cluster.compute auto, where each node has a DNS server of its own",
    });
  // A stack's file that says nothing about DNS expects nothing of it.
  if (isObject(given.dns) && given.dns.adopt === undefined)
    issues.push(
      warning(
        ["dns"],
        "installs nothing with cluster.compute auto, where each node answers DNS itself and no CoreDNS pods run",
      ),
    );
  return issues;
}

function fargateIssues({ absent, logging, given }: PartsContext): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  const dns = isObject(given.dns) ? given.dns : {};
  if (!absent.has("dns") && dns.nodeLocalCache !== undefined)
    issues.push({
      path: ["dns", "nodeLocalCache"],
      message: "must not be set with cluster.compute fargate, which runs no DaemonSet",
    });
  if (dns.computeType === "ec2")
    issues.push({
      path: ["dns", "computeType"],
      message: "must be Fargate with cluster.compute fargate",
      value: "ec2",
    });
  if (isObject(given.monitoring) && given.monitoring.kind === "cloudwatch")
    issues.push({
      path: ["monitoring", "kind"],
      message:
        "must not be cloudwatch with cluster.compute fargate, which runs no DaemonSet, such as the agent of Container Insights",
      value: "cloudwatch",
    });
  if (isObject(given.monitoring) && (given.monitoring.kind ?? "none") !== "none" && runsCanary(given.monitoring))
    issues.push({
      path: ["monitoring", "canary", "enabled"],
      message: "must be false with cluster.compute fargate, which runs no DaemonSet",
    });
  for (const { destination, path } of logging === undefined ? [] : targetsOf(logging)) {
    const setting = awsIdentitySetting(destination);
    if (setting === undefined) continue;
    const message = "must not need an AWS identity with cluster.compute fargate, whose pods get no Pod Identity";
    issues.push({ path: ["logging", ...path, setting.key], message, value: setting.value });
  }
  if (logging?.mode === "daemonset" && given.logging !== undefined)
    issues.push(
      warning(
        ["logging"],
        "collects nothing with cluster.compute fargate, which runs no DaemonSet: nothing is created for it",
      ),
    );
  return issues;
}

function runsCanary({ canary }: Readonly<Record<string, unknown>>): boolean {
  return !isObject(canary) || canary.enabled !== false;
}

const GIB = 2 ** 30;

/** Buffers with a total size of a node's disk or more: Vector does not start with them, and the others fill the disk. */
function bufferIssues(
  logging: NonNullable<PartsContext["logging"]>,
  { nodeGroups }: EksClusterSettings,
): SettingsIssue[] {
  const targets = targetsOf(logging);
  const [largest] = [...targets].sort((one, other) => amount(other.bufferSize) - amount(one.bufferSize));
  const [smallest] = [...nodeGroups].sort((one, other) => one.diskSize - other.diskSize);
  const size = targets.reduce((sum, { bufferSize }) => sum + amount(bufferSize), 0);
  if (largest === undefined || smallest === undefined || size < smallest.diskSize * GIB) return [];
  const all =
    targets.length === 1
      ? ""
      : `, and the buffers of ${targets.length} destinations take ${+(size / GIB).toFixed(1)}Gi`;
  return [
    {
      path: ["logging", ...largest.bufferPath, "size"],
      message: `must leave room on the nodes' disks: node group ${smallest.name} has ${smallest.diskSize}Gi (diskSize)${all}`,
      value: largest.bufferSize,
    },
  ];
}

/** Requests that fit on no node: a DaemonSet's in one of the groups, a sidecar's in all. */
function requestIssues(
  { mode, resources = {} }: NonNullable<PartsContext["logging"]>,
  { nodeGroups }: EksClusterSettings,
): SettingsIssue[] {
  const groups = nodeGroups.map(({ name, instanceTypes }) => ({ names: name, types: instanceTypes }));
  const together = {
    names: groups.map(({ names }) => names).join(" or "),
    types: [...new Set(groups.flatMap(({ types }) => types))],
  };
  return (["cpu", "memory"] as const).flatMap((key) => {
    const value = resources[key];
    const [issue] = (mode === "daemonset" ? groups : [together]).flatMap(({ names, types }): SettingsIssue[] => {
      const most = exceededCapacity(types, key, value);
      const message = `must be less than the ${most} in ${names}, or the collector stays pending there`;
      return most === undefined ? [] : [{ path: ["logging", "resources", key], message, value }];
    });
    return issue ?? [];
  });
}

/** Settings under `dns` for the EKS add-on, without effect on a CoreDNS that is not an add-on. */
const ADDON_ONLY: readonly string[] = [
  "addonVersion",
  "autoscaling",
  "podDisruptionBudget",
  "topologyMode",
  "computeType",
  "conflicts",
  "timeouts",
];
/** Settings under `dns` for the add-on, or the Deployment of `dns.adopt`. */
const DEPLOYMENT_SETTINGS: readonly string[] = [
  "replicas",
  "resources",
  "topologySpread",
  "affinity",
  "nodeSelector",
  "tolerations",
  "podLabels",
  "podAnnotations",
];

/** Settings under `dns.adopt` that only matter for patching. */
const PATCH_SETTINGS: readonly string[] = ["force", "version", "terminationGracePeriodSeconds"];

/** Warns of settings for a CoreDNS that the stack does not manage. A node cache and pods use some Corefile settings. */
function unmanagedSettings(
  dns: Readonly<Record<string, unknown>>,
  adopt: Readonly<Record<string, unknown>>,
): SettingsIssue[] {
  const why = "has no effect with dns.adopt.manage false, which leaves CoreDNS as it is";
  const set = (section: Readonly<Record<string, unknown>>, keys: readonly string[]) =>
    keys.filter((key) => section[key] !== undefined);
  const { clusterDomain: _, ...options } =
    isObject(dns.corefile) && isObject(dns.corefile.options) ? dns.corefile.options : {};
  const hasCorefile =
    isObject(dns.corefile) && (set(dns.corefile, ["profile", "text"]).length > 0 || Object.keys(options).length > 0);
  const paths = [
    ...set(dns, [...ADDON_ONLY, ...DEPLOYMENT_SETTINGS, "clusterSize", "preserve"]).map((key) => ["dns", key]),
    ...set(adopt, PATCH_SETTINGS).map((key) => ["dns", "adopt", key]),
    ...(hasCorefile && !isObject(dns.nodeLocalCache) ? [["dns", "corefile"]] : []),
  ];
  return paths.map((path) => warning(path, why));
}

/**
 * Warns of DNS settings without effect on an existing cluster, whose CoreDNS is not part of the stack.
 * @param given The section `dns` as written in the stack's file.
 */
export function unusedDnsSettings(given: unknown): SettingsIssue[] {
  if (!isObject(given)) return [];
  const unused = (keys: readonly string[], message: string) =>
    keys.filter((key) => given[key] !== undefined).map((key) => warning(["dns", key], message));
  if (isObject(given.adopt) && given.adopt.manage === false) return unmanagedSettings(given, given.adopt);
  if (isObject(given.adopt))
    return [
      ...unused(ADDON_ONLY, "has no effect with dns.adopt, which installs no EKS add-on"),
      ...(given.adopt.deployment === undefined
        ? unused(DEPLOYMENT_SETTINGS, "has no effect without dns.adopt.deployment")
        : []),
    ];
  const issues = unused(
    [...ADDON_ONLY, ...DEPLOYMENT_SETTINGS],
    "has no effect on an existing cluster without dns.adopt: this stack does not manage its CoreDNS",
  );
  if (given.corefile !== undefined && !isObject(given.nodeLocalCache)) {
    const message =
      "is only rendered with cluster.kind existing, unless dns.adopt is set: apply the Corefile that `lab plan --manifests` writes to the cluster's CoreDNS";
    issues.push(warning(["dns", "corefile"], message));
  }
  return issues;
}
