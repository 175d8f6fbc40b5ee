import { z } from "zod";
import { USUAL_CORE_DNS_PODS } from "../kubernetes/core-dns-pods.ts";
import { teamNamespace } from "../kubernetes/labels.ts";
import {
  addressPeer,
  type EgressRule,
  type IngressRule,
  type Peer,
  type PolicyPort,
  type PolicySpec,
  podsOfNamespace,
} from "../kubernetes/network-policy.ts";
import { relation, type SettingsIssue } from "../schema/errors.ts";
import { integer, NamespaceName, PolicyCidr } from "../schema/values.ts";
import { AGENT_EGRESS } from "./pod-identity.ts";

const PORT = "must be a port from 1 to 65535, or an object with port and protocol";
const Port = z.union(
  [
    z.int(PORT).min(1, PORT).max(65_535, PORT),
    z
      .strictObject({
        port: integer(1, 65_535).describe("Port, or first of a range."),
        endPort: integer(1, 65_535).optional().describe("Last of a range. Default: port."),
        protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP").describe("Default TCP."),
      })
      .superRefine(({ port, endPort = port }, context) => {
        if (endPort < port)
          relation(context, ["port", "endPort"], `endPort (${endPort}) must not be below port (${port})`);
      }),
  ],
  PORT,
);

/** Who else may connect, or be connected to. */
export const AccessRule = z
  .strictObject({
    namespaces: z.array(NamespaceName).default([]).describe("Namespaces."),
    cidrs: z.array(PolicyCidr).default([]).describe("CIDR blocks."),
    ports: z.array(Port).default([]).describe("TCP unless set. Default: all, and ping."),
  })
  .superRefine((rule, context) => {
    if (rule.namespaces.length === 0 && rule.cidrs.length === 0)
      relation(
        context,
        ["namespaces", "cidrs"],
        "namespaces or cidrs is required, or the rule would let everything through",
      );
  });
export type AccessRule = z.infer<typeof AccessRule>;

function peersOf({ namespaces, cidrs }: AccessRule): Peer[] {
  return [...namespaces.map((name) => podsOfNamespace(name)), ...cidrs.map((cidr) => ({ ipBlock: { cidr } }))];
}

function portsOf({ ports }: AccessRule): { ports?: PolicyPort[] } {
  if (ports.length === 0) return {};
  return {
    ports: ports.map((port) => (typeof port === "number" ? { protocol: "TCP" as const, port } : { ...port })),
  };
}

/** The ways in as a NetworkPolicy has them. */
function ingressOf(rules: readonly AccessRule[]): IngressRule[] {
  return rules.map((rule) => ({ from: peersOf(rule), ...portsOf(rule) }));
}

/** The ways out as a NetworkPolicy has them. */
function egressOf(rules: readonly AccessRule[]): EgressRule[] {
  return rules.map((rule) => ({ to: peersOf(rule), ...portsOf(rule) }));
}

/** One NetworkPolicy: its name and its spec. */
export interface NamedPolicy {
  readonly name: string;
  readonly spec: PolicySpec;
}

/** A team and the teams that its pods may connect to. */
export interface TeamPeers {
  /** Name of the team. */
  readonly name: string;
  /** Teams that its pods may connect to. */
  readonly peers: readonly string[];
  /** Namespaces of the team. Default: NAME-team. */
  readonly namespaces?:
    | readonly {
        /** Name of the namespace. */
        readonly name: string;
      }[]
    | undefined;
}

/** What a team lets in and out beside its peers. */
export interface TeamRules {
  readonly ingress: readonly AccessRule[];
  readonly egress: readonly AccessRule[];
  /** Whether its pods get an AWS identity. Default false. */
  readonly podIdentity?: boolean;
}

/** What a team's policies depend on beside the team itself. */
export interface PolicyContext {
  /** All teams of the stack: who names this team as a peer may come in. */
  readonly teams: readonly TeamPeers[];
  /** Addresses that answer DNS beside the CoreDNS pods, such as NodeLocal DNSCache's `169.254.20.10`. Default: none. */
  readonly dnsAddresses?: readonly string[];
  /** Namespace of the pods that answer DNS, if it is not kube-system. Default: kube-system alone. */
  readonly dnsNamespace?: string | undefined;
  /** Labels of these pods. Default: `k8s-app: kube-dns` in kube-system, and all pods of another namespace. */
  readonly dnsLabels?: Readonly<Record<string, string>> | undefined;
  /** Ports at which these pods answer queries: a policy sees the port to which a Service leads. Default: 53. */
  readonly dnsPorts?: readonly number[] | undefined;
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
      spec: { podSelector: {}, policyTypes: ["Egress"], egress: [dnsRule(context)] },
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
  if (rules.podIdentity) policies.push({ name: "allow-pod-identity", spec: AGENT_EGRESS });
  return [...policies, ...accessPolicies(rules)];
}

/** The NetworkPolicies of what a team lets in and out beside its peers. */
export function accessPolicies({ ingress, egress }: Pick<TeamRules, "ingress" | "egress">): NamedPolicy[] {
  const policies: NamedPolicy[] = [];
  if (ingress.length > 0)
    policies.push({
      name: "allow-ingress",
      spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: ingressOf(ingress) },
    });
  if (egress.length > 0)
    policies.push({
      name: "allow-egress",
      spec: { podSelector: {}, policyTypes: ["Egress"], egress: egressOf(egress) },
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

/** What of it says where DNS is. */
export type DnsContext = Pick<PolicyContext, "dnsAddresses" | "dnsNamespace" | "dnsLabels" | "dnsPorts">;

/** The way out to what answers DNS. An answer too long for a UDP packet comes over TCP, so it needs both. */
export function dnsRule({
  dnsAddresses = [],
  dnsNamespace = USUAL_CORE_DNS_PODS.namespace,
  dnsLabels,
  dnsPorts = [53],
}: DnsContext): EgressRule {
  const { namespace, labels } = USUAL_CORE_DNS_PODS;
  const isUsual =
    dnsNamespace === namespace && Object.entries(labels).every(([key, value]) => (dnsLabels ?? labels)[key] === value);
  const adopted = isUsual ? [] : [podsOfNamespace(dnsNamespace, dnsLabels)];
  return {
    to: [podsOfNamespace(namespace, labels), ...adopted, ...dnsAddresses.map(addressPeer)],
    ports: dnsPorts.flatMap((port) => (["UDP", "TCP"] as const).map((protocol) => ({ protocol, port }))),
  };
}

/**
 * A warning for a team that has the namespace of an adopted CoreDNS: its network policies hold for each pod there, and let in its own pods and
 * its peers' alone. Paths are below `teams`.
 * @param namespace That of CoreDNS; undefined where it is kube-system, which no team can have.
 */
export function dnsNamespaceIssues(
  teams: readonly (Omit<TeamPeers, "peers"> & Pick<TeamRules, "ingress">)[],
  namespace: string | undefined,
): SettingsIssue[] {
  return teams.flatMap(({ name, namespaces, ingress }, index): SettingsIssue[] => {
    const place = (namespaces?.map((each) => each.name) ?? [teamNamespace(name)]).indexOf(namespace ?? "");
    // Whom the rules let in may be everybody.
    if (place === -1 || ingress.length > 0) return [];
    const path = namespaces === undefined ? [index, "name"] : [index, "namespaces", place, "name"];
    const message = `makes ${namespace} a namespace of team ${name}, whose network policies let no queries of others in to the CoreDNS of dns.adopt`;
    return [{ path, message, severity: "warning" }];
  });
}
