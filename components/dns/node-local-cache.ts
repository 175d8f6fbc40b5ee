import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import { commonLabels } from "../kubernetes/labels.ts";
import {
  cacheAddresses,
  DNS_PORTS,
  daemonSetSpec,
  METRICS_PORT,
  NAME,
  NAMESPACE,
  nodeLocalCorefile,
  UPSTREAM_SERVICE,
} from "./node-local-rendering.ts";
import type { DnsSettings, NodeLocalCacheSettings } from "./settings.ts";

/** NodeLocal DNSCache on a cluster. */
export interface NodeLocalCacheArgs {
  /** Cluster that it runs on. */
  readonly cluster: ClusterHandle;
  /** Settings of this part, complete with defaults. */
  readonly settings: DnsSettings;
  /** Settings of the cache, complete with defaults. */
  readonly cache: NodeLocalCacheSettings;
  /** What must stand before: CoreDNS, where this stack makes it. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * NodeLocal DNSCache: a DNS cache on every node before CoreDNS. In iptables mode it answers on kube-dns's own address and no pod
 * changes; in kubelet mode a pod uses it when its resolv.conf names it, by its kubelet's clusterDNS or by its dnsConfig, as the
 * curl pods do.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export class NodeLocalCache extends pulumi.ComponentResource {
  /** Addresses that it answers on. */
  readonly addresses: readonly string[];

  constructor(name: string, args: NodeLocalCacheArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:dns:NodeLocalCache", name, {}, { ...options, provider: args.cluster.provider });
    const { cluster, settings, cache } = args;
    const labels = commonLabels(NAME);
    const metadata = { namespace: NAMESPACE, labels: { ...labels, "k8s-app": NAME } };
    const child = { parent: this, dependsOn: [...cluster.ready, ...args.after], deleteBeforeReplace: true };
    const corefile = nodeLocalCorefile(settings, cache);
    this.addresses = cacheAddresses(cache, settings.clusterDns);

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
          spec: { ports: DNS_PORTS, selector: { "k8s-app": "kube-dns" } },
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
      // The address of the Service reaches a pod as an environment variable, so that the Service must be there first.
      { ...child, dependsOn: [...child.dependsOn, ...needed] },
    );
    this.registerOutputs({ addresses: this.addresses });
  }
}
