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
