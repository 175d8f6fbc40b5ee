import ipaddr from "ipaddr.js";
import { urlHost } from "../../../components/kubernetes/ip-family.ts";
import { namespacesOf, teamNamespace } from "../../../components/kubernetes/labels.ts";
import { curlPodName, RESPONDER_PORT } from "../../../components/team/curl-pod-spec.ts";
import { type AccessRule, networkPolicies } from "../../../components/team/network-policies.ts";
import { hasCurlPod, type TeamSettings } from "../../../components/team/settings.ts";
import { ifExists, isForbidden, type PodFacts } from "../../kubernetes/cluster.ts";
import { listsPods } from "../../kubernetes/core-dns-place.ts";
import { type Lab, UnmetPrecondition } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip, warn } from "../result.ts";
import { type CurlResult, curlFrom } from "../sessions.ts";

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
function isOpen(from: TeamPod, to: TeamPod): boolean {
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
function opens(rules: readonly AccessRule[] | undefined, place: Place, port: number): boolean {
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
    ports === undefined ||
    ports.some((range) => {
      const { port, endPort = port, protocol } = typeof range === "number" ? { port: range, protocol: "TCP" } : range;
      return protocol === "TCP" && port <= wanted && wanted <= endPort;
    })
  );
}

const LEVEL_LABEL = "pod-security.kubernetes.io/enforce";

/** A team namespace without a curl pod, and what the stack put there. */
export interface GuardedNamespace {
  readonly name: string;
  readonly team: string;
  /** Enforced Pod Security level. */
  readonly level: string;
  /** Names of its network policies. */
  readonly policies: readonly string[];
}

/** Team namespaces without a curl pod. */
export function guardedNamespaces(teams: readonly TeamSettings[], curlPods: boolean): GuardedNamespace[] {
  return teams.flatMap((team) => {
    if (curlPods && hasCurlPod(team)) return [];
    const rules = { ...team, podIdentity: team.podIdentity !== undefined };
    return namespacesOf(team).map((name) => ({
      name,
      team: team.name,
      level: team.podSecurity?.level ?? "restricted",
      policies: networkPolicies(team, { teams: [] }, rules).map((policy) => policy.name),
    }));
  });
}

/** The namespace belongs to the team, enforces its Pod Security level, and has its network policies. */
export function namespaceCheck(namespace: GuardedNamespace): Check {
  return {
    id: `namespace:${namespace.name}`,
    group: "namespace",
    what: "Pod Security and network policies",
    from: namespace.team,
    to: namespace.name,
    run: (lab) => guards(lab, namespace),
  };
}

async function guards(lab: Lab, { name, team, level, policies }: GuardedNamespace): Promise<Outcome> {
  const [labels, found] = await Promise.all([lab.cluster.namespaceLabels(name), lab.cluster.networkPolicies(name)]);
  const enforced = labels[LEVEL_LABEL] ?? "no level";
  const missing = policies.filter((policy) => !found.includes(policy));
  const detail = `team ${labels.team ?? "not set"}, ${enforced}, ${found.toSorted().join(", ") || "no network policy"}`;
  const facts = { team: labels.team ?? "", level: enforced, policies: found };
  if (missing.length > 0) return fail(detail, `${missing.join(", ")} missing: \`${lab.up}\` creates it`, facts);
  if (labels.team !== team || enforced !== level)
    return fail(detail, `the settings say team ${team}, ${level}: \`${lab.up}\` sets the labels`, facts);
  return pass(detail, facts);
}

/** Timeout: long enough for any answer inside a cluster, and short for the requests that must get none. */
const SECONDS = 3;
/** CoreDNS's ports for readiness, health and metrics, with their paths: they listen, and no team needs them. */
const DNS_PATHS: ReadonlyMap<number, string> = new Map([
  [8181, "/ready"],
  [8080, "/health"],
  [9153, "/metrics"],
]);
const DNS_PORTS = [...DNS_PATHS.keys()];
/** A rollout may delete a CoreDNS pod during the check; then another is tried. */
const MAX_PODS_TRIED = 3;

export interface Enforcement {
  /** Whether the cluster's network is known to enforce NetworkPolicies. */
  readonly enforced: boolean;
  /** The teams with what their settings allow. Default: only DNS and peers. */
  readonly teams?: readonly TeamPeers[];
}

/** A team's pod connects to a port of CoreDNS that its policies do not allow. */
export function denyCoreDnsCheck(team: string, context: Enforcement): Check {
  return {
    id: `deny:${team}:coredns`,
    group: "deny",
    what: "only DNS is allowed to CoreDNS",
    from: curlPodName(team),
    to: `coredns:${DNS_PORTS[0]}`,
    run: (lab) => denyCoreDns(lab, team, context),
  };
}

async function denyCoreDns(lab: Lab, team: string, context: Enforcement): Promise<Outcome> {
  const pod = await lab.runningPod(team);
  for (let tried = 1, pods = await lab.dnsPods(); ; tried += 1) {
    const target = pods.find(isReachable);
    if (target === undefined) throw new UnmetPrecondition("no CoreDNS pod is ready", listsPods(lab.coreDns));
    const { egress } = teamOf(team, context);
    const { namespace } = lab.coreDns;
    const ports = DNS_PORTS.filter((port) => !opens(egress, { namespace, ip: target.ip }, port));
    if (ports.length === 0) return skip(`egress of team ${team} opens ${target.ip}:${DNS_PORTS.join(", ")}`);
    const outcome = await tryDnsPod(lab, { pod, target, ports }, context);
    if (outcome.status !== "warn" || tried === MAX_PODS_TRIED) return outcome;
    pods = await lab.dnsPodsNow();
    if (pods.some((now) => isReachable(now) && now.ip === target.ip)) return outcome;
  }
}

function isReachable({ ready, ip }: PodFacts): boolean {
  return ready && ip !== "";
}

function teamOf(name: string, { teams = [] }: Enforcement): TeamPeers {
  return teams.find((team) => team.name === name) ?? { name, peers: [] };
}

interface DnsTrial {
  readonly pod: PodFacts;
  readonly target: PodFacts;
  /** Ports that no setting allows. */
  readonly ports: readonly number[];
}

async function tryDnsPod(lab: Lab, { pod, target, ports }: DnsTrial, context: Enforcement): Promise<Outcome> {
  let refused = "";
  for (const port of ports) {
    const place = `${urlHost(target.ip)}:${port}`;
    const result = await curlFrom(lab, pod, `http://${place}/`, SECONDS);
    if (connected(result)) return reached(place, context);
    if (result.end === "timed out") return dropped(lab, pod, target, place);
    const listener = await listenerOf(lab, target, port);
    if (listener === "forbidden")
      return warn(
        `${place} refused`,
        `checking whether something listens there needs the right to create pods/portforward in ${target.namespace}`,
      );
    if (listener === "found") return pass(`${place} refused by the network`, { place });
    refused = place;
  }
  return warn(
    `${refused} refused`,
    "nothing was found listening there, so this does not show whether the network enforces NetworkPolicies",
  );
}

/** Silence proves a policy only where the way to the same pod is open: DNS over TCP must connect. */
async function dropped(lab: Lab, pod: PodFacts, target: PodFacts, place: string): Promise<Outcome> {
  const { port } = lab.coreDns;
  const dns = await curlFrom(lab, pod, `http://${urlHost(target.ip)}:${port}/`, SECONDS);
  if (dns.connected) return pass(`${place} dropped, :${port} open`, { place });
  return warn(
    `${place} dropped, and :${port} too`,
    "the CoreDNS pod cannot be reached at all, so this does not show whether policies are enforced",
  );
}

/** Whether something answers at a port inside the pod, where no policy applies. */
async function listenerOf(
  lab: Lab,
  { namespace, name }: PodFacts,
  port: number,
): Promise<"found" | "none" | "forbidden"> {
  return lab.cluster.podGet({ namespace, pod: name, port }, DNS_PATHS.get(port) ?? "/").then(
    () => "found" as const,
    (error: unknown) => (isForbidden(error) ? "forbidden" : "none"),
  );
}

/** A team's pod connects to the responder of a team that is not its peer. */
export function denyTeamCheck({ from, to }: Pair, context: Enforcement): Check {
  return {
    id: `deny:${from}:${to}`,
    group: "deny",
    what: "no access to a team that is not a peer",
    from: curlPodName(from),
    to: curlPodName(to),
    run: (lab) => denyTeam(lab, { from, to }, context),
  };
}

async function denyTeam(lab: Lab, { from, to }: Pair, context: Enforcement): Promise<Outcome> {
  const [pod, target] = await Promise.all([lab.runningPod(from), lab.runningPod(to)]);
  const place = `${urlHost(target.ip)}:${RESPONDER_PORT}`;
  if (!target.ready)
    throw new UnmetPrecondition(`${target.name} is not ready`, `nothing listens in ${target.name}: see row pods:${to}`);
  if (isOpen({ team: teamOf(from, context), ip: pod.ip }, { team: teamOf(to, context), ip: target.ip }))
    return skip(`egress of team ${from} and ingress of team ${to} open ${place}`);
  const result = await curlFrom(lab, pod, `http://${place}/`, SECONDS);
  if (connected(result)) return reached(place, context);
  if (!(await isStillThere(lab, target)))
    throw new UnmetPrecondition(
      `${target.name} stopped or was replaced during the check`,
      `its silence proves nothing then: see row pods:${to}, and verify again`,
    );
  return pass(`${place} ${result.end === "timed out" ? "dropped" : "refused by the network"}`, { place });
}

async function isStillThere(lab: Lab, { namespace, name, ip }: PodFacts): Promise<boolean> {
  const now = await ifExists(lab.cluster.pod(namespace, name));
  return now !== undefined && isReachable(now) && !now.deleting && now.ip === ip;
}

function connected(result: CurlResult): boolean {
  return result.connected || result.end === "answered";
}

function reached(place: string, { enforced }: Enforcement): Outcome {
  const detail = `${place} connected, though no policy allows it`;
  const facts = { place };
  if (enforced)
    return fail(
      detail,
      "the VPC CNI does not enforce NetworkPolicies: its add-on needs enableNetworkPolicy and a running node agent",
      facts,
    );
  return warn(detail, "this cluster's network does not enforce NetworkPolicies: they have no effect", facts);
}
