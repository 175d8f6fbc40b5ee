import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import type { ClusterSettings } from "../cluster/settings.ts";
import type { ApplicationPod } from "../kubernetes/container.ts";
import type { TeamNamespaces } from "../kubernetes/labels.ts";
import { oneOf, type SettingsIssue } from "../schema/errors.ts";
import { Bytes, isMore } from "../schema/values.ts";
import { carrierIssues, carriersOf, pipelineOf } from "./carriers.ts";
import { type Collector, destinationsOf } from "./collectors/collector.ts";
import { COLLECTORS } from "./collectors/index.ts";
import { awsIssues, keyPrefixWarnings, policyIssues, teamIssues } from "./destinations/aws/aws-issues.ts";
import { awsIdentitySetting, Destination, NamedDestination } from "./destinations/destination-settings.ts";
import { mskIssues } from "./destinations/kafka-settings.ts";
import { amazonIssues } from "./destinations/search/search-settings.ts";
import { transportIssues } from "./destinations/transport.ts";
import { isReservedByElasticsearch, RESERVED_PATTERNS, sharedTimes } from "./indexing/index-format.ts";
import { type DestinationContext, DROPS_NEWEST, hasIndex, logPipeline, NODE } from "./pipeline.ts";
import { type NamedCluster, overlapIssues } from "./routing/overlaps.ts";
import { type Target, targetsOf } from "./routing/routes.ts";
import { processingIssues, routeIssues } from "./routing/rule-issues.ts";
import { LoggingSettings } from "./settings.ts";
import { awsSourceIssues, sourceIssues, sourceNameIssues } from "./sources/source-issues.ts";
import { sidecarIssues } from "./workloads/sidecar.ts";

/**
 * Checks beyond the schema: settings that the collector does not support, destinations that cannot work on this cluster, and, if there is
 * no error, a warning for each setting without effect. Paths are below `logging`.
 * @param cluster This stack's EKS cluster, whose name is part of bucket names. Default: unknown.
 * @param teams This stack's teams, which routes name. Default: unknown.
 */
export function checkLogging(
  settings: LoggingSettings,
  clusterKind: ClusterSettings["kind"],
  cluster?: NamedCluster,
  teams?: readonly TeamNamespaces[],
): SettingsIssue[] {
  const collector = COLLECTORS[settings.collector];
  const issues: SettingsIssue[] = [
    ...(clusterKind === "existing" ? identityIssues(settings, collector) : []),
    ...checkPipeline(settings, teams, cluster),
    ...targetsOf(settings).flatMap((target) => clusterIssues(target, clusterKind, cluster)),
  ];
  if (issues.some(({ severity }) => severity !== "warning")) return issues;
  return [...issues, ...keyPrefixWarnings(targetsOf(settings)), ...settingsWithoutEffect(settings, collector)];
}

/**
 * Checks that the collector supports the settings. Paths are below `logging`.
 * @param cluster Default: unknown; it is only used for names.
 */
export function checkPipeline(
  settings: LoggingSettings,
  teams?: readonly TeamNamespaces[],
  cluster?: NamedCluster,
): SettingsIssue[] {
  const collector = COLLECTORS[settings.collector];
  const targets = targetsOf(settings, teams);
  const issues = [
    ...checkCollection(settings, teams),
    ...routeIssues(settings, collector, teams),
    ...overlapIssues(targets, cluster),
    ...awsSourceIssues(targets),
    ...policyIssues(targets, collector, cluster),
    ...targets.flatMap((target) => targetIssues(target, collector, teams)),
    ...sidecarIssues(settings),
    ...carrierIssues(settings, teams),
  ];
  return [...issues, ...dropNewestIssues(settings, collector, issues)];
}

/** Checks only where lines come from and what is done to them, if where they are sent is unknown. Paths are below `logging`. */
export function checkCollection(settings: LoggingSettings, teams?: readonly TeamNamespaces[]): SettingsIssue[] {
  const collector = COLLECTORS[settings.collector];
  return [
    ...modeIssues(settings, collector),
    ...processingIssues(settings, collector, teams),
    ...sourceIssues(settings, collector),
    ...namespaceIssues(settings),
    ...memoryIssues(resourcesOf(settings)),
  ];
}

function modeIssues({ mode }: LoggingSettings, { modes, title }: Collector): SettingsIssue[] {
  if (modes.includes(mode)) return [];
  return [{ path: ["mode"], message: `must be ${modes.join(" or ")} with ${title}`, value: mode }];
}

function memoryIssues({ memory, memoryLimit }: Collector["resources"]): SettingsIssue[] {
  if (!isMore(Bytes, memory, memoryLimit)) return [];
  const message = `memory (${memory}) must not exceed memoryLimit (${memoryLimit}), or Kubernetes refuses the pod`;
  return [{ path: ["resources"], message }];
}

/** Resources of a collector's pods. */
export function resourcesOf({ collector, resources }: LoggingSettings): Collector["resources"] {
  return { ...COLLECTORS[collector].resources, ...resources };
}

/** Destinations that need an AWS identity, which pods have on EKS only. */
function identityIssues(settings: LoggingSettings, collector: Collector): SettingsIssue[] {
  return targetsOf(settings).flatMap(({ destination, path }) => {
    const setting = awsIdentitySetting(destination);
    if (setting === undefined) return [];
    const { key, value } = setting;
    const others = destinationsOf(collector).filter((kind) => awsIdentitySetting({ kind }) === undefined);
    const requirement = key === "kind" && others.length > 0 ? `must be ${oneOf(others)}` : "must not be set";
    const message = `${requirement}, since only cluster.kind eks and eks-existing give pods an AWS identity`;
    return [{ path: [...path, key], message, value }];
  });
}

/** Issues of one destination: its teams, index names, endpoint and transport. */
function targetIssues(
  target: Target,
  collector: Collector,
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const { destination, index, path, indexPath } = target;
  const issues = teamIssues(target, collector, teams);
  if (destination.kind === "elasticsearch" && isReservedByElasticsearch(index)) {
    const message = `prefix and separator must not form a name that Elasticsearch reserves (${RESERVED_PATTERNS})`;
    issues.push({ path: indexPath, message });
  }
  const shared = hasIndex(destination) ? sharedTimes(index) : undefined;
  if (shared !== undefined) {
    const datePath = [...indexPath, "datePattern"];
    issues.push({ path: datePath, message: shared, value: index.datePattern, severity: "warning" });
  }
  issues.push(...sourceNameIssues(target, teams));
  const belowDestination = [
    ...amazonIssues(destination),
    ...(destination.kind === "kafka" ? mskIssues(destination) : []),
    ...transportIssues(destination, collector.id),
  ];
  return [...issues, ...belowDestination.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))];
}

/** Rejects drop-newest for a collector that cannot, unless `buffer.whenFull` has an issue already. @param others Issues found so far. */
function dropNewestIssues(
  { buffer: { whenFull } }: LoggingSettings,
  { id, title }: Collector,
  others: readonly SettingsIssue[],
): SettingsIssue[] {
  const path = ["buffer", "whenFull"];
  if (whenFull !== "drop-newest" || DROPS_NEWEST.has(id) || others.some((issue) => isDeepStrictEqual(issue.path, path)))
    return [];
  const message = `must be drop-oldest or block with ${title}, which never drops the newest lines`;
  return [{ path, message, value: whenFull }];
}

/** What this stack's cluster lacks for a destination. */
function clusterIssues(
  target: Target,
  clusterKind: ClusterSettings["kind"],
  cluster: NamedCluster | undefined,
): SettingsIssue[] {
  const { destination, path } = target;
  if (clusterKind === "existing") return [];
  if (
    clusterKind === "eks" &&
    destination.kind === "opensearch" &&
    destination.storage !== undefined &&
    destination.storageClass === undefined
  ) {
    const message =
      "storage requires storageClass on cluster.kind eks, which has neither the EBS CSI driver nor a default StorageClass: install both and name the class";
    return [{ path, message }];
  }
  return cluster === undefined ? [] : awsIssues(target, cluster);
}

/** Included namespaces that would silently not be read: the collector's own, and those that are also excluded; and others to exclude. */
function namespaceIssues({ mode, namespace, namespaces: { include, exclude } }: LoggingSettings): SettingsIssue[] {
  // Mode sidecar refuses both.
  const others = mode === "sidecar" ? [] : exclude.filter((name) => !include.includes(name));
  const message = "has no effect with include, since only its namespaces are read";
  const path = ["namespaces", "exclude"];
  const unused: SettingsIssue[] =
    include.length > 0 && others.length > 0 ? [{ path, message, value: others, severity: "warning" }] : [];
  const unread = include.flatMap((name, index): SettingsIssue[] => {
    const path = ["namespaces", "include", index];
    if (name === namespace)
      return [{ path, message: "must not be the collector's own namespace, which is never read", value: name }];
    if (exclude.includes(name)) return [{ path, message: "must not be in exclude as well", value: name }];
    return [];
  });
  return [...unused, ...unread];
}

/** A setting with a value other than its default, and the settings with the default (or another value) instead. */
interface Choice {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly byDefault: LoggingSettings;
}

/** Stands in for the cluster, since only the difference between two renderings counts. */
const CONTEXT: DestinationContext = {
  cluster: "dev",
  region: "eu-central-1",
  teams: [{ name: "ts" }],
};
/** A pod with all properties, so that every setting that may have an effect does. */
const POD: ApplicationPod = {
  namespace: "ts-team",
  pod: "curl-ts",
  container: "responder",
  team: "ts",
  app: "curl-ts",
};
const DEFAULTS = LoggingSettings.parse({});
const INDEX_KEYS = ["prefix", "separator", "datePattern", "timeZone", "splitBy"] as const;
/** Destination options that only a collector's configuration reflects. */
const DESTINATION_KEYS = ["path", "prefix", "tenant", "tls", "verify", "mechanism"] as const;

/**
 * A warning for each setting without effect: the collector's configuration is the same with the setting's default. Requires valid settings.
 * Paths are below `logging`.
 */
function settingsWithoutEffect(settings: LoggingSettings, collector: Collector): SettingsIssue[] {
  const source = settings.mode === "daemonset" ? NODE : { kind: "application" as const, pod: POD };
  const rendered = (variant: LoggingSettings) =>
    carriersOf(variant).map((carrier) => carrier.collector.render(pipelineOf(carrier, CONTEXT, source)));
  const { mode } = settings;
  const targets = targetsOf(settings);
  const kinds = targets.map(({ destination }) => destination.kind).join(", ");
  const { title } = collector;
  const chosen = [...choices(settings), ...otherWhenFull(settings, collector)];
  const current = chosen.length > 0 ? rendered(settings) : undefined;
  return chosen.flatMap(({ path, value, byDefault }): SettingsIssue[] => {
    if (!isDeepStrictEqual(current, rendered(byDefault))) return [];
    const its = path[0] === "destinations" ? targets.find(({ name }) => name === path[1]) : undefined;
    const message =
      path[0] === "index" && !targets.some(({ destination }) => hasIndex(destination))
        ? `has no effect with destination ${kinds}, which has no indices`
        : `has no effect with collector ${title}, mode ${mode} and destination ${its?.destination.kind ?? kinds}`;
    return [{ path, message, value, severity: "warning" }];
  });
}

/**
 * The choice of `buffer.whenFull`, compared with the other value, since its default may be either. None if the collector rejects the other:
 * then it always does this.
 */
function otherWhenFull(settings: LoggingSettings, collector: Collector): Choice[] {
  const { buffer } = settings;
  if (buffer.whenFull === undefined) return [];
  const whenFull = buffer.whenFull === "block" ? ("drop-oldest" as const) : ("block" as const);
  const other = { ...settings, buffer: { ...buffer, whenFull } };
  const isRefused = collector.unsupported(logPipeline(other, CONTEXT)).some(({ path }) => path[1] === "whenFull");
  return isRefused ? [] : [{ path: ["buffer", "whenFull"], value: buffer.whenFull, byDefault: other }];
}

/** The settings whose values differ from their defaults, among those that a collector may ignore. */
function choices(settings: LoggingSettings): Choice[] {
  const { index, namespaces, metadata, buffer, destination, destinations } = settings;
  const differing: Choice[] = [];
  const add = (path: readonly string[], value: unknown, standard: unknown, changed: Partial<LoggingSettings>) => {
    if (!isSame(value, standard)) differing.push({ path, value, byDefault: { ...settings, ...changed } });
  };
  for (const key of INDEX_KEYS) {
    const standard = DEFAULTS.index[key];
    add(["index", key], index[key], standard, { index: { ...index, [key]: standard } });
  }
  for (const key of ["include", "exclude"] as const)
    add(["namespaces", key], namespaces[key], [], { namespaces: { ...namespaces, [key]: [] } });
  for (const key of ["labels", "multiline", "parseJson"] as const)
    add([key], settings[key], DEFAULTS[key], { [key]: DEFAULTS[key] });
  for (const key of ["labels", "annotations"] as const) {
    const standard = DEFAULTS.metadata[key];
    add(["metadata", key], metadata[key], standard, { metadata: { ...metadata, [key]: standard } });
  }
  const { size } = DEFAULTS.buffer;
  add(["buffer", "size"], buffer.size, size, { buffer: { ...buffer, size } });
  const named = Object.entries(destinations ?? {}).flatMap(([name, one]) =>
    destinationChoices(["destinations", name], one, NamedDestination, (rest) => ({
      ...settings,
      destinations: { ...destinations, [name]: rest },
    })),
  );
  const only = destinationChoices(["destination"], destination, Destination, (rest) => ({
    ...settings,
    destination: rest,
  }));
  return [...differing, ...only, ...named];
}

/** The options of a destination that differ from their defaults. @param replaced The settings with another destination instead of it. */
function destinationChoices<T extends Readonly<Record<string, unknown>>>(
  path: readonly string[],
  destination: T | undefined,
  schema: z.ZodType<T>,
  replaced: (rest: T) => LoggingSettings,
): Choice[] {
  return DESTINATION_KEYS.flatMap((key): Choice[] => {
    const { [key]: value, ...others }: Readonly<Record<string, unknown>> = destination ?? {};
    const rest = schema.safeParse(key === "tls" ? { ...others, tls: true } : others).data;
    if (value === undefined || rest === undefined || isSame(destination, rest)) return [];
    return [{ path: [...path, key], value, byDefault: replaced(rest) }];
  });
}

/** Whether two values are equivalent; the order of lists is ignored. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return isDeepStrictEqual([...one].sort(), [...other].sort());
  return isDeepStrictEqual(one, other);
}
