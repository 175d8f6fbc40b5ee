/** IP families that pods and Services of a cluster may have, as EKS calls them. */
export const IP_FAMILIES = ["ipv4", "ipv6"] as const;

/**
 * IP family of a cluster's pods and Services; where they have both, that of their first address.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigResponse.html
 */
export type IpFamily = (typeof IP_FAMILIES)[number];

/**
 * Address on which a program hears all that its pod is sent. That of IPv6 is not for all clusters, since a node whose kernel has no IPv6
 * refuses it.
 * @param family Default ipv4.
 */
export function anyAddress(family: IpFamily | undefined): string {
  return family === "ipv6" ? "::" : "0.0.0.0";
}

/** {@link anyAddress} with a port, as programs take them in one setting. */
export function anyEndpoint(family: IpFamily | undefined, port: number): string {
  const address = anyAddress(family);
  return `${family === "ipv6" ? `[${address}]` : address}:${port}`;
}

/**
 * The arguments of nginx's `listen` that hear the same.
 * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
 */
export function nginxListen(family: IpFamily | undefined, port: number): string {
  return family === "ipv6" ? `${anyEndpoint(family, port)} ipv6only=off` : String(port);
}
