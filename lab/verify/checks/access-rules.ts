import ipaddr from "ipaddr.js";
import type { AccessRule } from "../../../components/team/network-policies.ts";

/** Traffic that a team's settings allow besides peers and DNS. */
export interface Access {
  /** Other sources. Default: none. */
  readonly ingress?: readonly AccessRule[];
  /** Other destinations. Default: none. */
  readonly egress?: readonly AccessRule[];
}

/** The other end of a connection. */
export interface Place {
  readonly namespace: string;
  /** Address of the pod; absent until it is known. */
  readonly ip?: string;
}

/**
 * Whether rules of `ingress` or `egress` allow a place and TCP port. CIDR blocks match pods too, which on EKS have addresses of the VPC.
 */
export function isOpened(rules: readonly AccessRule[] | undefined, place: Place, port: number): boolean {
  return (rules ?? []).some((rule) => names(rule, place) && hasPort(rule, port));
}

function names({ namespaces, cidrs }: AccessRule, { namespace, ip }: Place): boolean {
  return namespaces.includes(namespace) || (ip !== undefined && cidrs.some((cidr) => contains(cidr, ip)));
}

function contains(cidr: string, ip: string): boolean {
  const [address, block] = [ipaddr.parse(ip), ipaddr.parseCIDR(cidr)];
  return address.kind() === block[0].kind() && address.match(block);
}

function hasPort({ ports }: AccessRule, wanted: number): boolean {
  return (
    ports.length === 0 ||
    ports.some((one) => {
      const { port, endPort = port, protocol } = typeof one === "number" ? { port: one, protocol: "TCP" } : one;
      return protocol === "TCP" && port <= wanted && wanted <= endPort;
    })
  );
}
