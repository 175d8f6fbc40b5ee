import { isOwnHost, sameAddress } from "./address.ts";
import type { CheckContext } from "./check.ts";
import type { Upstream } from "./upstream.ts";

/** The address of kube-dns on EKS, which depends on the VPC's range. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html */
const EKS_CLUSTER_DNS: readonly string[] = ["10.100.0.10", "172.20.0.10"];
const DNS_PORT = 53;

/** What an upstream is, where it leads back to the CoreDNS that asks it; undefined where it leads elsewhere. */
export function loopOf(upstream: Upstream, { clusterDns, nodeLocal }: CheckContext): string | undefined {
  if (upstream.kind === "file" || (upstream.port ?? DNS_PORT) !== DNS_PORT || upstream.tls) return undefined;
  if (isOwnHost(upstream.target)) return "the CoreDNS pod's own address";
  const isAt = (address: string) => sameAddress(address, upstream.target);
  if ((clusterDns ?? EKS_CLUSTER_DNS).some(isAt)) return "the Service kube-dns, and CoreDNS is behind it";
  if (nodeLocal !== undefined && isAt(nodeLocal)) return "the node's cache, which asks CoreDNS";
  return undefined;
}
