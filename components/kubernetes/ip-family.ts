/** IP families of a cluster's pods and Services, by EKS's names. */
export const IP_FAMILIES = ["ipv4", "ipv6"] as const;

/**
 * IP family of a cluster's pods and Services; with dual-stack, that of their first address.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigResponse.html
 */
export type IpFamily = (typeof IP_FAMILIES)[number];

/**
 * Wildcard address to listen on. IPv6's does not suit all clusters, since nodes whose kernel has no IPv6 reject it.
 * @param family Default ipv4.
 */
export function anyAddress(family: IpFamily | undefined): string {
  return family === "ipv6" ? "::" : "0.0.0.0";
}

/** An address as the host of a URL, or before a port: an IPv6 address gets brackets. */
export function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** {@link anyAddress} with a port. */
export function anyEndpoint(family: IpFamily | undefined, port: number): string {
  return `${urlHost(anyAddress(family))}:${port}`;
}

/**
 * Arguments of nginx's `listen` for the same.
 * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
 */
export function nginxListen(family: IpFamily | undefined, port: number): string {
  return family === "ipv6" ? `${anyEndpoint(family, port)} ipv6only=off` : String(port);
}
