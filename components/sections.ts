import type { z } from "zod";
import { ClusterSettings, checkCluster, kubeDnsAddresses } from "./cluster/settings.ts";
import { LOOKED_UP_VERSION } from "./dns/addon.ts";
import { addressIssues } from "./dns/endpoints.ts";
import { checkDns } from "./dns/issues.ts";
import { DnsSettings, managesCoreDns } from "./dns/settings.ts";
import type { NamedCluster } from "./logging/routing/overlaps.ts";
import { LoggingSettings } from "./logging/settings.ts";
import { checkCollection, checkLogging, resourcesOf } from "./logging/validation.ts";
import { checkMonitoring } from "./monitoring/monitoring-issues.ts";
import { MonitoringSettings } from "./monitoring/settings.ts";
import { type PresentParts, partIssues, runsCoreDns, unusedDnsSettings } from "./parts.ts";
import { placementIssues } from "./placement.ts";
import type { SettingsIssue } from "./schema/errors.ts";
import { isWithout, type ValidPart, validPart } from "./schema/valid-part.ts";
import { isObject } from "./schema/values.ts";
import { checkTeams } from "./team/namespace-room.ts";
import { dnsNamespaceIssues } from "./team/network-policies.ts";
import { arnIssues, idleStatements, quotaIssues } from "./team/pod-identity.ts";
import { agentIssues, policyAgentFamily } from "./team/policy-agent.ts";
import { nameIssues, roleIssues } from "./team/resource-names.ts";
import { DEFAULT_TEAMS, hasCurlPod, idleQuotas, TeamSettings, TeamsSettings } from "./team/settings.ts";

/** Checks beyond the schemas, of the valid part of every section, so that an issue elsewhere hides none. */
export function issuesOfSections(
  given: Readonly<Record<string, unknown>>,
  region: string | undefined,
  absent: PresentParts["absent"],
): SettingsIssue[] {
  const sections = sectionsOf(given, region, absent);
  const { cluster, dns, logging, collection, teams, hasCurlPods, kind } = sections;
  const ofLogging = loggingIssues(sections);
  // Invalid log collection is not watched.
  const watched = ofLogging.every(({ severity }) => severity === "warning") ? logging?.value : undefined;
  const newCluster =
    cluster?.value.kind === "eks" && !isWithout(cluster.without, ["nodeGroups"]) ? cluster.value : undefined;
  const hasAddon = kind !== "existing" && !adoptsDns(given.dns);
  // Checks that combine CoreDNS with the cluster say nothing if its settings are invalid.
  const isDnsKnown = dns !== undefined || absent.has("dns");
  return [
    ...(cluster === undefined ? [] : under("cluster", checkCluster(cluster.value, region), cluster)),
    ...dnsIssues(sections),
    ...ofLogging,
    ...teamIssues(sections),
    ...partIssues({ absent, cluster: cluster?.value, logging: collection?.value, teams, hasCurlPods, given }),
    ...(absent.has("dns") || hasAddon ? [] : unusedDnsSettings(given.dns)),
    ...(cluster !== undefined && isDnsKnown ? addressIssues(cluster, dns?.value.clusterDns) : []),
    ...(newCluster !== undefined && isDnsKnown
      ? placementIssues(newCluster, { dns: dns?.value, logging: logging?.value, hasCurlPods }, region)
      : []),
    ...monitoringIssues(sections, watched),
  ];
}

/** Where lines are sent. */
const DELIVERY = ["destination", "destinations", "routes"] as const;

/** The valid part of each section; undefined if there is none. */
function sectionsOf(
  given: Readonly<Record<string, unknown>>,
  region: string | undefined,
  absent: PresentParts["absent"],
) {
  const knownTeams = teamsPart(given.teams);
  const teams = knownTeams?.value ?? [];
  const kind: ClusterSettings["kind"] = eksKind(given.cluster) ?? "existing";
  // A cluster whose kind is not set yet may give pods an AWS identity.
  const assumedKind = isObject(given.cluster) && given.cluster.kind === undefined ? "eks" : kind;
  const logging = absent.has("logging") ? undefined : collectionPart(given.logging, [...DELIVERY, "sources"]);
  return {
    given,
    region,
    kind,
    assumedKind,
    cluster: validPart(ClusterSettings, given.cluster, { essential: ["kind"], divided: [["vpc"], ["addons"]] }),
    dns: absent.has("dns")
      ? undefined
      : validPart(DnsSettings, given.dns ?? {}, {
          essential: ["addonVersion", "clusterDns", "adopt"],
          divided: [["adopt"], ["corefile"], ["corefile", "options"], ["corefile", "options", "cache"]],
        }),
    logging,
    // Where lines come from, and what is done to them, does not depend on where they are sent.
    collection: absent.has("logging") ? undefined : (logging ?? collectionPart(withoutDelivery(given.logging), [])),
    knownTeams,
    teams,
    // An invalid team may have one.
    hasCurlPods: given.curlPods !== false && (knownTeams === undefined || teams.some(hasCurlPod)),
  };
}

type Sections = ReturnType<typeof sectionsOf>;

function collectionPart(given: unknown, delivery: readonly string[]): ValidPart<LoggingSettings> | undefined {
  return validPart(LoggingSettings, given ?? {}, {
    essential: ["collector", "mode", ...delivery],
    divided: [["processing"], ["index"], ["buffer"], ["namespaces"]],
  });
}

function withoutDelivery(given: unknown): unknown {
  if (!isObject(given)) return given;
  return Object.fromEntries(Object.entries(given).filter(([key]) => !DELIVERY.some((other) => other === key)));
}

/** The valid settings of each team; undefined if the name or the namespaces of one are invalid. */
function teamsPart(given: unknown = DEFAULT_TEAMS): ValidPart<TeamsSettings> | undefined {
  const whole = TeamsSettings.safeParse(given);
  if (whole.success) return { value: whole.data, without: [], issues: [] };
  if (!Array.isArray(given)) return undefined;
  const parts = given.map((team: unknown) => validPart(TeamSettings, team, { essential: ["name", "namespaces"] }));
  const valid = parts.filter((part) => part !== undefined);
  if (valid.length < parts.length) return undefined;
  return {
    value: valid.map(({ value }) => value),
    without: valid.flatMap(({ without }, index) => without.map((path) => [index, ...path])),
    issues: valid.flatMap(({ issues }, index) => issues.map((issue) => ({ ...issue, path: [index, ...issue.path] }))),
  };
}

function dnsIssues({ kind, cluster, dns }: Sections): SettingsIssue[] {
  if (dns === undefined) return [];
  const version = kind === "existing" ? undefined : kubernetesVersion(cluster);
  const addresses = cluster === undefined ? undefined : kubeDnsAddresses(cluster.value);
  return under("dns", checkDns(dns.value, version, kind !== "eks", addresses), dns);
}

function loggingIssues(sections: Sections): SettingsIssue[] {
  const { assumedKind, logging, collection, knownTeams } = sections;
  if (logging !== undefined)
    return under(
      "logging",
      checkLogging(logging.value, assumedKind, namedCluster(sections), knownTeams?.value),
      logging,
    );
  if (collection === undefined) return [];
  return under("logging", checkCollection(collection.value, knownTeams?.value), collection);
}

function teamIssues({ given, region, kind, cluster, dns, collection, knownTeams }: Sections): SettingsIssue[] {
  if (knownTeams === undefined) return [];
  const { value: teams } = knownTeams;
  const sidecar = collection?.value.mode === "sidecar" ? resourcesOf(collection.value) : undefined;
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
  return under("teams", issues, knownTeams);
}

function monitoringIssues(
  { given, region, kind, assumedKind, cluster, dns, teams }: Sections,
  watched: LoggingSettings | undefined,
): SettingsIssue[] {
  const monitoring = validPart(MonitoringSettings, given.monitoring ?? {}, {
    essential: ["kind"],
    divided: [["prometheus"], ["canary"]],
  });
  if (monitoring === undefined) return [];
  const parts = {
    dns: cluster !== undefined && !runsCoreDns(cluster.value, dns?.value) ? undefined : dns?.value,
    managesCoreDns: managesCoreDns(dns?.value, kind !== "existing"),
    logging: watched,
    teams,
  };
  const isOnAws = assumedKind !== "existing";
  return under("monitoring", checkMonitoring(monitoring.value, parts, isOnAws, region), monitoring);
}

/** Issues of a section: those of its schema that it hid, and those of the settings that were checked. */
function under(key: string, issues: readonly SettingsIssue[], part: ValidPart<unknown>): SettingsIssue[] {
  const checked = issues.filter(({ path }) => !isWithout(part.without, path));
  return [...part.issues, ...checked].map((issue) => ({ ...issue, path: [key, ...issue.path] }));
}

/** An EKS cluster's version; the default if its settings are invalid. */
function kubernetesVersion(cluster: Sections["cluster"]): string | undefined {
  const settings: z.infer<typeof ClusterSettings> = cluster?.value ?? ClusterSettings.parse({ kind: "eks" });
  if (settings.kind === "eks") return settings.version;
  if (settings.kind !== "eks-existing" || settings.compute === "auto") return undefined;
  return settings.kubernetesVersion ?? LOOKED_UP_VERSION;
}

/** Name and region of an EKS cluster; undefined if either is invalid. */
function namedCluster({ cluster, region }: Sections): NamedCluster | undefined {
  if (cluster === undefined || cluster.value.kind === "existing" || region === undefined) return undefined;
  return isWithout(cluster.without, ["name"]) ? undefined : { name: cluster.value.name, region };
}

/** Whether settings adopt a running CoreDNS, which on EKS takes the place of the add-on. */
function adoptsDns(dns: unknown): boolean {
  return isObject(dns) && dns.adopt !== undefined;
}

/** The kind of EKS cluster; undefined for another cluster. */
export function eksKind(cluster: unknown): "eks" | "eks-existing" | undefined {
  const kind = isObject(cluster) ? cluster.kind : undefined;
  return kind === "eks" || kind === "eks-existing" ? kind : undefined;
}
