import type { Settings } from "../core/options.ts";
import { type Field, type Resource, someKnown } from "../core/resource.ts";
import type { Report, Rule } from "../core/rule.ts";
import type { Stack } from "../core/stack.ts";
import { nameOf } from "../kubernetes/workload.ts";
import { cis, kubernetes } from "./sources.ts";
import { inNamespace, isIn, isTeams, LABEL, NAMES, NAMESPACE } from "./team-namespaces.ts";

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const DNS_PORT = 53;
/** Each way with its list of rules. */
const WAYS = [
  ["Ingress", "ingress"],
  ["Egress", "egress"],
] as const;

/** Who reaches a team's pods, and what they reach. */
export const TENANCY_NETWORK: readonly Rule[] = [
  {
    id: "tenancy-default-deny",
    family: "tenancy",
    level: "mandatory",
    title: "In a team's namespace no traffic passes that no policy names",
    reason:
      "A pod that no policy selects is reached by every pod of the cluster, and a rule without peers and ports undoes all.",
    fix: "add a NetworkPolicy with podSelector {} and policyTypes [Ingress, Egress], and rules that name peers",
    source: cis("4.3.2"),
    options: [LABEL, NAMES],
    types: [NAMESPACE, POLICY],
    checkStack: (stack, report, settings) =>
      eachTeams(stack, report, settings, (namespace, policies) => {
        report.each(WAYS, ([type, rules]) => {
          report.each(policies, (policy) =>
            report.each(policy.at("spec", rules).items(), (rule) => {
              if (isIn(policy, nameOf(namespace)) && isOpen(rule)) report.wrong(rule, `which lets all ${type} through`);
            }),
          );
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
    title: "Where egress is denied, DNS is let out by UDP and by TCP",
    reason: "An answer too long for UDP is asked for again by TCP: without it only the long answers fail.",
    fix: "let port 53 out for both: ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
    source: kubernetes("Network policies", "concepts/services-networking/network-policies/"),
    options: [LABEL, NAMES],
    types: [NAMESPACE, POLICY],
    checkStack: (stack, report, settings) =>
      eachTeams(stack, report, settings, (namespace, policies) => {
        const here = (policy: Resource) => isIn(policy, nameOf(namespace));
        if (!someKnown(policies, (policy) => here(policy) && typesOf(policy).includes("Egress"))) return;
        report.each(["UDP", "TCP"], (protocol) => {
          if (!someKnown(policies, (policy) => here(policy) && selectsAll(policy) && letsDnsOut(policy, protocol)))
            report.missing(namespace, `no NetworkPolicy lets DNS out by ${protocol} 53`);
        });
      }),
  },
];

function eachTeams(
  stack: Stack,
  report: Report,
  settings: Settings,
  check: (namespace: Resource, policies: readonly Resource[]) => void,
): void {
  report.each(stack.ofType(NAMESPACE), (namespace) => {
    if (isTeams(namespace, settings)) check(namespace, inNamespace(stack, POLICY, nameOf(namespace)));
  });
}

function selectsAll(policy: Resource): boolean {
  const selector = policy.at("spec", "podSelector");
  return selector.at("matchLabels").entries().length === 0 && selector.at("matchExpressions").items().length === 0;
}

/** What a policy denies unless a rule lets it through; as Kubernetes fills it in. */
function typesOf(policy: Resource): string[] {
  const types = policy
    .at("spec", "policyTypes")
    .items()
    .map((type) => type.text() ?? "");
  if (types.length > 0) return types;
  return policy.at("spec", "egress").isSet ? ["Ingress", "Egress"] : ["Ingress"];
}

/** A rule without ports lets everything through where it names no peers, or every address as one. */
function isOpen(rule: Field): boolean {
  if (rule.at("ports").items().length > 0) return false;
  const peers = peersOf(rule);
  return peers.length === 0 || someKnown(peers, isEverybody);
}

function peersOf(rule: Field): Field[] {
  return ["from", "to"].flatMap((key) => rule.at(key).items());
}

function isEverybody(peer: Field): boolean {
  const block = peer.at("ipBlock");
  return ["0.0.0.0/0", "::/0"].includes(block.at("cidr").text() ?? "") && block.at("except").items().length === 0;
}

function letsDnsOut(policy: Resource, protocol: string): boolean {
  return someKnown(policy.at("spec", "egress").items(), (rule) => {
    const peers = rule.at("to").items();
    if (peers.length > 0 && !someKnown(peers, mayBeDns)) return false;
    const ports = rule.at("ports").items();
    const isDns = (port: Field) => (port.at("protocol").text() ?? "TCP") === protocol && coversDns(port);
    return ports.length === 0 || someKnown(ports, isDns);
  });
}

/** Pods without a namespace are those of the policy's own, and DNS is in another. */
function mayBeDns(peer: Field): boolean {
  if (peer.at("ipBlock").isSet) return true;
  if (!peer.at("namespaceSelector").isSet) return false;
  const named = peer.at("namespaceSelector", "matchLabels", "kubernetes.io/metadata.name").text();
  return named === undefined || named === "kube-system";
}

function coversDns(port: Field): boolean {
  if (!port.at("port").isSet) return true;
  const first = port.at("port").number();
  if (first === undefined) return ["dns", "dns-tcp"].includes(port.at("port").text() ?? "");
  return first <= DNS_PORT && DNS_PORT <= (port.at("endPort").number() ?? first);
}
