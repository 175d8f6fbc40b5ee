import type { Resource } from "../core/resource.ts";
import { nameOf, namespaceOf } from "./pod-spec.ts";

export const NAMESPACE = "kubernetes:core/v1:Namespace";
export const NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** Types of objects that live in a namespace. */
export const NAMESPACED_TYPES: readonly string[] = [
  ...["ConfigMap", "Endpoints", "LimitRange", "PersistentVolumeClaim", "Pod", "PodTemplate"],
  ...["ReplicationController", "ResourceQuota", "Secret", "Service", "ServiceAccount"],
]
  .map((kind) => `kubernetes:core/v1:${kind}`)
  .concat(
    ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"].map((kind) => `kubernetes:apps/v1:${kind}`),
    ["CronJob", "Job"].map((kind) => `kubernetes:batch/v1:${kind}`),
    ["Role", "RoleBinding"].map((kind) => `kubernetes:rbac.authorization.k8s.io/v1:${kind}`),
    ["Ingress", "NetworkPolicy"].map((kind) => `kubernetes:networking.k8s.io/v1:${kind}`),
    ["kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "kubernetes:policy/v1:PodDisruptionBudget"],
  );

/** A namespace is a team's if it says so by its label, or is called so. */
export function isTeamNamespace(namespace: Resource): boolean {
  return namespace.at("metadata", "labels", "team").isSet || nameOf(namespace).endsWith("-team");
}

export function isInDefault(resource: Resource): boolean {
  return namespaceOf(resource) === "default";
}
