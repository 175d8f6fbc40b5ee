import type { Value } from "../../../policies/core/resource.ts";
import type { Sample } from "./samples.ts";

/** A ClusterRole with these rules. */
export const clusterRole = (...rules: readonly Value[]): Sample => [
  {
    type: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
    name: "role",
    props: { metadata: { name: "reader" }, rules },
  },
];

/** Rules of a role. */
export const PODS = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
export const EVERYTHING = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };

/** The beginning of messages on the role's first rule. */
export const R = "ClusterRole/reader: rules[0]";
