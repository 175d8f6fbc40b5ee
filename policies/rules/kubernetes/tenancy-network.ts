import { isDeepStrictEqual } from "node:util";
import { type Field, isKnownSo, type Resource, someKnown } from "../../core/resource.ts";
import type { Report, Rule, Settings } from "../../core/rule.ts";
import { aws, cis, kubernetes } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import {
  APP_LABEL,
  DNS_APP,
  DNS_WORKLOADS,
  hasCoreDns,
  SYSTEM_NAMESPACE,
  udpPortsOf,
} from "../../readers/cluster-dns.ts";
import { blocksOf, isLarger, isOpen, letEverythingThrough, NAME_LABEL, peersOf } from "../../readers/network-rules.ts";
import { NAMESPACE, nameOf, namespaceOf, podMetadataOf } from "../../readers/workload.ts";
import { inNamespace, isIn, isTeams, LABEL, NAMES } from "./tenancy.ts";

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const NAMESPACE_PATCH = "kubernetes:core/v1:NamespacePatch";
const DNS_PORT = 53;
/** Directions of traffic, each with the field of its rules. */
const DIRECTIONS = [
  ["Ingress", "ingress"],
  ["Egress", "egress"],
] as const;

/** Connections to and from a team's pods. */
export const TENANCY_NETWORK: readonly Rule[] = [
  {
    id: "tenancy-default-deny",
    family: "tenancy",
    level: "mandatory",
    title: "A team's namespace denies traffic by default",
    reason: "Otherwise every pod in the cluster can connect.",
    fix: "add a NetworkPolicy with podSelector {} and policyTypes [Ingress, Egress], and rules that name peers",
    source: cis("4.3.2"),
    options: [LABEL, NAMES],
    types: [NAMESPACE, POLICY],
    checkStack: (stack, report, settings) =>
      eachTeamNamespace(stack, report, settings, (namespace, policies) => {
        report.each(DIRECTIONS, ([type, rules]) => {
          report.each(policies, (policy) => {
            if (!isIn(policy, nameOf(namespace))) return;
            const written = policy.at("spec", rules).items();
            report.each(written, (rule) => {
              if (isOpen(rule)) report.wrong(rule, `which allows all ${type}`);
            });
            // Each rule may cover a part of all addresses and ports.
            if (
              !written.some((rule) => isKnownSo(() => isOpen(rule))) &&
              letEverythingThrough([policy.at("spec", rules)])
            )
              report.wrong(policy.at("spec", rules), `whose rules together allow all ${type}`);
          });
          report.part(() => {
            if (addUpToEverything(policies, nameOf(namespace), rules))
              report.missing(namespace, `its NetworkPolicies together allow all ${type}`);
          });
          const denies = (policy: Resource) =>
            isIn(policy, nameOf(namespace)) && selectsAll(policy) && typesOf(policy).includes(type);
          if (!someKnown(policies, denies))
            report.missing(namespace, `no NetworkPolicy denies ${type} for all of its pods`);
        });
      }),
  },
  {
    id: "tenancy-dns-egress",
    family: "tenancy",
    level: "mandatory",
    title: "Restricted egress still allows DNS over UDP and TCP",
    reason: "Without TCP, only long answers fail.",
    fix: "allow port 53 for both: ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
    source: kubernetes("Network policies", "concepts/services-networking/network-policies/"),
    options: [LABEL, NAMES],
    types: [NAMESPACE, POLICY],
    checkStack: (stack, report, settings) =>
      eachTeamNamespace(stack, report, settings, (namespace, policies) => {
        const here = (policy: Resource) => isIn(policy, nameOf(namespace));
        if (!someKnown(policies, (policy) => here(policy) && typesOf(policy).includes("Egress"))) return;
        report.each(["UDP", "TCP"], (protocol) => {
          if (
            !someKnown(policies, (policy) => here(policy) && selectsAll(policy) && letsDnsOut(policy, protocol, stack))
          )
            report.missing(namespace, `no NetworkPolicy allows DNS over ${protocol} 53`);
        });
      }),
  },
  {
    id: "tenancy-policy-agent",
    family: "tenancy",
    level: "advisory",
    title: "EKS's network policy agent allows all that the rules allow",
    reason: "An except also denies what other rules allow, and ports beyond 24 are dropped.",
    fix: "give the other rule a podSelector or a block of its own instead of all addresses",
    source: aws("Kubernetes network policies", "eks/latest/userguide/cni-network-policy.html"),
    options: [LABEL, NAMES],
    types: [NAMESPACE, POLICY],
    checkStack: (stack, report, settings) =>
      eachTeamNamespace(stack, report, settings, (namespace, policies) => {
        const here = (policy: Resource) => isIn(policy, nameOf(namespace));
        report.each(DIRECTIONS, ([, direction]) => {
          const all = policies.flatMap((policy) => rulesOf(policy.at("spec", direction)));
          report.each(policies, (policy) => {
            if (!here(policy)) return;
            const others = all.filter(({ owner }) => !isKnownSo(() => !here(owner)));
            report.each(policy.at("spec", direction).items(), (rule) => {
              reportPorts(rule, report);
              reportExceptions(rule, report, (block) => {
                const allows = (other: Field) =>
                  here(other.owner) && sharePods(policy, other.owner) && allowsAround(other, block);
                const found = others.find((other) => isKnownSo(() => allows(other)));
                // Whether another one does may be unknown.
                if (found === undefined) someKnown(others, allows);
                return found;
              });
            });
          });
        });
      }),
  },
];

/** Combinations of protocol and ports that EKS's network policy agent keeps for an address. */
const MAX_PORTS = 24;

function reportPorts(rule: Field, report: Report): void {
  const entries = rule.at("ports").items();
  const keys = ["protocol", "port", "endPort"];
  const { size } = new Set(entries.map((entry) => keys.map((key) => String(entry.at(key).raw)).join()));
  if (size > MAX_PORTS)
    report.wrongIn(
      rule.at("ports"),
      `${size} ports and ranges`,
      `of which the agent enforces any ${MAX_PORTS}`,
      "join some to ranges with endPort",
    );
}

/** Reports addresses that a rule excepts. @param allower The rule that allows them as a part of a larger block, if one does. */
function reportExceptions(rule: Field, report: Report, allower: (block: string) => Field | undefined): void {
  report.each(peersOf(rule), (peer) => {
    const list = peer.at("ipBlock", "except");
    for (const except of list.items()) {
      const block = except.text() ?? "";
      const denied = allower(block);
      if (denied === undefined) continue;
      report.wrong(list, `of which the agent denies ${block} also to ${denied.path} of ${denied.owner.label}`);
      return;
    }
  });
}

/** Whether a rule allows a block as a part of a larger one, or of all addresses. @throws {Undecided} */
function allowsAround(rule: Field, block: string): boolean {
  const peers = rule.isUnknown ? rule.items() : peersOf(rule);
  const holds = (cidr: string) => isLarger(cidr, block);
  const allows = (peer: Field) =>
    blocksOf(peer).some(
      ({ cidr, except = [] }) => holds(cidr) && !except.some((excepted) => excepted === block || holds(excepted)),
    );
  return peers.length === 0 || someKnown(peers, allows);
}

/** Whether policies may apply to the same pods: either is for all, or both have the same selector. @throws {Undecided} */
function sharePods(one: Resource, other: Resource): boolean {
  const selector = (policy: Resource) => policy.at("spec", "podSelector").raw;
  return someKnown([one, other], selectsAll) || isDeepStrictEqual(selector(one), selector(other));
}

/** The rules of a list; the list itself if they are unknown. */
function rulesOf(list: Field): Field[] {
  return list.isUnknown ? [list] : list.items();
}

/** Checks each team's namespace, with the policies that are or may be in it. */
function eachTeamNamespace(
  stack: Stack,
  report: Report,
  settings: Settings,
  check: (namespace: Resource, policies: readonly Resource[]) => void,
): void {
  report.each(stack.ofType(NAMESPACE), (namespace) => {
    if (isTeams(namespace, settings)) check(namespace, inNamespace(stack, POLICY, nameOf(namespace)));
  });
}

/** Whether a namespace's policies allow everything together, but none alone. Policies for the same pods add up. */
function addUpToEverything(policies: readonly Resource[], namespace: string, rules: "ingress" | "egress"): boolean {
  const isForAll = (policy: Resource) => isIn(policy, namespace) && selectsAll(policy);
  const listsOf = (chosen: readonly Resource[]) => chosen.map((policy) => policy.at("spec", rules));
  const certain = policies.filter((policy) => isKnownSo(() => isForAll(policy)));
  if (certain.some((policy) => isKnownSo(() => letEverythingThrough(listsOf([policy]))))) return false;
  if (letEverythingThrough(listsOf(certain))) return true;
  // It may be unknown whether one of the others is for all pods.
  const possible = policies.filter((policy) => certain.includes(policy) || !isKnownSo(() => !isForAll(policy)));
  return letEverythingThrough(listsOf(possible)) && possible.every(isForAll);
}

function selectsAll(policy: Resource): boolean {
  const selector = policy.at("spec", "podSelector");
  return selector.at("matchLabels").entries().length === 0 && selector.at("matchExpressions").items().length === 0;
}

/** Directions that a policy denies unless a rule allows them, with Kubernetes' defaults. */
function typesOf(policy: Resource): string[] {
  const types = policy
    .at("spec", "policyTypes")
    .items()
    .map((type) => type.text() ?? "");
  if (types.length > 0) return types;
  return policy.at("spec", "egress").isSet ? ["Ingress", "Egress"] : ["Ingress"];
}

function letsDnsOut(policy: Resource, protocol: string, stack: Stack): boolean {
  return someKnown(policy.at("spec", "egress").items(), (rule) => {
    const peers = rule.at("to").items();
    if (peers.length > 0 && !someKnown(peers, (peer) => mayBeDns(peer, stack))) return false;
    const ports = rule.at("ports").items();
    const isDns = (port: Field) =>
      (port.at("protocol").text() ?? "TCP") === protocol &&
      (coversDns(port) || someKnown(peers, (peer) => coversPodPort(peer, port, stack)));
    return ports.length === 0 || someKnown(ports, isDns);
  });
}

/** Pods without a namespace are in the policy's own, and DNS is in another. */
function mayBeDns(peer: Field, stack: Stack): boolean {
  if (peer.at("ipBlock").isSet) return true;
  const namespaces = peer.at("namespaceSelector");
  if (!namespaces.isSet) return false;
  const pods = peer.at("podSelector");
  if (selectsNamespace(namespaces, SYSTEM_NAMESPACE, stack) && maySelectDnsPods(pods, stack)) return true;
  return hasCoreDns(
    stack,
    (workload) => selectsNamespace(namespaces, namespaceOf(workload), stack) && selectsPodsOf(pods, workload),
  );
}

/**
 * Whether a port is that of DNS in the stack's CoreDNS pods: a policy sees the pods' ports instead of the Service's. Their only UDP port is
 * DNS.
 */
function coversPodPort(peer: Field, port: Field, stack: Stack): boolean {
  const first = port.at("port").number();
  if (first === undefined || !peer.at("namespaceSelector").isSet) return false;
  const last = port.at("endPort").number() ?? first;
  return hasCoreDns(
    stack,
    (workload) =>
      selectsNamespace(peer.at("namespaceSelector"), namespaceOf(workload), stack) &&
      selectsPodsOf(peer.at("podSelector"), workload) &&
      udpPortsOf(workload).some((port) => first <= port && port <= last),
  );
}

/** Whether a label exists and its value meets a condition. */
type HasLabel = (key: string, isValue: (value: string) => boolean) => boolean;

/** A selector must use a label that Kubernetes or this stack sets; `name` is neither. */
function selectsNamespace(selector: Field, name: string, stack: Stack): boolean {
  return selects(
    selector,
    (key, isValue) =>
      (key === NAME_LABEL && isValue(name)) ||
      someKnown(stack.ofType(NAMESPACE, NAMESPACE_PATCH), (namespace) => {
        if (nameOf(namespace) !== name) return false;
        const label = namespace.at("metadata", "labels", key);
        return label.isSet && isValue(label.text() ?? "");
      }),
  );
}

/** Only one label of DNS pods is known, unless the stack has pods there with another value. */
function maySelectDnsPods(selector: Field, stack: Stack): boolean {
  const has: HasLabel = (_key, isValue) =>
    isValue(DNS_APP) ||
    someKnown(stack.ofType(...DNS_WORKLOADS), (workload) => {
      if (namespaceOf(workload) !== SYSTEM_NAMESPACE) return false;
      const label = workload.at("spec", "template", "metadata", "labels", APP_LABEL);
      return label.isSet && isValue(label.text() ?? "");
    });
  return selects(selector, has, (key) => key === APP_LABEL);
}

function selectsPodsOf(selector: Field, workload: Resource): boolean {
  return selects(selector, (key, isValue) => {
    const label = podMetadataOf(workload).at("labels", key);
    return label.isSet && isValue(label.text() ?? "");
  });
}

/** Whether a selector matches labels. @param isKnown Keys that `has` knows; any other matches. Default: all. */
function selects(selector: Field, has: HasLabel, isKnown: (key: string) => boolean = () => true): boolean {
  const fits = selector
    .at("matchLabels")
    .entries()
    .every(([key, value]) => !isKnown(key) || has(key, (label) => label === value.text()));
  if (!fits) return false;
  return selector
    .at("matchExpressions")
    .items()
    .every((term) => {
      const key = term.at("key").text() ?? "";
      const values = term
        .at("values")
        .items()
        .map((value) => value.text());
      const operator = term.at("operator").text();
      if (!isKnown(key)) return true;
      if (operator === "In") return has(key, (value) => values.includes(value));
      if (operator === "Exists") return has(key, () => true);
      if (operator === "DoesNotExist") return !has(key, () => true);
      return operator === "NotIn" && !has(key, (value) => values.includes(value));
    });
}

function coversDns(port: Field): boolean {
  if (!port.at("port").isSet) return true;
  const first = port.at("port").number();
  if (first === undefined) return ["dns", "dns-tcp"].includes(port.at("port").text() ?? "");
  return first <= DNS_PORT && DNS_PORT <= (port.at("endPort").number() ?? first);
}
