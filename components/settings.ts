import { allConfig } from "@pulumi/pulumi/runtime/config.js";
import { z } from "zod";
import { partitionOf, SUPPORTED_PARTITIONS } from "./aws/partition.ts";
import { ClusterSettings, checkCluster, kubeDnsAddresses } from "./cluster/settings.ts";
import { LOOKED_UP_VERSION } from "./dns/addon.ts";
import { addressIssues } from "./dns/endpoints.ts";
import { checkDns } from "./dns/issues.ts";
import { DnsSettings, managesCoreDns } from "./dns/settings.ts";
import type { NamedCluster } from "./logging/routing/overlaps.ts";
import { LoggingSettings } from "./logging/settings.ts";
import { checkLogging, resourcesOf } from "./logging/validation.ts";
import { checkMonitoring } from "./monitoring/monitoring-issues.ts";
import { MonitoringSettings } from "./monitoring/settings.ts";
import {
  type PresentParts,
  partErrorMap,
  partIssues,
  presentParts,
  runsCollector,
  runsCoreDns,
  unusedDnsSettings,
} from "./parts.ts";
import { placementIssues } from "./placement.ts";
import { issuesOf, SettingsError, type SettingsIssue, unknownKey } from "./schema/errors.ts";
import { CONFIG_NAMESPACE, extend, type Renames, withFiles } from "./schema/extends.ts";
import { isObject, validPart } from "./schema/values.ts";
import { checkTeams } from "./team/namespace-room.ts";
import { dnsNamespaceIssues } from "./team/network-policies.ts";
import { arnIssues, idleStatements, quotaIssues } from "./team/pod-identity.ts";
import { agentIssues, policyAgentFamily } from "./team/policy-agent.ts";
import { nameIssues, roleIssues } from "./team/resource-names.ts";
import { CurlPodSettings, DEFAULT_TEAMS, hasCurlPod, idleQuotas, TeamsSettings } from "./team/settings.ts";

/** A stack's configuration keys under {@link CONFIG_NAMESPACE}; the JSON Schema for editors is generated from them. */
export const StackSettings = z.strictObject(
  {
    cluster: ClusterSettings.describe("A new EKS cluster, an existing one, or any cluster in a kubeconfig."),
    dns: DnsSettings.prefault({}).describe("CoreDNS; `false` leaves it out."),
    teams: TeamsSettings.prefault(DEFAULT_TEAMS).describe(
      "Teams; `[]` for none. Default: ts and sa, peers of each other.",
    ),
    curlPods: z.boolean().default(true).describe("Create the curl pods. Default true."),
    curlPod: CurlPodSettings.prefault({}).describe("The curl pod in each team's namespace."),
    logging: LoggingSettings.prefault({}).describe("Log collection; `false` leaves it out."),
    monitoring: MonitoringSettings.prefault({}).describe("Metrics, alerts, dashboards and a canary. Default: none."),
  },
  { error: (issue) => (issue.code === "unrecognized_keys" ? unknownKey(KEYS) : undefined) },
);

/** All keys of a stack's file; `extends` is removed before the others are parsed. */
const KEYS: readonly string[] = [...Object.keys(StackSettings.shape), "extends"];

/** A stack's settings, complete with defaults. */
export type Settings = Readonly<Omit<z.infer<typeof StackSettings>, "dns" | "logging">> & {
  /** Undefined if the stack omits CoreDNS. */
  readonly dns: DnsSettings | undefined;
  /** Undefined if the stack omits log collection, or its cluster cannot run it. */
  readonly logging: LoggingSettings | undefined;
  /** From `aws:region`; undefined if not needed. */
  readonly region: string | undefined;
  /** From `aws:profile`; undefined for the default credentials. */
  readonly profile: string | undefined;
  /** Settings without effect and deprecated names, to report once. */
  readonly warnings: readonly SettingsIssue[];
};

/** Deprecated names of settings, which still work but cause a warning. */
const RENAMES: Renames = { logging: { carrier: "mode" } };

/**
 * Reads the current stack's configuration.
 * @throws {SettingsError} with every error, before anything is registered.
 */
export function readSettings(): Settings {
  return parseSettings(allConfig());
}

/** Settings of the latest configurations, by configuration as JSON; frozen, so that callers can share them. */
const settingsByConfig = new Map<string, Settings>();
const MAX_CONFIGS = 8;

/**
 * Parses a stack's configuration as passed by the engine: strings by `namespace:key`, structured values as JSON. Results are cached,
 * since a command and the program that it plans parse the same configuration.
 * @throws {SettingsError} with all errors. Warnings are in the result.
 */
export function parseSettings(config: Readonly<Record<string, string>>): Settings {
  const key = JSON.stringify(config);
  const settings = settingsByConfig.get(key) ?? judgeSettings(config);
  if (settingsByConfig.size >= MAX_CONFIGS) settingsByConfig.clear();
  settingsByConfig.set(key, settings);
  return settings;
}

function judgeSettings(config: Readonly<Record<string, string>>): Settings {
  const prefix = `${CONFIG_NAMESPACE}:`;
  const raw = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), structured(value)]),
  );
  const region = config["aws:region"];
  const { settings: whole, issues: unread } = extend(raw, RENAMES);
  const { settings: given, absent } = presentParts(whole);
  const parsed = StackSettings.safeParse(given, { error: partErrorMap });
  const withFile = (found: readonly SettingsIssue[]) => withFiles(found, raw, whole, RENAMES);
  const issues = [
    ...unread,
    ...withFile(parsed.success ? [] : issuesOf(parsed.error, given, []).map(withinSection)),
    ...regionIssues(given.cluster, region),
    ...strayKeys(config),
    ...withFile(issuesOfSections(given, region, absent)),
  ];
  const errors = withoutMissing(issues.filter(({ severity }) => severity !== "warning"));
  if (!parsed.success || errors.length > 0) throw new SettingsError(errors);
  const warnings = issues.filter(({ severity }) => severity === "warning");
  const { dns, logging, ...others } = parsed.data;
  return deepFreeze({
    ...others,
    dns: absent.has("dns") ? undefined : onCompute(dns, others.cluster),
    logging: absent.has("logging") || !runsCollector(others.cluster, logging) ? undefined : logging,
    region,
    profile: config["aws:profile"],
    warnings,
  });
}

/**
 * Tells how to set a path such as `dns.replicas`, which `pulumi config set` without `--path` takes for the name of a key.
 * @see https://www.pulumi.com/docs/iac/cli/commands/pulumi_config_set/
 */
function withinSection(issue: SettingsIssue): SettingsIssue {
  const [key = "", ...below] = issue.path.map(String);
  const [, section = ""] = /^(\w+)[.[]/.exec(key) ?? [];
  if (below.length > 0 || !KEYS.includes(section)) return issue;
  return { ...issue, message: `unknown key, must be within ${section}, as by \`pulumi config set --path '${key}'\`` };
}

/** Drops missing settings if the file to extend could not be read, since it may have them. */
function withoutMissing(errors: readonly SettingsIssue[]): readonly SettingsIssue[] {
  if (!errors.some(({ path }) => path[0] === "extends")) return errors;
  return errors.filter(({ isMissing }) => isMissing !== true);
}

/** Completes the DNS settings for a cluster that only runs Fargate, where the add-on needs its computeType. */
function onCompute(dns: DnsSettings, cluster: ClusterSettings): DnsSettings {
  if (cluster.kind !== "eks-existing" || cluster.compute !== "fargate") return dns;
  return { ...dns, computeType: "Fargate" };
}

/** Keys of other providers with the name of one of ours: the kubernetes provider has a setting `cluster`. */
const KEYS_OF_PROVIDERS = ["kubernetes:cluster"];

/** Settings in a misspelled namespace, which the engine would take for another provider's. */
function strayKeys(config: Readonly<Record<string, string>>): SettingsIssue[] {
  return Object.keys(config).flatMap((key) => {
    const [namespace = "", name = ""] = key.split(":");
    if (namespace === CONFIG_NAMESPACE || !KEYS.includes(name) || KEYS_OF_PROVIDERS.includes(key)) return [];
    return [{ path: [key], message: `unknown namespace, must be ${CONFIG_NAMESPACE}:${name}` }];
  });
}

/** Checks beyond the schemas, of the valid part of every section, so that an issue elsewhere hides none. */
function issuesOfSections(
  given: Readonly<Record<string, unknown>>,
  region: string | undefined,
  absent: PresentParts["absent"],
): SettingsIssue[] {
  const sections = sectionsOf(given, region, absent);
  const { cluster, dns, logging, teams, hasCurlPods, kind } = sections;
  const ofLogging = loggingIssues(sections);
  // Invalid log collection is not watched.
  const watched = ofLogging.every(({ severity }) => severity === "warning") ? logging?.value : undefined;
  const newCluster = cluster?.value.kind === "eks" && !cluster.without.has("nodeGroups") ? cluster.value : undefined;
  const hasAddon = kind !== "existing" && !adoptsDns(given.dns);
  // Checks that combine CoreDNS with the cluster say nothing if its settings are invalid.
  const isDnsKnown = dns !== undefined || absent.has("dns");
  return [
    ...(cluster === undefined ? [] : under("cluster", checkCluster(cluster.value, region), cluster.without)),
    ...dnsIssues(sections),
    ...ofLogging,
    ...teamIssues(sections),
    ...partIssues({ absent, cluster: cluster?.value, logging: logging?.value, teams, hasCurlPods, given }),
    ...(absent.has("dns") || hasAddon ? [] : unusedDnsSettings(given.dns)),
    ...(cluster !== undefined && isDnsKnown ? addressIssues(cluster, dns?.value.clusterDns) : []),
    ...(newCluster !== undefined && isDnsKnown
      ? placementIssues(newCluster, { dns: dns?.value, logging: logging?.value, hasCurlPods }, region)
      : []),
    ...monitoringIssues(sections, watched),
  ];
}

/** The valid part of each section; undefined if there is none. */
function sectionsOf(
  given: Readonly<Record<string, unknown>>,
  region: string | undefined,
  absent: PresentParts["absent"],
) {
  const { shape } = StackSettings;
  const knownTeams = shape.teams.safeParse(given.teams ?? DEFAULT_TEAMS).data;
  const teams = knownTeams ?? [];
  const kind: ClusterSettings["kind"] = eksKind(given.cluster) ?? "existing";
  // A cluster whose kind is not set yet may give pods an AWS identity.
  const assumedKind = isObject(given.cluster) && given.cluster.kind === undefined ? "eks" : kind;
  return {
    given,
    region,
    kind,
    assumedKind,
    cluster: validPart(shape.cluster, given.cluster, ["kind"]),
    dns: absent.has("dns") ? undefined : validPart(shape.dns, given.dns, ["addonVersion", "clusterDns"]),
    logging: absent.has("logging")
      ? undefined
      : validPart(shape.logging, given.logging, ["collector", "mode", "destination", "destinations"]),
    knownTeams,
    teams,
    // An invalid team may have one.
    hasCurlPods: given.curlPods !== false && (knownTeams === undefined || teams.some(hasCurlPod)),
  };
}

type Sections = ReturnType<typeof sectionsOf>;

function dnsIssues({ given, kind, cluster, dns }: Sections): SettingsIssue[] {
  if (dns === undefined) return [];
  const version = kind === "existing" ? undefined : kubernetesVersion(given.cluster);
  const addresses = cluster === undefined ? undefined : kubeDnsAddresses(cluster.value);
  return under("dns", checkDns(dns.value, version, kind !== "eks", addresses), dns.without);
}

function loggingIssues({ given, region, kind, assumedKind, logging, knownTeams }: Sections): SettingsIssue[] {
  if (logging === undefined) return [];
  const named = kind !== "existing" ? namedCluster(given.cluster, region) : undefined;
  return under("logging", checkLogging(logging.value, assumedKind, named, knownTeams), logging.without);
}

function teamIssues({ given, region, kind, cluster, dns, logging, teams }: Sections): SettingsIssue[] {
  const sidecar = logging?.value.mode === "sidecar" ? resourcesOf(logging.value) : undefined;
  const accessEntries = cluster === undefined || cluster.value.kind === "existing" ? [] : cluster.value.accessEntries;
  const agent = cluster === undefined ? undefined : policyAgentFamily(cluster.value);
  const issues = [
    ...checkTeams(teams, { enabled: given.curlPods !== false, sidecar }),
    ...(kind === "existing" || region === undefined ? [] : arnIssues(teams, region)),
    ...nameIssues(teams),
    ...roleIssues(teams, accessEntries),
    ...dnsNamespaceIssues(teams, dns?.value.adopt?.namespace),
    ...idleStatements(teams),
    ...quotaIssues(teams),
    ...idleQuotas(teams),
    ...(agent === undefined ? [] : agentIssues(teams, agent)),
  ];
  return under("teams", issues, new Set());
}

function monitoringIssues(
  { given, region, kind, assumedKind, cluster, dns, logging, teams }: Sections,
  watched: LoggingSettings | undefined,
): SettingsIssue[] {
  const monitoring = StackSettings.shape.monitoring.safeParse(given.monitoring ?? {}).data;
  if (monitoring === undefined || (dns?.without.size ?? 0) + (logging?.without.size ?? 0) > 0) return [];
  const parts = {
    dns: cluster !== undefined && !runsCoreDns(cluster.value, dns?.value) ? undefined : dns?.value,
    managesCoreDns: managesCoreDns(dns?.value, kind !== "existing"),
    logging: watched,
    teams,
  };
  return under("monitoring", checkMonitoring(monitoring, parts, assumedKind !== "existing", region), new Set());
}

/** Issues of a section, except those of excluded settings. */
function under(key: string, issues: readonly SettingsIssue[], without: ReadonlySet<PropertyKey>): SettingsIssue[] {
  return issues.flatMap((issue) => {
    const [top] = issue.path;
    return top !== undefined && without.has(top) ? [] : [{ ...issue, path: [key, ...issue.path] }];
  });
}

/** The engine passes structured values as JSON, and plain ones as is. */
function structured(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** An EKS cluster's version; the default if its settings are invalid. */
function kubernetesVersion(cluster: unknown): string | undefined {
  const { shape } = StackSettings;
  const settings = shape.cluster.safeParse(cluster).data ?? shape.cluster.parse({ kind: "eks" });
  if (settings.kind === "eks") return settings.version;
  if (settings.kind !== "eks-existing" || settings.compute === "auto") return undefined;
  return settings.kubernetesVersion ?? LOOKED_UP_VERSION;
}

/** Name and region of an EKS cluster; undefined if either is invalid. */
function namedCluster(given: unknown, region: string | undefined): NamedCluster | undefined {
  const cluster = StackSettings.shape.cluster.safeParse(given).data;
  return cluster !== undefined && cluster.kind !== "existing" && region !== undefined
    ? { name: cluster.name, region }
    : undefined;
}

/** Whether settings adopt a running CoreDNS, which on EKS takes the place of the add-on. */
function adoptsDns(dns: unknown): boolean {
  return isObject(dns) && dns.adopt !== undefined;
}

/** The kind of EKS cluster; undefined for another cluster. */
function eksKind(cluster: unknown): "eks" | "eks-existing" | undefined {
  const kind = isObject(cluster) ? cluster.kind : undefined;
  return kind === "eks" || kind === "eks-existing" ? kind : undefined;
}

/** A country or continent, perhaps `gov`, a direction, and a number: eu-central-1, us-gov-west-1. */
const REGION = /^[a-z]{2}(-gov)?-(central|(north|south)(east|west)?|east|west)-\d$/;

function regionIssues(cluster: unknown, region: string | undefined): SettingsIssue[] {
  if (eksKind(cluster) === undefined) return [];
  const partition = region === undefined ? undefined : partitionOf(region).id;
  if (partition !== undefined && !SUPPORTED_PARTITIONS.includes(partition)) {
    const message = `must be a region of ${SUPPORTED_PARTITIONS.join(", ")}, since partition ${partition} is not supported`;
    return [{ path: ["aws:region"], message, value: region }];
  }
  if (region !== undefined && REGION.test(region)) return [];
  const missing = region === undefined ? ", but is not set" : "";
  return [{ path: ["aws:region"], message: `must be an AWS region, such as eu-central-1${missing}`, value: region }];
}

/** Freezes a value and everything in it. */
function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
