import { dnsAddressOf, type EksExistingSettings } from "./cluster/eks-settings.ts";
import { type ClusterSettings, kubeDnsAddresses } from "./cluster/settings.ts";
import type { DnsSettings } from "./dns/settings.ts";
import type { SettingsIssue } from "./schema/errors.ts";
import type { ValidPart } from "./schema/values.ts";

/** Issues of DNS addresses, if the cluster settings that determine them are valid. */
export function addressIssues(
  { value: cluster, without }: ValidPart<ClusterSettings>,
  clusterDns: DnsSettings["clusterDns"],
): SettingsIssue[] {
  return [
    ...(cluster.kind === "eks-existing" ? dnsAddressIssues(cluster, clusterDns) : []),
    ...(without.has("ipFamily") ? [] : dnsFamilyIssues(cluster, clusterDns)),
    ...(cluster.kind === "eks" && !without.has("vpc") ? newDnsAddressIssues(cluster, clusterDns) : []),
  ];
}

/** DNS is always served at an address of the cluster's Services, and perhaps at others. */
function dnsAddressIssues(
  { serviceCidr, ipFamily, compute }: EksExistingSettings,
  clusterDns: DnsSettings["clusterDns"],
): SettingsIssue[] {
  if (ipFamily === "ipv6" && compute === "auto" && clusterDns === undefined) {
    const message =
      "is required with cluster.ipFamily ipv6 and cluster.compute auto, since the teams' NetworkPolicies allow DNS to that address";
    return [{ path: ["dns", "clusterDns"], message }];
  }
  if (ipFamily === "ipv6" || serviceCidr === undefined || clusterDns === undefined) return [];
  const address = dnsAddressOf(serviceCidr);
  if (clusterDns.includes(address)) return [];
  const message = `must include ${address}, the DNS address of cluster.serviceCidr ${serviceCidr}`;
  return [{ path: ["dns", "clusterDns"], message, value: clusterDns }];
}

/** Services have addresses of the cluster's family; other DNS servers may not. */
function dnsFamilyIssues(cluster: ClusterSettings, clusterDns: DnsSettings["clusterDns"]): SettingsIssue[] {
  if (cluster.kind === "eks" || clusterDns === undefined) return [];
  const { ipFamily } = cluster;
  if (clusterDns.some((address) => address.includes(":") === (ipFamily === "ipv6"))) return [];
  const family = ipFamily === "ipv6" ? "IPv6" : "IPv4";
  const message = `must include an ${family} address, which kube-dns has with cluster.ipFamily ${ipFamily}`;
  return [{ path: ["dns", "clusterDns"], message, value: clusterDns }];
}

/** In a new cluster, EKS chooses one of two addresses. */
function newDnsAddressIssues(cluster: ClusterSettings, clusterDns: DnsSettings["clusterDns"]): SettingsIssue[] {
  const possible = kubeDnsAddresses(cluster);
  if (clusterDns === undefined || clusterDns.some((address) => possible.includes(address))) return [];
  const message = `must include ${possible.join(" or ")}, which EKS gives to kube-dns in a new cluster`;
  return [{ path: ["dns", "clusterDns"], message, value: clusterDns }];
}
