import {
  addressPeer,
  type EgressRule,
  type Peer,
  type PolicySpec,
  podsOfNamespace,
} from "../kubernetes/network-policy.ts";
import { type AccessRule, egressOf, ingressOf } from "./access-rules.ts";
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
  /** Namespaces of the team. Default: NAME-team. */
  readonly namespaces?: readonly { readonly name: string }[] | undefined;
}

/** What a team lets in and out beside its peers. */
export interface TeamRules {
  readonly ingress: readonly AccessRule[];
  readonly egress: readonly AccessRule[];
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
export function networkPolicies(
  team: TeamPeers,
  context: PolicyContext,
  rules: TeamRules = { ingress: [], egress: [] },
): NamedPolicy[] {
  const teams = [team, ...context.teams];
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
        ingress: [{ from: podsOf([team.name, ...callers], teams) }],
        egress: [{ to: podsOf([team.name, ...team.peers], teams) }],
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
  if (rules.ingress.length > 0)
    policies.push({
      name: "allow-ingress",
      spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: ingressOf(rules.ingress) },
    });
  if (rules.egress.length > 0)
    policies.push({
      name: "allow-egress",
      spec: { podSelector: {}, policyTypes: ["Egress"], egress: egressOf(rules.egress) },
    });
  return policies;
}

function podsOf(names: readonly string[], teams: readonly TeamPeers[]): Peer[] {
  const namespacesOf = (name: string) =>
    teams.find((team) => team.name === name)?.namespaces?.map((namespace) => namespace.name) ?? [teamNamespace(name)];
  return [...new Set(names)]
    .sort()
    .flatMap((name) => namespacesOf(name).map((namespace) => podsOfNamespace(namespace)));
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
