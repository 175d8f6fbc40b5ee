import type { Field } from "../core/field.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import type { Stack } from "../core/stack.ts";
import { isTeamNamespace, NAMESPACE, NETWORK_POLICY } from "../kubernetes/namespace.ts";
import { nameOf, namespaceOf } from "../kubernetes/pod-spec.ts";
import { cis, kubernetes } from "./sources.ts";

const DNS_PORT = 53;
const POLICIES = [NAMESPACE, NETWORK_POLICY];

/** Who reaches a team's pods, and what they reach. */
export const TENANCY_NETWORK: readonly Rule[] = [
  {
    id: "tenancy-default-deny",
    family: "tenancy",
    level: "mandatory",
    title: "In a team's namespace no traffic passes that no policy names",
    reason: "A pod that no network policy selects is reached by every pod of the cluster.",
    fix: "add a NetworkPolicy with podSelector {} and policyTypes [Ingress, Egress], and without rules",
    source: cis("4.3.2"),
    types: POLICIES,
    checkStack: (stack, report) =>
      report.each(stack.ofType(NAMESPACE).filter(isTeam), (namespace) => {
        const policies = policiesIn(stack, namespace);
        const open = ["Ingress", "Egress"].filter((way) => !policies.some((policy) => deniesAll(policy, way)));
        if (open.length > 0)
          report.missing(namespace, `no NetworkPolicy of this stack denies all ${open.join(" and ")}`);
      }),
  },
  {
    id: "tenancy-dns-egress",
    family: "tenancy",
    level: "mandatory",
    title: "Where egress is restricted, DNS is open by UDP and by TCP",
    reason: "An answer that does not fit a UDP packet is asked again by TCP; without it only the long answers fail.",
    fix: "open port 53 for both: ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
    source: kubernetes("Network policies", "concepts/services-networking/network-policies/"),
    types: POLICIES,
    checkStack: (stack, report) => {
      report.each(stack.ofType(NETWORK_POLICY), (policy) =>
        report.each(policy.at("spec", "egress").items(), (rule) => {
          const [protocol, ...more] = dnsProtocols(rule);
          if (protocol !== undefined && more.length === 0)
            report.wrong(rule.at("ports"), `which opens DNS by ${protocol} alone`);
        }),
      );
      report.each(stack.ofType(NAMESPACE).filter(isTeam), (namespace) => {
        const policies = policiesIn(stack, namespace);
        if (!policies.some((policy) => isOf(policy, "Egress"))) return;
        const rules = policies.flatMap((policy) => policy.at("spec", "egress").items());
        if (!rules.some((rule) => dnsProtocols(rule).length > 0 || opensAll(rule)))
          report.missing(namespace, "its network policies restrict egress, and none opens port 53");
      });
    },
  },
];

/** An unknown label or name must not stop the others: it is told by the rules on namespaces. */
function isTeam(namespace: Resource): boolean {
  const name = namespace.at("metadata", "name");
  return name.isUnknown || namespace.at("metadata", "labels").isUnknown || isTeamNamespace(namespace);
}

function policiesIn(stack: Stack, namespace: Resource): Resource[] {
  const name = nameOf(namespace);
  return isTeamNamespace(namespace)
    ? stack.ofType(NETWORK_POLICY).filter((policy) => namespaceOf(policy) === name)
    : [];
}

function isOf(policy: Resource, way: string): boolean {
  return policy
    .at("spec", "policyTypes")
    .items()
    .some((type) => type.text() === way);
}

function deniesAll(policy: Resource, way: string): boolean {
  const spec = policy.at("spec");
  const selectsAll =
    spec.at("podSelector", "matchLabels").entries().length === 0 &&
    spec.at("podSelector", "matchExpressions").items().length === 0;
  return selectsAll && isOf(policy, way) && spec.at(way.toLowerCase()).items().length === 0;
}

function opensAll(rule: Field): boolean {
  return rule.at("ports").items().length === 0 && rule.at("to").items().length === 0;
}

/** Protocols by which an egress rule opens port 53 by its number; none where it names others, or no port. */
function dnsProtocols(rule: Field): string[] {
  const open = rule
    .at("ports")
    .items()
    .filter((port) => {
      const first = port.at("port").number();
      const last = port.at("endPort").number() ?? first;
      return first !== undefined && last !== undefined && first <= DNS_PORT && DNS_PORT <= last;
    });
  return [...new Set(open.map((port) => port.at("protocol").text() ?? "TCP"))];
}
