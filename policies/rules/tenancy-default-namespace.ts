import type { Field } from "../core/field.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import { namespaceOf } from "../kubernetes/pod-spec.ts";
import { cis } from "./sources.ts";

/** Kinds that belong to a namespace, of the API groups that Kubernetes itself brings. */
const NAMESPACED = new RegExp(
  `^kubernetes:(${[
    "core/v1:(Pod|PodTemplate|Service|ConfigMap|Secret|ServiceAccount|PersistentVolumeClaim|ResourceQuota|LimitRange|Endpoints|ReplicationController)",
    "(apps|extensions)/\\w+:(Deployment|DaemonSet|StatefulSet|ReplicaSet|Ingress|NetworkPolicy)",
    "batch/\\w+:(Job|CronJob)",
    "networking\\.k8s\\.io/\\w+:(NetworkPolicy|Ingress)",
    "rbac\\.authorization\\.k8s\\.io/\\w+:(Role|RoleBinding)",
    "policy/\\w+:PodDisruptionBudget",
    "autoscaling/\\w+:HorizontalPodAutoscaler",
    "coordination\\.k8s\\.io/\\w+:Lease",
  ].join("|")})$`,
);
const RELEASE = "kubernetes:helm.sh/v3:Release";

/** What is in nobody's namespace. */
export const TENANCY_DEFAULT_NAMESPACE: readonly Rule[] = [
  {
    id: "tenancy-no-default-namespace",
    family: "tenancy",
    level: "mandatory",
    title: "Nothing is in the namespace default",
    reason: "It has no owner, quota or policy, and everything that forgets its namespace lands there.",
    fix: "set metadata.namespace, or namespace of a Helm release",
    source: cis("4.5.2"),
    types: ["kubernetes:*"],
    check: (resource, report) => {
      const field = namespaceField(resource);
      if (isInDefault(resource, field)) report.wrong(field, "which is the namespace default");
    },
  },
];

function namespaceField(resource: Resource): Field {
  return resource.type === RELEASE ? resource.at("namespace") : resource.at("metadata", "namespace");
}

function isInDefault(resource: Resource, field: Field): boolean {
  // A patch makes nothing: what it changes is there already, such as the account default of each namespace.
  if (resource.kind.endsWith("Patch")) return false;
  if (resource.type === RELEASE)
    return (field.text() ?? resource.provider.at("namespace").text() ?? "default") === "default";
  // Whether a custom resource that names no namespace belongs to one, nobody knows.
  return NAMESPACED.test(resource.type) ? namespaceOf(resource) === "default" : field.text() === "default";
}
