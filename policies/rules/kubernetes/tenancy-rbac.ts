import { type Field, type Resource, someKnown } from "../../core/resource.ts";
import { cis, kubernetes, type Report, type Rule, texts } from "../../core/rule.ts";
import { SYSTEM_NAMESPACE } from "../../readers/cluster-dns.ts";
import { CONFIG_MAPS, namespaceOf } from "../../readers/workload.ts";
import { isGroup, parseQuietly } from "../../readers/yaml-texts.ts";

const GROUP = "kubernetes:rbac.authorization.k8s.io";

/** Types of the kinds in all API versions, including patches. */
function types(...kinds: readonly string[]): string[] {
  return ["v1", "v1beta1", "v1alpha1"].flatMap((version) =>
    kinds.flatMap((kind) => [`${GROUP}/${version}:${kind}`, `${GROUP}/${version}:${kind}Patch`]),
  );
}

/** Types that define rights. */
export const ROLES: readonly string[] = types("Role", "ClusterRole");
/** Types that grant rights. */
export const BINDINGS: readonly string[] = types("RoleBinding", "ClusterRoleBinding");

/**
 * Whether a rule includes one of these resources of an API group; `*` includes all, and future ones.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export function isOn(rule: Field, group: string, resources: readonly string[]): boolean {
  const groups = rule.at("apiGroups").items();
  // A subresource, such as a service account's token, is also included by `*/token`.
  const parts = resources.flatMap((resource) => resource.split("/").slice(1)).map((part) => `*/${part}`);
  return (
    someKnown(rule.at("resources").items(), (item) => ["*", ...resources, ...parts].includes(item.text() ?? "")) &&
    (groups.length === 0 || someKnown(groups, (item) => ["*", group].includes(item.text() ?? "")))
  );
}

/** Whether a subject of a binding is this service account. */
export function isAccount(subject: Field, name: string, namespace: string, binding: Resource): boolean {
  return (
    subject.at("kind").text() === "ServiceAccount" &&
    subject.at("name").text() === name &&
    (subject.at("namespace").text() ?? namespaceOf(binding)) === namespace
  );
}

/**
 * Whether a subject of a binding includes this service account by its user name or a group.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
 */
export function includesAccount(subject: Field, name: string, namespace: string): boolean {
  const user = `system:serviceaccount:${namespace}:${name}`;
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  return [user, ...groups].includes(subject.at("name").text() ?? "");
}

/** Checks each rule of a role, as a separate part of the report. */
export function eachRule(role: Resource, report: Report, check: (rule: Field) => void): void {
  report.part(() => report.each(role.at("rules").items(), check));
}

const FORBIDDEN_ROLES = texts("roles", "Forbidden ClusterRoles", ["cluster-admin"]);
/** User and group of requests without credentials. */
const ANONYMOUS = ["system:anonymous", "system:unauthenticated"];
const MASTERS = "system:masters";
const PASSES_ALL = "a group that passes all authorization checks";
const READING = ["get", "list", "watch", "*"];

/** Rights of users and programs in the cluster. */
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
          report.wrong(selector, "which includes the rules of every ClusterRole", "name the label of the roles");
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
    types: [...BINDINGS, ...CONFIG_MAPS],
    check: (binding, report, settings) => {
      if (CONFIG_MAPS.includes(binding.type)) return checkMappings(binding, report);
      report.part(() => {
        const name = binding.at("roleRef", "name");
        if (binding.at("roleRef", "kind").text() === "Role") return;
        const where = binding.kind.startsWith("RoleBinding") ? " in its namespace" : "";
        if (settings.get(FORBIDDEN_ROLES).includes(name.text() ?? ""))
          report.wrong(name, `which may do everything${where}`);
      });
      report.each(binding.at("subjects").items(), (subject) => {
        const name = subject.at("name");
        if (name.text() === MASTERS) report.wrong(name, PASSES_ALL);
      });
    },
  },
  {
    id: "tenancy-no-anonymous",
    family: "tenancy",
    level: "mandatory",
    title: "No binding grants rights without authentication",
    reason: "Everyone who reaches the API server has them.",
    fix: "bind the role to users, groups or service accounts",
    source: kubernetes("RBAC good practices, hardening", "concepts/security/rbac-good-practices/#hardening"),
    types: BINDINGS,
    check: (binding, report) =>
      report.each(binding.at("subjects").items(), (subject) => {
        const name = subject.at("name");
        if (ANONYMOUS.includes(name.text() ?? "")) report.wrong(name, "which is everyone who reaches the API server");
      }),
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
        // A program may read single Secrets by name.
        if (rule.at("resourceNames").items().length > 0) return;
        report.each(reading, (verb) => {
          if (verb.text() !== undefined) report.wrong(verb, "on secrets, which shows their content");
        });
      }),
  },
];

/** Whether a rule includes Kubernetes' Secrets. Another API group may have a resource of the same name. */
function isOnSecrets(rule: Field): boolean {
  return isOn(rule, "", ["secrets"]);
}

/**
 * Reports IAM roles and users that the ConfigMap aws-auth puts into the group system:masters.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
 */
function checkMappings(map: Resource, report: Report): void {
  const fields = ["mapRoles", "mapUsers"].map((key) => map.at("data", key));
  // Most ConfigMaps have neither, so their names do not matter.
  if (fields.every(({ raw }) => raw === undefined)) return;
  if (map.at("metadata", "name").text() !== "aws-auth" || namespaceOf(map) !== SYSTEM_NAMESPACE) return;
  report.each(fields, (field) => {
    const mappings = parseQuietly(field.text() ?? "");
    for (const mapping of (Array.isArray(mappings) ? mappings : []).filter(isGroup)) {
      const { groups, rolearn, userarn } = mapping;
      if (Array.isArray(groups) && groups.includes(MASTERS))
        report.wrongIn(
          field,
          `${rolearn ?? userarn ?? "an entry"} is in ${MASTERS}`,
          PASSES_ALL,
          "make an access entry for it, with an access policy that has the permissions that are needed",
        );
    }
  });
}
