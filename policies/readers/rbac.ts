import { type Field, type Resource, someKnown } from "../core/resource.ts";
import type { Report } from "../core/rule.ts";

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

/**
 * Whether a rule takes in one of these resources of an API group; `*` takes in all, and those to come.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export function isOn(rule: Field, group: string, resources: readonly string[]): boolean {
  const groups = rule.at("apiGroups").items();
  // Of a part, such as the token of a service account, also by `*/token`.
  const parts = resources.flatMap((resource) => resource.split("/").slice(1)).map((part) => `*/${part}`);
  return (
    someKnown(rule.at("resources").items(), (item) => ["*", ...resources, ...parts].includes(item.text() ?? "")) &&
    (groups.length === 0 || someKnown(groups, (item) => ["*", group].includes(item.text() ?? "")))
  );
}

/** Runs a check on each rule of a role, as a part of its own. */
export function eachRule(role: Resource, report: Report, check: (rule: Field) => void): void {
  report.part(() => report.each(role.at("rules").items(), check));
}
