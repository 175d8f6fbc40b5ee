import { type Field, type Resource, someKnown } from "../core/resource.ts";
import type { Report } from "../core/rule.ts";

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

/** Checks each rule of a role, as a separate part of the report. */
export function eachRule(role: Resource, report: Report, check: (rule: Field) => void): void {
  report.part(() => report.each(role.at("rules").items(), check));
}
