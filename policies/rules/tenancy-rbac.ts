import { texts } from "../core/options.ts";
import { type Field, type Resource, someKnown } from "../core/resource.ts";
import type { Report, Rule } from "../core/rule.ts";
import { fluentBitConfigs } from "../fluent-bit/collectors-in-stack.ts";
import { cis, kubernetes } from "./sources.ts";

const GROUP = "kubernetes:rbac.authorization.k8s.io";

/** Types of the kinds, in each API version; patches, which change what is there, among them. */
function types(...kinds: readonly string[]): string[] {
  return ["v1", "v1beta1", "v1alpha1"].flatMap((version) =>
    kinds.flatMap((kind) => [`${GROUP}/${version}:${kind}`, `${GROUP}/${version}:${kind}Patch`]),
  );
}

/** Types of what says which rights there are. */
export const ROLES: readonly string[] = types("Role", "ClusterRole");
/** Types of what says who has them. */
export const BINDINGS: readonly string[] = types("RoleBinding", "ClusterRoleBinding");

const FORBIDDEN_ROLES = texts("roles", "ClusterRoles that nobody is bound to", ["cluster-admin"]);
const READING = ["get", "list", "watch", "*"];

/** What people and programs may do in the cluster. */
export const TENANCY_RBAC: readonly Rule[] = [
  {
    id: "tenancy-no-wildcards",
    family: "tenancy",
    level: "mandatory",
    title: "No role holds a wildcard",
    reason: "A wildcard grants also what the API will only have tomorrow.",
    fix: "name the API groups, resources and verbs that are needed",
    source: cis("4.1.3"),
    types: ROLES,
    check: (role, report) => {
      eachRule(role, report, (rule) => {
        const lists = ["apiGroups", "resources", "verbs", "nonResourceURLs"].map((key) => rule.at(key));
        report.each(lists, (list) =>
          report.each(list.items(), (item) => {
            if (item.text()?.includes("*")) report.wrong(item, "a wildcard");
          }),
        );
      });
      report.each(role.at("aggregationRule", "clusterRoleSelectors").items(), (selector) => {
        const wanted = [...selector.at("matchLabels").entries(), ...selector.at("matchExpressions").items()];
        if (wanted.length === 0)
          report.wrong(selector, "which takes in the rules of every ClusterRole", "name the label of the roles");
      });
    },
  },
  {
    id: "tenancy-no-cluster-admin",
    family: "tenancy",
    level: "mandatory",
    title: "Nobody is bound to cluster-admin or put into system:masters",
    reason: "Both may do everything, and system:masters cannot even be taken back by RBAC.",
    fix: "bind a role with the rights that are needed",
    source: cis("4.1.1"),
    options: [FORBIDDEN_ROLES],
    types: BINDINGS,
    check: (binding, report, settings) => {
      report.part(() => {
        const name = binding.at("roleRef", "name");
        if (settings.get(FORBIDDEN_ROLES).includes(name.text() ?? "")) report.wrong(name, "which may do everything");
      });
      report.each(binding.at("subjects").items(), (subject) => {
        const name = subject.at("name");
        if (name.text() === "system:masters") report.wrong(name, "a group that passes all authorization by");
      });
    },
  },
  {
    id: "tenancy-no-escalation",
    family: "tenancy",
    level: "mandatory",
    title: "No role may bind, escalate or impersonate",
    reason: "Each of these verbs makes a user anybody else.",
    fix: "take the verb out of the role",
    source: cis("4.1.8"),
    types: ROLES,
    check: (role, report) =>
      eachRule(role, report, (rule) =>
        report.each(rule.at("verbs").items(), (verb) => {
          if (["bind", "escalate", "impersonate"].includes(verb.text() ?? ""))
            report.wrong(verb, "which gives any right away");
        }),
      ),
  },
  {
    id: "tenancy-no-secret-reading",
    family: "tenancy",
    level: "mandatory",
    title: "No role reads Secrets",
    reason: "Secrets hold the tokens and passwords of others; also a list shows their content.",
    fix: "take get, list and watch on secrets out, and mount the one Secret that is needed",
    source: cis("4.1.2"),
    types: ROLES,
    check: (role, report) =>
      eachRule(role, report, (rule) => {
        const reading = rule
          .at("verbs")
          .items()
          .filter((verb) => verb.isUnknown || READING.includes(verb.text() ?? ""));
        if (reading.length === 0 || !isOnSecrets(rule)) return;
        // One Secret by its name is what a program may be given.
        if (rule.at("resourceNames").items().length > 0) return;
        report.each(reading, (verb) => {
          if (verb.text() !== undefined) report.wrong(verb, "on secrets, which shows their content");
        });
      }),
  },
  {
    id: "tenancy-nodes-proxy",
    family: "tenancy",
    level: "mandatory",
    title: "nodes/proxy is granted only where a collector asks the kubelet",
    reason: "nodes/proxy runs commands in every pod of a node, past admission and audit.",
    fix: "take nodes/proxy out, or set Use_Kubelet on in the Fluent Bit configuration that needs it",
    source: kubernetes(
      "RBAC good practices, nodes/proxy",
      "concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes",
    ),
    types: [...ROLES, "kubernetes:core/v1:ConfigMap", "kubernetes:apps/v1:DaemonSet"],
    checkStack: (stack, report) =>
      report.each(stack.ofType(...ROLES), (role) =>
        eachRule(role, report, (rule) =>
          report.each(rule.at("resources").items(), (item) => {
            if (!["nodes/proxy", "nodes/*"].includes(item.text() ?? "")) return;
            const filters = fluentBitConfigs(stack, report).flatMap((config) => config.filters);
            const asksKubelet = someKnown(
              filters.filter(({ name }) => name === "kubernetes"),
              (filter) => filter.isOn("use_kubelet"),
            );
            if (!asksKubelet) report.wrong(item, "though no collector of this stack asks the kubelet");
          }),
        ),
      ),
  },
];

/** Secrets of Kubernetes itself; another API group may call something of its own so. */
function isOnSecrets(rule: Field): boolean {
  const groups = rule.at("apiGroups").items();
  return (
    someKnown(rule.at("resources").items(), (item) => item.text() === "secrets") &&
    (groups.length === 0 || someKnown(groups, (group) => ["", "*"].includes(group.text() ?? "")))
  );
}

function eachRule(role: Resource, report: Report, check: (rule: Field) => void): void {
  report.part(() => report.each(role.at("rules").items(), check));
}
