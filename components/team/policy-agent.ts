import ipaddr from "ipaddr.js";
import type { IpFamily } from "../kubernetes/ip-family.ts";
import type { SettingsIssue } from "../schema/errors.ts";
import type { AccessRule } from "./network-policies.ts";

/**
 * Combinations of protocol and ports for one address that EKS's network policy agent enforces, of all rules together. It ignores the
 * others, which ones may change each time.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
 * @see https://github.com/aws/aws-network-policy-agent/blob/v1.4.1/pkg/utils/utils.go ComputeTrieValue
 */
const MAX_PORTS = 24;
/** DNS, which each team may use. */
const DNS = ["UDP 53", "TCP 53"];
/** Where pods of the cluster may be. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

/** A cluster, as far as its network policies depend on it. */
interface Enforcing {
  readonly kind: string;
  readonly networkPolicies?: boolean;
  readonly ipFamily?: IpFamily;
}

/** IP family of an EKS cluster whose policies may be enforced by EKS's agent; undefined for any other. */
export function policyAgentFamily({ kind, networkPolicies = false, ipFamily }: Enforcing): IpFamily | undefined {
  if (kind === "eks") return "ipv4";
  return kind === "eks-existing" && networkPolicies ? ipFamily : undefined;
}

/** A team's rules. */
interface TeamWithRules {
  readonly ingress: readonly AccessRule[];
  readonly egress: readonly AccessRule[];
}

/**
 * Warnings for rules that EKS's network policy agent does not enforce as Kubernetes defines them: too many ports for one address, and
 * addresses of another IP family. Paths are relative to `teams`.
 */
export function agentIssues(teams: readonly TeamWithRules[], ipFamily: IpFamily): SettingsIssue[] {
  return teams.flatMap((team, index) =>
    (["ingress", "egress"] as const).flatMap((direction) => [
      ...otherFamilyIssues(team[direction], ipFamily).map(({ path, ...issue }) => ({
        ...issue,
        path: [index, direction, ...path],
      })),
      ...portIssues(team[direction], direction === "egress" ? DNS : []).map((issue) => ({
        ...issue,
        path: [index, direction],
      })),
    ]),
  );
}

function otherFamilyIssues(rules: readonly AccessRule[], ipFamily: IpFamily): SettingsIssue[] {
  const message = `has no effect on EKS, which applies rules for ${ipFamily === "ipv4" ? "IPv4" : "IPv6"} alone to a cluster of that family`;
  return rules.flatMap(({ cidrs }, rule) =>
    cidrs.flatMap((cidr, place): SettingsIssue[] => {
      const [address] = ipaddr.parseCIDR(cidr);
      if (address.kind() === ipFamily) return [];
      return [{ path: [rule, "cidrs", place], message, value: cidr, severity: "warning" }];
    }),
  );
}

/** The worst address. @param others Combinations that other policies add for pods of the cluster. */
function portIssues(rules: readonly AccessRule[], others: readonly string[]): Omit<SettingsIssue, "path">[] {
  const peers = new Set(rules.flatMap(({ namespaces, cidrs }) => [...namespaces, ...cidrs]));
  const [worst] = [...peers]
    .map((peer) => ({ peer, count: combinationsFor(peer, rules, others).size }))
    .toSorted((one, other) => other.count - one.count);
  if (worst === undefined || worst.count <= MAX_PORTS) return [];
  const dns = others.length > 0 && mayHavePods(worst.peer) ? ", DNS included" : "";
  const message = `has ${worst.count} ports and port ranges for ${worst.peer}${dns}, of which EKS's network policy agent enforces any ${MAX_PORTS}: join some to ranges with endPort`;
  return [{ message, severity: "warning" }];
}

/** Combinations of protocol and ports that rules allow for a namespace or CIDR block, those of larger blocks included. */
function combinationsFor(peer: string, rules: readonly AccessRule[], others: readonly string[]): ReadonlySet<string> {
  const ofRules = rules
    .filter(({ namespaces, cidrs }) => namespaces.includes(peer) || cidrs.some((cidr) => isWithin(peer, cidr)))
    .flatMap(({ ports }) => ports?.map(combination) ?? ["all"]);
  return new Set([...ofRules, ...(mayHavePods(peer) ? others : [])]);
}

function combination(port: NonNullable<AccessRule["ports"]>[number]): string {
  if (typeof port === "number") return `TCP ${port}`;
  const { protocol, port: first, endPort = first } = port;
  return `${protocol} ${first === endPort ? first : `${first}-${endPort}`}`;
}

/** Whether a namespace's pods or a block's addresses may be pods that also get the rules for DNS. */
function mayHavePods(peer: string): boolean {
  return peer.includes("/") && PRIVATE.some((block) => isWithin(block, peer) || isWithin(peer, block));
}

function isWithin(inner: string, outer: string): boolean {
  if (!inner.includes("/") || !outer.includes("/")) return inner === outer;
  const [address, prefix] = ipaddr.parseCIDR(inner);
  const [network, size] = ipaddr.parseCIDR(outer);
  return address.kind() === network.kind() && prefix >= size && address.match(network, size);
}
