import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type ClusterHandle, daemonSetIssues, requiredHandle, withClusterProvider } from "../cluster/handle.ts";
import { commonLabels, USUAL_CORE_DNS_PODS } from "../kubernetes/labels.ts";
import { type ArgumentKinds, checkArguments } from "../schema/arguments.ts";
import { parseArgs, throwErrors } from "../schema/errors.ts";
import { PortNumber } from "../schema/values.ts";
import { CorefileOptions } from "./corefile-settings.ts";
import { checkNodeLocalCache } from "./issues.ts";
import {
  cacheAddresses,
  cacheOptions,
  daemonSetSpec,
  dnsPorts,
  METRICS_PORT,
  NAME,
  NAMESPACE,
  nodeLocalCorefile,
  UPSTREAM_SERVICE,
} from "./node-local-rendering.ts";
import { DnsSettings, NodeLocalCacheSettings, PodSelector } from "./settings.ts";

/** Arguments of {@link NodeLocalCache}. */
export interface NodeLocalCacheArgs {
  /** Cluster to run on. */
  readonly cluster: ClusterHandle;
  /**
   * `iptables`: it also answers on the addresses of the Service kube-dns, so that pods need no change. `kubelet`: it serves pods that name
   * it in dnsConfig, or whose kubelet has it as clusterDNS.
   * @default "iptables"
   */
  readonly mode?: "iptables" | "kubelet";
  /** Address of the cache on every node, in 169.254.0.0/16, or in fd00::/8 for IPv6. @default "169.254.20.10" */
  readonly address?: string;
  /** Addresses of the Service kube-dns, required by mode `iptables`. @default none */
  readonly clusterDns?: readonly string[] | undefined;
  /** Domain of the cluster's names. @default "cluster.local" */
  readonly clusterDomain?: string | undefined;
  /**
   * Whether outside names go to CoreDNS too, for a Corefile with special rules for some of them.
   * @default false: to the node's resolvers
   */
  readonly forwardToCoreDns?: boolean;
  /** Labels that select CoreDNS's pods in kube-system. @default `k8s-app: kube-dns` */
  readonly coreDnsLabels?: Readonly<Record<string, string>> | undefined;
  /** Port of these pods for queries. @default 53 */
  readonly coreDnsPort?: number | undefined;
  /** Image of the cache. @default registry.k8s.io/dns/k8s-dns-node-cache with a fixed tag */
  readonly image?: string;
  /** Resources to deploy first, such as CoreDNS. @default none */
  readonly dependsOn?: readonly pulumi.Resource[];
}

const KINDS: ArgumentKinds<keyof NodeLocalCacheArgs> = {
  any: [
    "cluster",
    "mode",
    "address",
    "clusterDns",
    "clusterDomain",
    "forwardToCoreDns",
    "coreDnsLabels",
    "coreDnsPort",
    "image",
  ],
  list: ["dependsOn"],
  group: [],
};

/**
 * NodeLocal DNSCache: a DNS cache on every node, in front of CoreDNS. In iptables mode it answers on kube-dns's address and pods
 * need no change; in kubelet mode it serves pods whose resolv.conf names it, through the kubelet's clusterDNS or through dnsConfig
 * as in the curl pods.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export class NodeLocalCache extends pulumi.ComponentResource {
  /** Addresses that it answers on. */
  readonly addresses: readonly string[];

  constructor(name: string, args: NodeLocalCacheArgs, options: pulumi.ComponentResourceOptions = {}) {
    checkArguments(name, KINDS, args);
    super("eks-dns-logging:dns:NodeLocalCache", name, {}, withClusterProvider(options, requiredHandle(name, args)));
    const { cluster, dependsOn = [] } = args;
    const cache = optionsOf(name, args);
    const labels = commonLabels(NAME);
    const metadata = { namespace: NAMESPACE, labels: { ...labels, "k8s-app": NAME } };
    const child = { parent: this, dependsOn: [...cluster.ready, ...dependsOn], deleteBeforeReplace: true };
    const corefile = nodeLocalCorefile(cache);
    this.addresses = cacheAddresses(cache, cache.clusterDns);

    const needed = [
      new k8s.core.v1.ServiceAccount(
        `${name}-account`,
        { metadata: { ...metadata, name: NAME }, automountServiceAccountToken: false },
        child,
      ),
      new k8s.core.v1.ConfigMap(
        `${name}-config`,
        { metadata: { ...metadata, name: NAME }, data: { Corefile: corefile } },
        child,
      ),
      new k8s.core.v1.Service(
        `${name}-upstream`,
        {
          metadata: { ...metadata, name: UPSTREAM_SERVICE },
          spec: { ports: dnsPorts(cache.coreDnsPort), selector: cache.coreDnsLabels },
        },
        child,
      ),
    ];
    new k8s.core.v1.Service(
      `${name}-metrics`,
      {
        metadata: { ...metadata, name: NAME },
        spec: {
          clusterIP: "None",
          ports: [{ name: "metrics", port: METRICS_PORT, targetPort: METRICS_PORT }],
          selector: { "k8s-app": NAME },
        },
      },
      child,
    );
    new k8s.apps.v1.DaemonSet(
      `${name}-daemon`,
      {
        metadata: { ...metadata, name: NAME },
        spec: daemonSetSpec({ image: cache.image, addresses: this.addresses, corefile, labels }),
      },
      // The pods read the Service's address from an environment variable, so the Service must exist first.
      { ...child, dependsOn: [...child.dependsOn, ...needed] },
    );
    this.registerOutputs({ addresses: this.addresses });
  }
}

/** The arguments but the cluster. */
const Options = NodeLocalCacheSettings.extend({
  clusterDns: DnsSettings.shape.clusterDns,
  clusterDomain: CorefileOptions.shape.clusterDomain,
  forwardToCoreDns: z.boolean().default(false),
  coreDnsLabels: PodSelector.default({ ...USUAL_CORE_DNS_PODS.labels }),
  coreDnsPort: PortNumber.default(53),
});

/** The arguments with defaults, checked like the settings of a CoreDNS with this cache. */
function optionsOf(name: string, { cluster, dependsOn: _dependsOn, ...given }: NodeLocalCacheArgs) {
  const { clusterDns, clusterDomain, forwardToCoreDns, coreDnsLabels, coreDnsPort, ...cache } = parseArgs(
    name,
    Options,
    given,
  );
  const options = clusterDomain === undefined ? {} : { clusterDomain };
  const settings = DnsSettings.parse({ clusterDns, corefile: { options }, nodeLocalCache: cache });
  throwErrors(name, [
    ...daemonSetIssues(cluster, { path: [], message: "must not be created" }),
    ...checkNodeLocalCache(settings).map((issue) => ({ ...issue, path: issue.path.filter((key) => key !== SECTION) })),
  ]);
  return { ...cacheOptions(settings, cache), forwardToCoreDns, coreDnsLabels, coreDnsPort };
}

/** Where these arguments stand in the settings of CoreDNS. */
const SECTION = "nodeLocalCache";
