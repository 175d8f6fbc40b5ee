import { type Field, type Resource, someKnown } from "../../core/resource.ts";
import { type Report, type Rule, texts } from "../../core/rule.ts";
import { cis, kubernetes } from "../rule-sources.ts";

const GROUP = "kubernetes:rbac.authorization.k8s.io";

/** Types of the kinds, in each API version; patches, which change what is there, among them. */
function types(...kinds: readonly string[]): string[] {
  return ["v1", "v1beta1", "v1alpha1"].flatMap((version) =>
    kinds.flatMap((kind) => [`${GROUP}/${version}:${kind}`, `${GROUP}/${version}:${kind}Patch`]),
  );
}

/** Types of what says which rights there are. */
const ROLES: readonly string[] = types("Role", "ClusterRole");
/** Types of what says who has them. */
export const BINDINGS: readonly string[] = types("RoleBinding", "ClusterRoleBinding");

const FORBIDDEN_ROLES = texts("roles", "Forbidden ClusterRoles", ["cluster-admin"]);
const ESCALATING = ["bind", "escalate", "impersonate"];
const READING = ["get", "list", "watch", "*"];

/** What people and programs may do in the cluster. */
export const TENANCY_RBAC: readonly Rule[] = [
  {
    id: "tenancy-no-wildcards",
    family: "tenancy",
    level: "mandatory",
    title: "Roles have no wildcards",
    reason: "A wildcard also grants what the API adds later.",
    fix: "list the API groups, resources and verbs that are needed",
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
    title: "No binding grants cluster-admin or system:masters",
    reason: "Both grant everything, and RBAC cannot revoke system:masters.",
    fix: "bind a role with the permissions that are needed",
    source: cis("4.1.1"),
    options: [FORBIDDEN_ROLES],
    types: BINDINGS,
    check: (binding, report, settings) => {
      report.part(() => {
        const name = binding.at("roleRef", "name");
        if (binding.at("roleRef", "kind").text() === "Role") return;
        if (settings.get(FORBIDDEN_ROLES).includes(name.text() ?? "")) report.wrong(name, "which may do everything");
      });
      report.each(binding.at("subjects").items(), (subject) => {
        const name = subject.at("name");
        if (name.text() === "system:masters") report.wrong(name, "a group that passes all authorization checks");
      });
    },
  },
  {
    id: "tenancy-no-escalation",
    family: "tenancy",
    level: "mandatory",
    title: "No role may bind, escalate or impersonate",
    reason: "These verbs give a user another's rights.",
    fix: "remove the verb from the role",
    source: cis("4.1.8"),
    types: ROLES,
    check: (role, report) =>
      eachRule(role, report, (rule) =>
        report.each(rule.at("verbs").items(), (verb) => {
          const text = verb.text() ?? "";
          if (ESCALATING.includes(text) || (text === "*" && isOnRights(rule)))
            report.wrong(verb, "which gives any right away");
        }),
      ),
  },
  {
    id: "tenancy-no-secret-reading",
    family: "tenancy",
    level: "mandatory",
    title: "No role reads Secrets",
    reason: "They hold others' passwords, and list returns them too.",
    fix: "remove get, list and watch on secrets, and mount the one Secret that is needed",
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
    title: "No role grants nodes/proxy",
    reason: "It runs commands in every pod of a node, without audit.",
    fix: "grant only what is read: nodes/pods (Fluent Bit's Use_Kubelet), nodes/metrics, nodes/stats, nodes/log, nodes/healthz or nodes/configz",
    source: kubernetes(
      "Kubelet authorization, fine-grained (1.36)",
      "reference/access-authn-authz/kubelet-authn-authz/#fine-grained-authorization",
    ),
    types: ROLES,
    check: (role, report) =>
      eachRule(role, report, (rule) =>
        report.each(rule.at("resources").items(), (item) => {
          const text = item.text() ?? "";
          if (["nodes/proxy", "nodes/*", "*/proxy"].includes(text) || (text === "*" && proxies(rule)))
            report.wrong(item, "which runs commands in every pod of the node");
        }),
      ),
  },
];

/** Secrets of Kubernetes itself; another API group may call something of its own so. */
function isOnSecrets(rule: Field): boolean {
  return isOn(rule, "", ["secrets"]);
}

/** Resources on which the verbs of escalation count, by their API groups. */
const RIGHTS = {
  "": ["users", "groups", "serviceaccounts"],
  "rbac.authorization.k8s.io": ["roles", "clusterroles"],
  "authentication.k8s.io": ["uids"],
} satisfies Record<string, readonly string[]>;

function isOnRights(rule: Field): boolean {
  return someKnown(Object.entries(RIGHTS), ([group, resources]) => isOn(rule, group, resources));
}

/** Whether a rule on all resources lets a request through a node's proxy, which is a request for one node by its name. */
function proxies(rule: Field): boolean {
  return (
    isOn(rule, "", ["nodes/proxy"]) &&
    someKnown(rule.at("verbs").items(), (verb) => !["list", "watch", "deletecollection"].includes(verb.text() ?? ""))
  );
}

/** Whether a rule takes in one of these resources of an API group; `*` takes in all, and those to come. */
function isOn(rule: Field, group: string, resources: readonly string[]): boolean {
  const groups = rule.at("apiGroups").items();
  return (
    someKnown(rule.at("resources").items(), (item) => ["*", ...resources].includes(item.text() ?? "")) &&
    (groups.length === 0 || someKnown(groups, (item) => ["*", group].includes(item.text() ?? "")))
  );
}

function eachRule(role: Resource, report: Report, check: (rule: Field) => void): void {
  report.part(() => report.each(role.at("rules").items(), check));
}
