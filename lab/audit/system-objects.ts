import { isObject } from "../../components/schema/values.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";

/** Namespaces that each cluster has: what runs in them came with the cluster. */
const SYSTEM_NAMESPACES: readonly string[] = ["kube-system", "kube-public", "kube-node-lease"];

/** What the control plane puts into each namespace, or into `default`. */
const IN_EACH_NAMESPACE: readonly string[] = ["ConfigMap/kube-root-ca.crt", "ServiceAccount/default"];
const IN_DEFAULT: readonly string[] = ["Service/kubernetes", "Endpoints/kubernetes", "EndpointSlice/kubernetes"];

/** Beginnings of names that Kubernetes, EKS and kubeadm keep for themselves. */
const RESERVED_NAMES = /^(system:|eks:|kubeadm:)/;
/** Roles and bindings that EKS makes under other names. */
const EKS_ROLES: readonly string[] = [
  "aws-node",
  "vpc-resource-controller-role",
  "vpc-resource-controller-rolebinding",
];

/** CoreDNS's configuration, which is the platform team's and this program's subject. */
const COREFILE = "ConfigMap/coredns";

/**
 * Whether an object came with the cluster: nobody can change it, or the next upgrade puts it back. Other rules may read it, and none
 * reports it.
 * @param everything Whether what runs in the system namespaces counts too.
 */
export function isSystem(object: KubernetesObject, everything: boolean): boolean {
  const { kind, name, namespace, content } = object;
  const short = `${kind}/${name}`;
  if (kind === "Namespace") return name === "default" || SYSTEM_NAMESPACES.includes(name);
  if (isBootstrapRole(content) || (kind.startsWith("ClusterRole") && EKS_ROLES.includes(name))) return true;
  if (/Role(Binding)?$/.test(kind) && RESERVED_NAMES.test(name)) return true;
  if (IN_EACH_NAMESPACE.includes(short) || (namespace === "default" && IN_DEFAULT.includes(short))) return true;
  if (namespace === undefined || !SYSTEM_NAMESPACES.includes(namespace)) return false;
  return !everything && !(namespace === "kube-system" && short === COREFILE);
}

/** RBAC's own roles, which the API server restores whenever it starts. */
function isBootstrapRole({ metadata }: KubernetesObject["content"]): boolean {
  return (
    isObject(metadata) &&
    isObject(metadata.labels) &&
    metadata.labels["kubernetes.io/bootstrapping"] === "rbac-defaults"
  );
}
