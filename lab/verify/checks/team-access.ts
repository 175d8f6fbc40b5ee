import ipaddr from "ipaddr.js";
import { teamNamespace } from "../../../components/kubernetes/labels.ts";
import { RESPONDER_PORT } from "../../../components/team/curl-pod-spec.ts";
import type { AccessRule } from "../../../components/team/network-policies.ts";

/** Traffic that a team's settings allow besides peers and DNS. */
export interface Access {
  /** Other sources. Default: none. */
  readonly ingress?: readonly AccessRule[];
  /** Other destinations. Default: none. */
  readonly egress?: readonly AccessRule[];
}

/** A team and a team that it may connect to: a peer, or itself. */
export interface Pair {
  readonly from: string;
  readonly to: string;
}

/** A team and the connections that its settings allow. */
export interface TeamPeers extends Access {
  readonly name: string;
  readonly peers: readonly string[];
}

/** Pairs each team with itself, then with its peers. Skips peers without a curl pod, because nothing answers there. */
export function allowedPairs(teams: readonly TeamPeers[]): Pair[] {
  const hasCurlPod = (peer: string) => teams.some(({ name }) => name === peer);
  return teams.flatMap(({ name, peers }) => [name, ...peers.filter(hasCurlPod)].map((to) => ({ from: name, to })));
}

/**
 * For each team one team that it must not reach: the next in the list that is not a peer and that `egress` and `ingress` do not allow by
 * namespace. All pairs would grow with the square of the teams, and each costs a timeout.
 */
export function deniedPairs(teams: readonly TeamPeers[]): Pair[] {
  return teams.flatMap((from, index) => {
    const others = [...teams.slice(index + 1), ...teams.slice(0, index)];
    const stranger = others.find((to) => !from.peers.includes(to.name) && !isOpen({ team: from }, { team: to }));
    return stranger === undefined ? [] : [{ from: from.name, to: stranger.name }];
  });
}

/** One side of a connection between teams. */
interface TeamPod {
  readonly team: TeamPeers;
  /** Address of its pod; absent until it is known. */
  readonly ip?: string;
}

/** Whether settings other than `peers` allow a connection to a team's responder: both `egress` and `ingress` must. */
export function isOpen(from: TeamPod, to: TeamPod): boolean {
  const place = ({ team, ...address }: TeamPod) => ({ namespace: teamNamespace(team.name), ...address });
  return opens(from.team.egress, place(to), RESPONDER_PORT) && opens(to.team.ingress, place(from), RESPONDER_PORT);
}

/** The other side of a connection. */
interface Place {
  readonly namespace: string;
  /** Address of the pod; absent until it is known. */
  readonly ip?: string;
}

/**
 * Whether rules of `ingress` or `egress` allow a place and TCP port. CIDR blocks match pods too, which on EKS have addresses of the VPC.
 */
export function opens(rules: readonly AccessRule[] | undefined, place: Place, port: number): boolean {
  return (rules ?? []).some((rule) => allows(rule, place) && hasPort(rule, port));
}

function allows({ namespaces, cidrs }: AccessRule, { namespace, ip }: Place): boolean {
  return namespaces.includes(namespace) || (ip !== undefined && cidrs.some((cidr) => contains(cidr, ip)));
}

function contains(cidr: string, ip: string): boolean {
  const [address, block] = [ipaddr.parse(ip), ipaddr.parseCIDR(cidr)];
  return address.kind() === block[0].kind() && address.match(block);
}

function hasPort({ ports }: AccessRule, wanted: number): boolean {
  return (
    ports.length === 0 ||
    ports.some((range) => {
      const { port, endPort = port, protocol } = typeof range === "number" ? { port: range, protocol: "TCP" } : range;
      return protocol === "TCP" && port <= wanted && wanted <= endPort;
    })
  );
}
