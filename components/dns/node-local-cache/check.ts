import ipaddr from "ipaddr.js";
import type { DnsMistake } from "../check.ts";
import { sameAddress } from "../corefile/upstream.ts";
import type { DnsSettings } from "../settings.ts";

/** Mistakes in the settings of NodeLocal DNSCache. */
export function checkNodeLocalCache({ nodeLocalCache: cache, clusterDns }: DnsSettings): DnsMistake[] {
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
  if (clusterDns?.some((address) => sameAddress(address, cache.address))) {
    const message = "another address than clusterDns";
    found.push({ path: ["nodeLocalCache", "address"], message, value: cache.address });
  }
  return found;
}
