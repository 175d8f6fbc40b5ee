import {
  addressPeer,
  type EgressRule,
  type Peer,
  type PolicySpec,
  podsOfNamespace,
} from "../kubernetes/network-policy.ts";
import { teamNamespace } from "./namespace.ts";

/** One NetworkPolicy: its name and its spec. */
export interface NamedPolicy {
  readonly name: string;
  readonly spec: PolicySpec;
}

/** A team and the teams that its pods may connect to. */
export interface TeamPeers {
  readonly name: string;
  readonly peers: readonly string[];
}

/** What a team's policies depend on beside the team itself. */
export interface PolicyContext {
  /** All teams of the stack: who names this team as a peer may come in. */
  readonly teams: readonly TeamPeers[];
  /** Addresses that answer DNS beside the CoreDNS pods, such as NodeLocal DNSCache's `169.254.20.10`. Default: none. */
  readonly dnsAddresses?: readonly string[];
  /** More ways out, such as to a log destination. Default: none. */
  readonly egress?: readonly EgressRule[];
}

/**
 * The NetworkPolicies of a team: nothing in or out, but DNS, the team's own pods, its peers and the teams that name it.
 *
 * Rules between pods carry no ports: a rule with ports lets TCP and UDP through and stops ping.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function networkPolicies(team: TeamPeers, context: PolicyContext): NamedPolicy[] {
  const callers = context.teams.filter((other) => other.peers.includes(team.name)).map((other) => other.name);
  const policies: NamedPolicy[] = [
    { name: "default-deny", spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
    {
      name: "allow-dns",
      spec: { podSelector: {}, policyTypes: ["Egress"], egress: [dnsRule(context.dnsAddresses ?? [])] },
    },
    {
      name: "allow-peers",
      spec: {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: podsOf([team.name, ...callers]) }],
        egress: [{ to: podsOf([team.name, ...team.peers]) }],
      },
    },
  ];
  const egress = context.egress ?? [];
  if (egress.length > 0) {
    policies.push({
      name: "allow-log-destination",
      spec: { podSelector: {}, policyTypes: ["Egress"], egress: [...egress] },
    });
  }
  return policies;
}

function podsOf(teams: readonly string[]): Peer[] {
  return [...new Set(teams)].sort().map((team) => podsOfNamespace(teamNamespace(team)));
}

/** An answer too long for a UDP packet comes over TCP, so DNS needs both. */
function dnsRule(addresses: readonly string[]): EgressRule {
  return {
    to: [podsOfNamespace("kube-system", { "k8s-app": "kube-dns" }), ...addresses.map(addressPeer)],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };
}
