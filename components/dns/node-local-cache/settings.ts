import { z } from "zod";
import { Image } from "../../schema/values.ts";
import { Address } from "../corefile-settings.ts";

/** NodeLocal DNSCache's own link-local address, as Kubernetes suggests it. */
const LOCAL_ADDRESS = "169.254.20.10";

/**
 * NodeLocal DNSCache.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export const NodeLocalCacheSettings = z.strictObject({
  mode: z
    .enum(["iptables", "kubelet"])
    .default("iptables")
    .describe(
      "`iptables`: the cache also answers on the address of kube-dns, so pods do not change; requires clusterDns, and kube-proxy in iptables mode. `kubelet`: only the curl pods use it (dnsConfig), and other pods once the kubelet's clusterDNS has its address. Default iptables.",
    ),
  address: Address.default(LOCAL_ADDRESS).describe(
    `Address of the cache on every node, in 169.254.0.0/16, or fd00::/8 for IPv6. Default ${LOCAL_ADDRESS}.`,
  ),
  image: Image.default("registry.k8s.io/dns/k8s-dns-node-cache:1.26.8").describe(
    "Image of the cache. Default registry.k8s.io/dns/k8s-dns-node-cache:1.26.8.",
  ),
});
export type NodeLocalCacheSettings = z.infer<typeof NodeLocalCacheSettings>;
