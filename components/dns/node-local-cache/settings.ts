import { z } from "zod";
import { Image } from "../../schema/values.ts";
import { Address } from "../corefile-values.ts";

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
      "`iptables`: the cache answers on kube-dns's own address too, and no pod changes; needs clusterDns and kube-proxy in iptables mode. `kubelet`: the curl pods ask it by their dnsConfig; every other pod goes on asking CoreDNS until its node's kubelet has the address as clusterDNS. Default iptables.",
    ),
  address: Address.default(LOCAL_ADDRESS).describe(
    `Address of the cache, the same on every node: of 169.254.0.0/16, or of fd00::/8 on an IPv6 cluster. Default ${LOCAL_ADDRESS}.`,
  ),
  image: Image.default("registry.k8s.io/dns/k8s-dns-node-cache:1.26.8").describe(
    "Image of the cache. Default registry.k8s.io/dns/k8s-dns-node-cache:1.26.8.",
  ),
});
export type NodeLocalCacheSettings = z.infer<typeof NodeLocalCacheSettings>;
