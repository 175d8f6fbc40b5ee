import { isIPv6 } from "node:net";
import { mappedIPv4 } from "../schema/values.ts";
import { NAMESPACE_NAME_LABEL } from "./labels.ts";

/** A selector by labels. */
interface LabelSelector {
  /** Required labels. */
  matchLabels: Record<string, string>;
}

/** The other side of a rule, as in the Kubernetes API. */
export interface Peer {
  /** Namespaces by their labels. Default: the policy's own. */
  namespaceSelector?: LabelSelector;
  /** Pods by their labels. Default: all. */
  podSelector?: LabelSelector;
  /** Addresses instead of pods. */
  ipBlock?: {
    /** CIDR block, such as `10.0.0.0/8`. */
    cidr: string;
  };
}

/** A port of a rule. */
export interface PolicyPort {
  /** Protocol of the port: `TCP`, `UDP` or `SCTP`. */
  protocol: "UDP" | "TCP" | "SCTP";
  /** Port, or the first of a range. */
  port: number;
  /** Last port of a range. */
  endPort?: number | undefined;
}

/** Allowed destinations. Without ports all protocols are allowed, including ping. */
export interface EgressRule {
  /** Pods or addresses. */
  to: Peer[];
  /** Ports. Default: all, of all protocols. */
  ports?: PolicyPort[];
}

/** Allowed sources. */
export interface IngressRule {
  from: Peer[];
  ports?: PolicyPort[];
}

/** The spec of a NetworkPolicy for all pods of its namespace. */
export interface PolicySpec {
  podSelector: Record<string, never>;
  policyTypes: ("Ingress" | "Egress")[];
  ingress?: IngressRule[];
  egress?: EgressRule[];
}

/**
 * The pods of a namespace.
 * @param labels Labels that select some of them. Default: all.
 */
export function podsOfNamespace(namespace: string, labels?: Readonly<Record<string, string>>): Peer {
  return {
    namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } },
    ...(labels === undefined ? {} : { podSelector: { matchLabels: { ...labels } } }),
  };
}

/** A single IPv4 or IPv6 address. An IPv4-mapped one, which Kubernetes rejects since 1.36, is IPv4 on the network too. */
export function addressPeer(address: string): Peer {
  if (!isIPv6(address)) return { ipBlock: { cidr: `${address}/32` } };
  const mapped = mappedIPv4(address);
  return mapped === undefined ? { ipBlock: { cidr: `${address}/128` } } : addressPeer(mapped.toString());
}
