import type { DnsSettings } from "../settings.ts";

/** Where a pod asks for names, in place of what its node's kubelet would write into its resolv.conf. */
export interface PodDns {
  /** Servers, in the order in which they are asked. */
  readonly nameservers: readonly string[];
  /** The cluster's domain, which the search list ends in. */
  readonly clusterDomain: string;
}

/**
 * Where this stack's own pods ask: in kubelet mode the node's cache, which no kubelet names until its owner says so; undefined
 * where the kubelet's answer is right, which in iptables mode leads to the cache too.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export function podDns({ nodeLocalCache: cache, corefile }: DnsSettings): PodDns | undefined {
  if (cache?.mode !== "kubelet") return undefined;
  return { nameservers: [cache.address], clusterDomain: corefile.options?.clusterDomain ?? "cluster.local" };
}
