import { amount } from "../schema/values.ts";
import { answersOutside } from "./node-local-rendering.ts";
import { DEFAULT_MEMORY_LIMIT, dnsProfile, memoryNeed } from "./profile.ts";
import type { DnsIssue, DnsSettings } from "./settings.ts";

/**
 * Warns of a cache that exceeds the memory limit once full. A limit from clusterSize includes the cache.
 * @param isAddon Whether CoreDNS is the add-on, which has a default limit.
 */
export function cacheMemoryIssues(settings: DnsSettings, isAddon: boolean): DnsIssue[] {
  const { cache: options } = settings.corefile.options ?? {};
  const { memoryLimit, cache, autopath, maxConcurrent } = dnsProfile(settings);
  const limit = memoryLimit ?? (isAddon ? `${DEFAULT_MEMORY_LIMIT}Mi` : undefined);
  const isSet = options?.success?.capacity !== undefined || options?.denial?.capacity !== undefined;
  if (limit === undefined || !isSet) return [];
  const size = settings.clusterSize ?? { pods: 0, services: 0 };
  const need = memoryNeed(size, { autopath, capacities: [cache.success, cache.denial], waiting: maxConcurrent });
  const megabytes = Math.round(need.names + need.cache + need.queries);
  if (megabytes * 1e6 <= amount(limit)) return [];
  const message = `takes ${Math.round(need.cache)} of the ${megabytes} MB that CoreDNS then needs, above resources.limits.memory of ${limit}: raise that, or lower the capacity`;
  return [{ path: ["corefile", "options", "cache"], message, severity: "warning" }];
}

const PASSED_BY =
  "has no effect on outside names, which nodeLocalCache sends to the node's own resolvers: set corefile.options.upstreams, and they go through CoreDNS";

/** Warns of settings for outside names that have no effect, since the node's cache does not send those to CoreDNS. */
export function passedByIssues(settings: DnsSettings): DnsIssue[] {
  const { nodeLocalCache, corefile } = settings;
  if (nodeLocalCache === undefined || answersOutside(settings)) return [];
  const { cache, forward, log, clusterDomain = "cluster.local" } = corefile.options ?? {};
  const outside = log?.zones?.filter((zone) => !`.${zone}`.toLowerCase().endsWith(`.${clusterDomain}`)) ?? ["."];
  const paths = [
    ...(corefile.profile === "tuned" ? [["profile"]] : []),
    ...(cache === undefined ? [] : [["options", "cache"]]),
    ...(forward === undefined ? [] : [["options", "forward"]]),
    ...(log === undefined || outside.length === 0 ? [] : [["options", "log"]]),
  ];
  return paths.map((path) => ({ path: ["corefile", ...path], message: PASSED_BY, severity: "warning" }));
}
