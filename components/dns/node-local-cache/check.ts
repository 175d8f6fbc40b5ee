import ipaddr from "ipaddr.js";
import type { DnsMistake } from "../check.ts";
import { sameAddress } from "../corefile/address.ts";
import type { DnsSettings } from "../settings.ts";

/** Mistakes in the settings of NodeLocal DNSCache. */
export function checkNodeLocalCache({ nodeLocalCache: cache, clusterDns, corefile }: DnsSettings): DnsMistake[] {
  if (cache === undefined) return [];
  const found: DnsMistake[] = [];
  if (cache.mode === "iptables" && clusterDns === undefined) {
    found.push({
      path: ["clusterDns"],
      message: "the address of the Service kube-dns: with nodeLocalCache in iptables mode every node answers on it",
    });
  }
  if (ipaddr.process(cache.address).range() !== "linkLocal") {
    const message = "a link-local address, such as 169.254.20.10, since it exists on every node";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  const families = [cache.address, ...(clusterDns ?? [])].map((address) => ipaddr.parse(address).kind());
  if (cache.mode === "iptables" && new Set(families).size > 1) {
    const message = "addresses of one family, IPv4 or IPv6, with nodeLocalCache";
    found.push({ path: ["clusterDns"], message, value: clusterDns });
  }
  if (clusterDns?.some((address) => sameAddress(address, cache.address))) {
    const message = "another address than clusterDns";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  if (corefile.options?.autopath) {
    const message =
      "false with nodeLocalCache: CoreDNS then sees nodes and not pods, whose search lists it cannot tell";
    found.push({ path: ["corefile", "options", "autopath"], message, value: true });
  }
  return found;
}
