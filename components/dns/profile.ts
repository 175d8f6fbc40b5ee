import { seconds } from "eks-dns-logging-corefile";
import { amount } from "../schema/values.ts";
import type { DnsIssue, DnsSettings } from "./settings.ts";

/** CoreDNS's default capacity, in answers of each kind. @see https://coredns.io/plugins/cache/ */
export const DEFAULT_CAPACITY = 9984;
/** The tuned cache: of 15,000 names queried in turn, 33 % (the minimum) go upstream, not 71 %. */
const TUNED_CAPACITY = 19_968;
const MAX_CAPACITY = 99_840;
/** Shards of the cache: a capacity is a multiple of this. */
const SHARDS = 256;
/** Measured: 1.22 KB per answer of a full cache. @see docs/measurements/dns.md */
const MB_PER_ANSWER = 0.00122;
/** Measured: 134 MB with 2,000 queries waiting, 54 idle. */
const MB_PER_WAITING_QUERY = 0.04;
/** Measured: 83 MB under load, 54 idle. */
const MB_UNDER_LOAD = 29;
/** The add-on's own limit, in MiB. */
const DEFAULT_MEMORY_LIMIT = 170;
const MEMORY_HEADROOM = 1.25;
const DEFAULT_REPLICAS = 2;
const CORES_PER_NODE = 4;
const NODES_PER_REPLICA = 16;
const CORES_PER_REPLICA = 256;
const MAX_REPLICAS = 1000;

export type ClusterSize = NonNullable<DnsSettings["clusterSize"]>;

/**
 * Memory in MB that CoreDNS needs for the cluster's names: (pods + services) / 1000 + 54; with autopath, which keeps every pod,
 * (…) / 250 + 56.
 * @see https://github.com/coredns/deployment/blob/master/kubernetes/Scaling_CoreDNS.md
 */
export function nameMemory({ pods, services }: Pick<ClusterSize, "pods" | "services">, autopath: boolean): number {
  return autopath ? (pods + services) / 250 + 56 : (pods + services) / 1000 + 54;
}

/**
 * Replicas that the add-on's autoscaler reaches: one per 16 nodes or 256 cores, at least 2.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/coredns-autoscaling.html
 */
export function expectedReplicas({ nodes, cores }: Pick<ClusterSize, "nodes" | "cores">): number {
  const needed = Math.max(nodes / NODES_PER_REPLICA, (cores ?? nodes * CORES_PER_NODE) / CORES_PER_REPLICA);
  return Math.min(MAX_REPLICAS, Math.max(DEFAULT_REPLICAS, Math.ceil(needed)));
}

/** Answers that the cache should hold: A and AAAA of each Service, and of one outside name per pod. */
export function cacheCapacity({ pods, services }: Pick<ClusterSize, "pods" | "services">): number {
  const wanted = Math.ceil((2 * (pods + services)) / SHARDS) * SHARDS;
  return Math.min(MAX_CAPACITY, Math.max(DEFAULT_CAPACITY, wanted));
}

/** Queries that may wait for upstreams at once: rate × delay; a lower limit refuses queries needlessly. */
export function maxConcurrent(load: { readonly queriesPerSecond: number; readonly delay: string }): number {
  return Math.max(1, Math.ceil(load.queriesPerSecond * (seconds(load.delay) ?? 0)));
}

/** A VPC resolver accepts 1,024 packets/s per network interface, and CoreDNS gives up after 2 s. */
const DEFAULT_UPSTREAM_LOAD = { queriesPerSecond: 1024, delay: "2s" } as const;

/** Memory of a CoreDNS pod by use, in MB, and the limit with a quarter of headroom, in MiB. */
export interface MemoryNeed {
  readonly names: number;
  readonly cache: number;
  readonly queries: number;
  readonly limit: number;
}

/** Memory that a CoreDNS pod needs for a cluster's size. */
export function memoryNeed(
  size: Pick<ClusterSize, "pods" | "services">,
  use: {
    readonly autopath: boolean;
    /** Capacities of the cache; undefined for CoreDNS's default. */
    readonly capacities: readonly (number | undefined)[];
    /** Most queries that wait for upstreams; undefined for no limit. */
    readonly waiting: number | undefined;
  },
): MemoryNeed {
  const names = nameMemory(size, use.autopath);
  const more = use.capacities.map((count) => Math.max(0, (count ?? DEFAULT_CAPACITY) - DEFAULT_CAPACITY));
  const cache = more.reduce((sum, count) => sum + count * MB_PER_ANSWER, 0);
  const queries = use.waiting === undefined ? MB_UNDER_LOAD : use.waiting * MB_PER_WAITING_QUERY;
  const needed = (names + cache + queries) * MEMORY_HEADROOM;
  return { names, cache, queries, limit: Math.max(DEFAULT_MEMORY_LIMIT, Math.ceil(needed / 10) * 10) };
}

/** One line of the profile, as the plan shows it. */
export interface ProfileRow {
  /** Path of the setting under `dns`. */
  readonly setting: string;
  /** The value, as text. */
  readonly value: string;
  /** The reason, with its figures. */
  readonly reason: string;
}

/** The settings, completed by profile and cluster size. */
export interface DnsProfile {
  readonly replicas: number | undefined;
  readonly autoscaling: { readonly minReplicas: number; readonly maxReplicas: number | undefined } | undefined;
  /** As a Kubernetes quantity, such as `170Mi`; undefined for the add-on's default. */
  readonly memoryLimit: string | undefined;
  /** Capacity in answers of each kind; undefined for CoreDNS's default, 9984. */
  readonly cache: { readonly success: number | undefined; readonly denial: number | undefined };
  readonly maxConcurrent: number | undefined;
  readonly autopath: boolean;
  /** Every choice with its reason. */
  readonly rows: readonly ProfileRow[];
}

const UNCHANGED = "not set: the CoreDNS of dns.adopt keeps its own";

type Choice<T> = { readonly value: T; readonly row: ProfileRow };

/** Completes the settings. Explicit values win, and their rows say so. */
export function dnsProfile(settings: DnsSettings): DnsProfile {
  const options = settings.corefile.options;
  const replacesCorefile = settings.corefile.text !== undefined;
  const autopath = !replacesCorefile && (options?.autopath ?? false);
  const scale = scaling(settings);
  const success = capacity(settings, "success");
  const denial = capacity(settings, "denial");
  const waiting = concurrency(settings);
  const memory = memoryLimit(settings, autopath, success.value, denial.value, waiting.value);
  return {
    replicas: scale.value.replicas,
    autoscaling: scale.value.autoscaling,
    memoryLimit: memory.value,
    cache: { success: success.value, denial: denial.value },
    maxConcurrent: waiting.value,
    autopath,
    rows: [
      scale.row,
      memory.row,
      ...(replacesCorefile ? [] : [success.row, denial.row, waiting.row, autopathRow(settings, autopath)]),
    ],
  };
}

function choice<T>(setting: string, value: T, shown: string, reason: string): Choice<T> {
  return { value, row: { setting, value: shown, reason } };
}

function scaling({
  replicas,
  autoscaling,
  clusterSize,
  adopt,
}: DnsSettings): Choice<Pick<DnsProfile, "replicas" | "autoscaling">> {
  if (autoscaling !== undefined) {
    const { minReplicas, maxReplicas } = autoscaling;
    const shown = `${minReplicas} to ${maxReplicas ?? "the add-on's own limit"}`;
    return choice("autoscaling", { replicas: undefined, autoscaling: { minReplicas, maxReplicas } }, shown, "set");
  }
  if (adopt !== undefined && replicas === undefined)
    return choice("replicas", { replicas: undefined, autoscaling: undefined }, "unchanged", UNCHANGED);
  if (replicas !== undefined || clusterSize === undefined) {
    const value = replicas ?? DEFAULT_REPLICAS;
    const reason = replicas === undefined ? "the add-on's default, since clusterSize is not set" : "set";
    return choice("replicas", { replicas: value, autoscaling: undefined }, String(value), reason);
  }
  const expected = expectedReplicas(clusterSize);
  const bounds = { minReplicas: DEFAULT_REPLICAS, maxReplicas: Math.min(MAX_REPLICAS, Math.max(4, 2 * expected)) };
  return choice(
    "autoscaling",
    { replicas: undefined, autoscaling: bounds },
    `${bounds.minReplicas} to ${bounds.maxReplicas}`,
    `the autoscaler reaches max(nodes / 16, cores / 256) = ${expected} at this size; twice that leaves room to grow`,
  );
}

function capacity(settings: DnsSettings, side: "success" | "denial"): Choice<number | undefined> {
  const { options, profile, text } = settings.corefile;
  const setting = `corefile.options.cache.${side}.capacity`;
  const set = text === undefined ? options?.cache?.[side]?.capacity : undefined;
  if (set !== undefined) return choice(setting, set, String(set), "set");
  const size = settings.clusterSize;
  const sized = text === undefined && size !== undefined ? cacheCapacity(size) : DEFAULT_CAPACITY;
  const tuned = text === undefined && profile === "tuned" && side === "success";
  if (tuned && sized <= TUNED_CAPACITY) {
    const reason = "measured with 15,000 names: 33 % go upstream (the minimum) instead of 71 %; up to 12 MB more";
    return choice(setting, TUNED_CAPACITY, String(TUNED_CAPACITY), reason);
  }
  if (sized > DEFAULT_CAPACITY) {
    return choice(
      setting,
      sized,
      String(sized),
      "2 × (pods + services): A and AAAA of each Service, and one name per pod",
    );
  }
  return choice(setting, undefined, String(DEFAULT_CAPACITY), "CoreDNS's default, enough for this size");
}

function concurrency({ corefile }: DnsSettings): Choice<number | undefined> {
  const setting = "corefile.options.forward.maxConcurrent";
  const set = corefile.options?.forward?.maxConcurrent;
  if (set !== undefined) return choice(setting, set, String(set), "set");
  if (corefile.text !== undefined || corefile.profile !== "tuned") {
    const reason = "the add-on's default: 2,000 waiting queries take 80 MB of the 170";
    return choice(setting, undefined, "no limit", reason);
  }
  const load = corefile.upstreamLoad ?? DEFAULT_UPSTREAM_LOAD;
  const value = maxConcurrent(load);
  return choice(setting, value, String(value), `rate × delay: ${load.queriesPerSecond} queries/s × ${load.delay}`);
}

function memoryLimit(
  settings: DnsSettings,
  autopath: boolean,
  success: number | undefined,
  denial: number | undefined,
  waiting: number | undefined,
): Choice<string | undefined> {
  const setting = "resources.limits.memory";
  const set = settings.resources?.limits?.memory;
  if (set !== undefined) return choice(setting, set, set, "set");
  const size = settings.clusterSize;
  if (size === undefined && settings.adopt !== undefined) return choice(setting, undefined, "unchanged", UNCHANGED);
  if (size === undefined) {
    return choice(
      setting,
      undefined,
      `${DEFAULT_MEMORY_LIMIT}Mi`,
      "the add-on's default, since clusterSize is not set",
    );
  }
  const need = memoryNeed(size, { autopath, capacities: [success, denial], waiting });
  const formula = autopath ? "(pods + services) / 250 + 56" : "(pods + services) / 1000 + 54";
  const value = `${need.limit}Mi`;
  const parts = `${formula} = ${mb(need.names)}, cache ${mb(need.cache)}, queries ${mb(need.queries)}`;
  const reason = `${parts}, plus a quarter; at least the add-on's 170`;
  return choice(setting, value, value, reason);
}

function mb(value: number): string {
  return `${Math.round(value)} MB`;
}

function autopathRow({ clusterSize }: DnsSettings, autopath: boolean): ProfileRow {
  const gain = "an outside name needs 2 queries instead of 8";
  const cost =
    clusterSize === undefined
      ? "all pods are watched and kept in memory"
      : `all pods are watched, ${mb(nameMemory(clusterSize, true) - nameMemory(clusterSize, false))} more in each CoreDNS pod`;
  return {
    setting: "corefile.options.autopath",
    value: autopath ? "on" : "off",
    reason: `with it ${gain}, and ${cost}`,
  };
}

/**
 * Warns of a set memory limit that CoreDNS exceeds, and of a set cache that exceeds the limit once full. A limit from clusterSize includes
 * the cache.
 * @param isAddon Whether CoreDNS is the add-on, which has a default limit.
 */
export function cacheMemoryIssues(settings: DnsSettings, isAddon: boolean): DnsIssue[] {
  const { cache: options } = settings.corefile.options ?? {};
  const { memoryLimit, cache, autopath, maxConcurrent } = dnsProfile(settings);
  const limit = memoryLimit ?? (isAddon ? `${DEFAULT_MEMORY_LIMIT}Mi` : undefined);
  const isSet = options?.success?.capacity !== undefined || options?.denial?.capacity !== undefined;
  if (limit === undefined || (!isSet && settings.resources?.limits?.memory === undefined)) return [];
  const size = settings.clusterSize ?? { pods: 0, services: 0 };
  const need = memoryNeed(size, { autopath, capacities: [cache.success, cache.denial], waiting: maxConcurrent });
  const megabytes = Math.round(need.names + need.cache + need.queries);
  if (megabytes * 1e6 <= amount(limit)) return [];
  if (!isSet) {
    const [names, kept, queries] = [need.names, need.cache, need.queries].map(Math.round);
    const parts = `${names} for names, ${kept} for a larger cache, ${queries} for queries`;
    const message = `is less than the ${megabytes} MB that CoreDNS needs with these settings: ${parts}`;
    return [{ path: ["resources", "limits", "memory"], message, value: limit, severity: "warning" }];
  }
  const message = `takes ${Math.round(need.cache)} of the ${megabytes} MB that CoreDNS then needs, above resources.limits.memory of ${limit}: raise that, or lower the capacity`;
  return [{ path: ["corefile", "options", "cache"], message, severity: "warning" }];
}

/** Warns of a load from which nothing is sized. */
export function idleLoadIssues({ corefile: { upstreamLoad, options } }: DnsSettings): DnsIssue[] {
  if (upstreamLoad === undefined || options?.forward?.maxConcurrent === undefined) return [];
  const message = "has no effect with options.forward.maxConcurrent, which takes the place of the value sized from it";
  return [{ path: ["corefile", "upstreamLoad"], message, severity: "warning" }];
}
