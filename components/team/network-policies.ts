import { z } from "zod";
import { Address } from "../dns/corefile-settings.ts";
import { namespacesOf, USUAL_CORE_DNS_PODS } from "../kubernetes/labels.ts";
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
import { NamespaceName, PolicyCidr, PortNumber } from "../schema/values.ts";
import { AGENT_EGRESS } from "./pod-identity.ts";

const PORT = "must be a port from 1 to 65535, or an object with port and protocol";
const Port = z.union(
  [
    z.int(PORT).min(1, PORT).max(65_535, PORT),
    z
      .strictObject({
        port: PortNumber.describe("Port, or first of a range."),
        endPort: PortNumber.optional().describe("Last of a range. Default: port."),
        protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP").describe("Default TCP."),
      })
      .superRefine(({ port, endPort = port }, context) => {
        if (endPort < port)
          relation(context, ["port", "endPort"], `endPort (${endPort}) must not be below port (${port})`);
      }),
  ],
  PORT,
);

/** Further allowed sources or destinations. */
export const AccessRule = z
  .strictObject({
    namespaces: z.array(NamespaceName).default([]).describe("Namespaces."),
    cidrs: z.array(PolicyCidr).default([]).describe("CIDR blocks."),
    ports: z
      .array(Port)
      .min(1, "must not be empty, which would allow all ports")
      .optional()
      .describe("TCP unless set. Default: all, and ping."),
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
  if (ports === undefined) return {};
  return {
    ports: ports.map((port) => (typeof port === "number" ? { protocol: "TCP" as const, port } : { ...port })),
  };
}

/** Rules as NetworkPolicy ingress. */
function ingressOf(rules: readonly AccessRule[]): IngressRule[] {
  return rules.map((rule) => ({ from: peersOf(rule), ...portsOf(rule) }));
}

/** Rules as NetworkPolicy egress. */
function egressOf(rules: readonly AccessRule[]): EgressRule[] {
  return rules.map((rule) => ({ to: peersOf(rule), ...portsOf(rule) }));
}

/** Name and spec of a NetworkPolicy. */
export interface NamedPolicy {
  readonly name: string;
  readonly spec: PolicySpec;
}

/** A team and the teams that its pods may connect to. */
export interface TeamPeers {
  /** Name of the team. */
  readonly name: string;
  /** Teams to which its pods may connect. */
  readonly peers: readonly string[];
  /** Namespaces of the team. Default: NAME-team. */
  readonly namespaces?:
    | readonly {
        /** Name of the namespace. */
        readonly name: string;
      }[]
    | undefined;
}

/** A team's allowed connections besides its peers. */
export interface TeamRules {
  readonly ingress: readonly AccessRule[];
  readonly egress: readonly AccessRule[];
  /** Whether its pods get an AWS identity. Default false. */
  readonly podIdentity?: boolean;
}

/** What a team's policies depend on besides the team. */
export interface PolicyContext {
  /** All teams of the stack: those with this team as a peer may connect. */
  readonly teams: readonly TeamPeers[];
  /** DNS addresses besides the CoreDNS pods, such as NodeLocal DNSCache's `169.254.20.10`. Default: none. */
  readonly dnsAddresses?: readonly string[];
  /** Namespace of the DNS pods, if not kube-system. Default: kube-system alone. */
  readonly dnsNamespace?: string | undefined;
  /** Labels of these pods. Default: `k8s-app: kube-dns` in kube-system, and all pods of another namespace. */
  readonly dnsLabels?: Readonly<Record<string, string>> | undefined;
  /** Ports of these pods for queries: a policy sees a Service's target port. Default: 53. */
  readonly dnsPorts?: readonly number[] | undefined;
  /** More egress, such as to a log destination. Default: none. */
  readonly egress?: readonly EgressRule[];
}

/** Checks the argument `network` of a team. */
export const PolicyContextSettings = z.strictObject({
  // Another team may have more settings.
  teams: z
    .array(
      z.object({
        name: z.string(),
        peers: z.array(z.string()),
        namespaces: z.array(z.object({ name: z.string() })).optional(),
      }),
    )
    .optional(),
  dnsAddresses: z.array(Address).optional(),
  dnsNamespace: z.string().min(1).optional(),
  dnsLabels: z.record(z.string(), z.string()).optional(),
  dnsPorts: z.array(PortNumber).optional(),
  // As Kubernetes writes them.
  egress: z
    .array(
      z.strictObject({
        to: z.array(z.looseObject({})),
        ports: z
          .array(
            z.strictObject({
              protocol: z.enum(["TCP", "UDP", "SCTP"]),
              port: z.int().min(0).max(65_535),
              endPort: PortNumber.optional(),
            }),
          )
          .optional(),
      }),
    )
    .optional(),
});

/**
 * The NetworkPolicies of a team: only DNS, the team's own pods, its peers and the teams that name it.
 *
 * Rules between pods have no ports: rules with ports block ping.
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

/** NetworkPolicies for a team's connections besides its peers. */
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
  return [...new Set(names)]
    .sort()
    .flatMap((name) => namespacesOf(teams.find((team) => team.name === name) ?? { name }))
    .map((namespace) => podsOfNamespace(namespace));
}

/** The part of {@link PolicyContext} about DNS. */
export type DnsContext = Pick<PolicyContext, "dnsAddresses" | "dnsNamespace" | "dnsLabels" | "dnsPorts">;

/** Egress to DNS servers, over UDP and TCP: an answer too long for a UDP packet comes over TCP. */
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
 * Warns of a team that has an adopted CoreDNS's namespace: its network policies apply to all pods there, and only allow its own pods and its
 * peers'. Paths are below `teams`.
 * @param dnsNamespace CoreDNS's namespace; undefined for kube-system, which no team can have.
 */
export function dnsNamespaceIssues(
  teams: readonly (Omit<TeamPeers, "peers"> & Pick<TeamRules, "ingress">)[],
  dnsNamespace: string | undefined,
): SettingsIssue[] {
  return teams.flatMap(({ name, namespaces, ingress }, index): SettingsIssue[] => {
    const place = namespacesOf({ name, namespaces }).indexOf(dnsNamespace ?? "");
    // The rules may allow everybody.
    if (place === -1 || ingress.length > 0) return [];
    const path = namespaces === undefined ? [index, "name"] : [index, "namespaces", place, "name"];
    const message = `makes ${dnsNamespace} a namespace of team ${name}, whose network policies allow no queries from others to the CoreDNS of dns.adopt`;
    return [{ path, message, severity: "warning" }];
  });
}
