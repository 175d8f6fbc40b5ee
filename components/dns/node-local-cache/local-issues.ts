import { sameAddress } from "eks-dns-logging-corefile";
import ipaddr from "ipaddr.js";
import type { DnsIssue, DnsSettings } from "../settings.ts";

/**
 * Where every node of AWS has services of its own; the cache would answer in the place of the resolver or of Pod Identity's agent.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
 */
const RESERVED = ["169.254.169.", "169.254.170."];

/** Issues in the settings of NodeLocal DNSCache. */
export function checkNodeLocalCache({ nodeLocalCache: cache, clusterDns, corefile }: DnsSettings): DnsIssue[] {
  if (cache === undefined) return [];
  const found: DnsIssue[] = [];
  if (cache.mode === "iptables" && clusterDns === undefined) {
    found.push({
      path: ["clusterDns"],
      message:
        "must be the address of the Service kube-dns with nodeLocalCache in iptables mode, in which every node answers on it, but is not set",
    });
  }
  if (!isLocal(cache.address)) {
    const message =
      "must be an address of 169.254.0.0/16, such as 169.254.20.10, or of fd00::/8 on an IPv6 cluster, since it exists on every node";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  if (RESERVED.some((block) => ipaddr.process(cache.address).toString().startsWith(block))) {
    const message =
      "must not be in 169.254.169.0/24 or 169.254.170.0/24, which AWS uses for metadata, DNS, time and credentials";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  const families = [cache.address, ...(clusterDns ?? [])].map((address) => ipaddr.parse(address).kind());
  if (cache.mode === "iptables" && new Set(families).size > 1) {
    const message = "must have the address family of nodeLocalCache.address, IPv4 or IPv6";
    found.push({ path: ["clusterDns"], message, value: clusterDns });
  }
  if (clusterDns?.some((address) => sameAddress(address, cache.address))) {
    const message = "must not be an address of clusterDns";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  if (corefile.options?.autopath) {
    const message =
      "must be false with nodeLocalCache, since CoreDNS then sees nodes instead of pods and cannot find their search lists";
    found.push({ path: ["corefile", "options", "autopath"], message, value: true });
  }
  return found;
}

/**
 * Whether an address can be the same on every node. IPv6's link-local ones cannot: a resolv.conf would have to name the interface.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
function isLocal(address: string): boolean {
  const parsed = ipaddr.process(address);
  return parsed.range() === (parsed.kind() === "ipv4" ? "linkLocal" : "uniqueLocal");
}
