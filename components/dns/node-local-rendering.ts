import { createHash } from "node:crypto";
import type * as k8s from "@pulumi/kubernetes";
import { CLUSTER_DOMAIN, type Corefile, type Plugin, renderCorefile, type Server } from "eks-dns-logging-corefile";
import { daemonNodes } from "../kubernetes/daemon-nodes.ts";
import { urlHost } from "../kubernetes/ip-family.ts";
import { clusterDomainOf } from "./resolver.ts";
import type { DnsSettings, NodeLocalCacheSettings } from "./settings.ts";

/** Name of all of the cache's objects; the same as in Kubernetes' manifest, so that people find them. */
export const NAME = "node-local-dns";
/** Service through which the cache reaches CoreDNS: kube-dns's address leads to the cache itself. */
export const UPSTREAM_SERVICE = "kube-dns-upstream";
export const NAMESPACE = "kube-system";

/** Port of the cache's metrics, on every node. */
export const METRICS_PORT = 9253;
/** Port of the health check, on the cache's own address only. */
const HEALTH_PORT = 8080;

/**
 * Placeholders that node-cache fills in when it starts: the address of the Service `kube-dns-upstream`, and the node's resolvers.
 * @see https://github.com/kubernetes/dns/blob/master/cmd/node-cache/app/configmap.go
 */
const CLUSTER_DNS = "__PILLAR__CLUSTER__DNS__";
const NODE_RESOLVERS = "__PILLAR__UPSTREAM__SERVERS__";

/** Inputs of the cache's Corefile. */
interface CacheOptions extends NodeLocalCacheSettings {
  /** Addresses of the Service kube-dns; in iptables mode it answers on them too. */
  readonly clusterDns: readonly string[] | undefined;
  /** Domain of the cluster's names. Default cluster.local. */
  readonly clusterDomain: string | undefined;
  /** Whether CoreDNS answers some outside names differently than the node's resolvers. */
  readonly forwardToCoreDns: boolean;
}

/** Addresses that the cache answers on: its own, and in iptables mode also kube-dns's, so that pods need no change. */
export function cacheAddresses(
  cache: Pick<NodeLocalCacheSettings, "mode" | "address">,
  clusterDns: readonly string[] | undefined,
): readonly string[] {
  return cache.mode === "iptables" ? [cache.address, ...(clusterDns ?? [])] : [cache.address];
}

/**
 * The cache's Corefile. Cluster names go to CoreDNS over TCP, so that lost UDP packets cause no delay; outside names go to the node's
 * resolvers, or to CoreDNS if its Corefile treats some differently.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export function nodeLocalCorefile(cache: CacheOptions): string {
  const addresses = cacheAddresses(cache, cache.clusterDns);
  const health: Plugin = { plugin: "health", address: `${urlHost(cache.address)}:${HEALTH_PORT}` };
  const denial = { plugin: "cache", success: { capacity: 9984, ttl: 30 }, denial: { capacity: 9984, ttl: 5 } } as const;
  const corefile: Corefile = {
    imports: [],
    servers: [
      server(cache.clusterDomain ?? CLUSTER_DOMAIN, addresses, [denial, toCluster(), health]),
      server("in-addr.arpa", addresses, [{ plugin: "cache", ttl: 30 }, toCluster()]),
      server("ip6.arpa", addresses, [{ plugin: "cache", ttl: 30 }, toCluster()]),
      server(".", addresses, [{ plugin: "cache", ttl: 30 }, cache.forwardToCoreDns ? toCluster() : toNodeResolvers()]),
    ],
  };
  return renderCorefile(corefile);
}

/** Options of a cache in front of a CoreDNS with these settings. */
export function cacheOptions(settings: DnsSettings, cache: NodeLocalCacheSettings): CacheOptions {
  const { clusterDns } = settings;
  const clusterDomain = clusterDomainOf(settings);
  return { ...cache, clusterDns, clusterDomain, forwardToCoreDns: answersOutside(settings) };
}

/** Whether CoreDNS answers some outside names differently than the node's resolvers, so that the cache sends it all. */
export function answersOutside({ corefile }: Pick<DnsSettings, "corefile">): boolean {
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

const SELECTOR = { "k8s-app": NAME };

/** Inputs of the DaemonSet. */
export interface CacheDaemon {
  readonly image: string;
  /** Addresses to answer on, its own first. */
  readonly addresses: readonly string[];
  /** The rendered Corefile; the pods restart when its hash changes. */
  readonly corefile: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** DNS ports of a Service, both with CoreDNS's port as target. */
export function dnsPorts(targetPort: number) {
  return [
    { name: "dns", port: 53, protocol: "UDP", targetPort },
    { name: "dns-tcp", port: 53, protocol: "TCP", targetPort },
  ];
}

/**
 * Spec of the DaemonSet, based on Kubernetes' manifest.
 * @see https://github.com/kubernetes/kubernetes/blob/master/cluster/addons/dns/nodelocaldns/nodelocaldns.yaml
 */
export function daemonSetSpec(daemon: CacheDaemon): k8s.types.input.apps.v1.DaemonSetSpec {
  return {
    selector: { matchLabels: SELECTOR },
    // In iptables mode, a node has no DNS for the seconds that its cache restarts.
    updateStrategy: { rollingUpdate: { maxUnavailable: "10%" } },
    template: {
      metadata: {
        labels: { ...daemon.labels, ...SELECTOR },
        annotations: {
          "checksum/corefile": createHash("sha256").update(daemon.corefile).digest("hex"),
          "prometheus.io/port": String(METRICS_PORT),
          "prometheus.io/scrape": "true",
        },
      },
      spec: {
        priorityClassName: "system-node-critical",
        serviceAccountName: NAME,
        automountServiceAccountToken: false,
        hostNetwork: true,
        // The node's resolvers: the cluster's DNS would be the cache itself.
        dnsPolicy: "Default",
        // It removes its interface and iptables rules on exit; if killed before, the node has no DNS.
        terminationGracePeriodSeconds: 30,
        ...daemonNodes(),
        tolerations: [
          { key: "CriticalAddonsOnly", operator: "Exists" },
          { effect: "NoExecute", operator: "Exists" },
          { effect: "NoSchedule", operator: "Exists" },
        ],
        containers: [container(daemon)],
        volumes: [
          { name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } },
          { name: "config", configMap: { name: NAME, items: [{ key: "Corefile", path: "Corefile.base" }] } },
          // Rarely exists, but node-cache writes its Corefile only if it can watch this folder.
          { name: "kube-dns-config", configMap: { name: "kube-dns", optional: true } },
        ],
      },
    },
  };
}

function container({ image, addresses }: CacheDaemon): k8s.types.input.core.v1.Container {
  const [localAddress = ""] = addresses;
  return {
    name: "node-cache",
    image,
    args: [
      "-localip",
      addresses.join(","),
      "-conf",
      "/etc/Corefile",
      "-upstreamsvc",
      UPSTREAM_SERVICE,
      "-pidfile",
      "/tmp/node-cache.pid",
    ],
    resources: { requests: { cpu: "25m", memory: "32Mi" }, limits: { memory: "128Mi" } },
    // It creates a network interface and iptables rules.
    securityContext: { capabilities: { add: ["NET_ADMIN"] } },
    ports: [
      { name: "dns", containerPort: 53, protocol: "UDP" },
      { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
      { name: "metrics", containerPort: METRICS_PORT, protocol: "TCP" },
    ],
    livenessProbe: {
      httpGet: { host: localAddress, path: "/health", port: HEALTH_PORT },
      initialDelaySeconds: 60,
      timeoutSeconds: 5,
    },
    volumeMounts: [
      { name: "xtables-lock", mountPath: "/run/xtables.lock" },
      { name: "config", mountPath: "/etc/coredns" },
      { name: "kube-dns-config", mountPath: "/etc/kube-dns" },
    ],
  };
}
