import { seconds } from "eks-dns-logging-corefile";
import type { DnsSettings } from "./settings.ts";

/** What CoreDNS keeps without being told, in answers of each kind. @see https://coredns.io/plugins/cache/ */
export const DEFAULT_CAPACITY = 9984;
/** The tuned cache: 15,000 names asked in turn then go upstream as seldom as can be, 33 % and not 71 %. */
export const TUNED_CAPACITY = 19_968;
const MAX_CAPACITY = 99_840;
/** The cache's shards: a capacity is a multiple of this. */
const SHARDS = 256;
/** Measured: 10,000 more answers took 4 MB. */
const MB_PER_ANSWER = 0.0004;
/** Measured: 134 MB with 2,000 queries waiting, 54 idle. */
const MB_PER_WAITING_QUERY = 0.04;
/** Measured: 83 MB under load, 54 idle. */
const MB_UNDER_LOAD = 29;
/** The add-on's own limit, in MiB. */
export const DEFAULT_MEMORY_LIMIT = 170;
const MEMORY_HEADROOM = 1.25;
export const DEFAULT_REPLICAS = 2;
const CORES_PER_NODE = 4;
const NODES_PER_REPLICA = 16;
const CORES_PER_REPLICA = 256;
export const MAX_REPLICAS = 1000;

export type ClusterSize = NonNullable<DnsSettings["clusterSize"]>;

/**
 * Memory that CoreDNS needs for the cluster's names, in MB: (pods + services) / 1000 + 54, and with autopath, which keeps every
 * pod, / 250 + 56.
 * @see https://github.com/coredns/deployment/blob/master/kubernetes/Scaling_CoreDNS.md
 */
export function nameMemory({ pods, services }: Pick<ClusterSize, "pods" | "services">, autopath: boolean): number {
  return autopath ? (pods + services) / 250 + 56 : (pods + services) / 1000 + 54;
}

/**
 * Replicas that the add-on's autoscaler reaches: one for 16 nodes or 256 cores, at least 2.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/coredns-autoscaling.html
 */
export function expectedReplicas({ nodes, cores }: Pick<ClusterSize, "nodes" | "cores">): number {
  const needed = Math.max(nodes / NODES_PER_REPLICA, (cores ?? nodes * CORES_PER_NODE) / CORES_PER_REPLICA);
  return Math.min(MAX_REPLICAS, Math.max(DEFAULT_REPLICAS, Math.ceil(needed)));
}

/** Answers that the cache should hold: each Service, and one name outside for each pod, as A and as AAAA. */
export function cacheCapacity({ pods, services }: Pick<ClusterSize, "pods" | "services">): number {
  const wanted = Math.ceil((2 * (pods + services)) / SHARDS) * SHARDS;
  return Math.min(MAX_CAPACITY, Math.max(DEFAULT_CAPACITY, wanted));
}

/** Queries that may wait for upstreams at a time: rate × delay, since at a lower bound some are refused without need. */
export function maxConcurrent(load: { readonly queriesPerSecond: number; readonly delay: string }): number {
  return Math.max(1, Math.ceil(load.queriesPerSecond * (seconds(load.delay) ?? 0)));
}

/** A VPC resolver takes 1,024 packets a second from a network interface, and CoreDNS gives up after 2 s. */
export const DEFAULT_UPSTREAM_LOAD = { queriesPerSecond: 1024, delay: "2s" } as const;

/** Memory of a CoreDNS pod by what takes it, in MB, and the limit that leaves a quarter above, in MiB. */
export interface MemoryNeed {
  readonly names: number;
  readonly cache: number;
  readonly queries: number;
  readonly limit: number;
}

/**
 * Memory for a cluster's size. `capacities` are those of the cache where they are not CoreDNS's own; `waiting` is the bound of
 * queries that wait for upstreams, where there is one.
 */
export function memoryNeed(
  size: Pick<ClusterSize, "pods" | "services">,
  use: {
    readonly autopath: boolean;
    readonly capacities: readonly (number | undefined)[];
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
