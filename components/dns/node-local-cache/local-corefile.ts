import { type Corefile, type Plugin, renderCorefile, type Server } from "eks-dns-logging-corefile";
import type { DnsSettings } from "../settings.ts";
import type { NodeLocalCacheSettings } from "./settings.ts";

/** Port of the cache's metrics, on every node. */
export const METRICS_PORT = 9253;
/** Port of the cache's health answer, on its own address only. */
export const HEALTH_PORT = 8080;

/**
 * Words that the program node-cache fills in when it starts: the address of the Service `kube-dns-upstream`, and the node's own
 * resolvers.
 * @see https://github.com/kubernetes/dns/blob/master/cmd/node-cache/app/configmap.go
 */
const CLUSTER_DNS = "__PILLAR__CLUSTER__DNS__";
const NODE_RESOLVERS = "__PILLAR__UPSTREAM__SERVERS__";

/** Addresses that the cache answers on: its own, and in iptables mode that of kube-dns, so that no pod changes. */
export function cacheAddresses(
  cache: Pick<NodeLocalCacheSettings, "mode" | "address">,
  clusterDns: readonly string[] | undefined,
): readonly string[] {
  return cache.mode === "iptables" ? [cache.address, ...(clusterDns ?? [])] : [cache.address];
}

/**
 * The cache's Corefile: the cluster's names over TCP from CoreDNS, which no lost UDP packet delays; names outside from the node's
 * own resolvers, or from CoreDNS too where its Corefile treats some of them in another way.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export function nodeLocalCorefile(settings: DnsSettings, cache: NodeLocalCacheSettings): string {
  const addresses = cacheAddresses(cache, settings.clusterDns);
  const domain = settings.corefile.options?.clusterDomain ?? "cluster.local";
  const health: Plugin = { plugin: "health", address: `${bracketed(cache.address)}:${HEALTH_PORT}` };
  const denial = { plugin: "cache", success: { capacity: 9984, ttl: 30 }, denial: { capacity: 9984, ttl: 5 } } as const;
  const corefile: Corefile = {
    imports: [],
    servers: [
      server(domain, addresses, [denial, toCluster(), health]),
      server("in-addr.arpa", addresses, [{ plugin: "cache", ttl: 30 }, toCluster()]),
      server("ip6.arpa", addresses, [{ plugin: "cache", ttl: 30 }, toCluster()]),
      server(".", addresses, [
        { plugin: "cache", ttl: 30 },
        asksClusterForAll(settings) ? toCluster() : toNodeResolvers(),
      ]),
    ],
  };
  return renderCorefile(corefile);
}

/** Whether CoreDNS answers some names outside otherwise than the node's resolvers would. */
function asksClusterForAll({ corefile }: DnsSettings): boolean {
  const { stubDomains, hosts, rewrite, upstreams } = corefile.options ?? {};
  return [corefile.text, stubDomains, hosts, rewrite, upstreams].some((choice) => choice !== undefined);
}

function server(zone: string, addresses: readonly string[], plugins: readonly Plugin[]): Server {
  return {
    zones: [`${zone}:53`],
    plugins: [
      { plugin: "errors" },
      { plugin: "reload" },
      { plugin: "loop" },
      { plugin: "bind", addresses },
      { plugin: "prometheus", address: `:${METRICS_PORT}` },
      ...plugins,
    ],
  };
}

function toCluster(): Plugin {
  return { plugin: "forward", from: ".", upstreams: [CLUSTER_DNS], forceTcp: true };
}

function toNodeResolvers(): Plugin {
  return { plugin: "forward", from: ".", upstreams: [NODE_RESOLVERS] };
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
