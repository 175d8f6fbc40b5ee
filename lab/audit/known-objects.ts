import { LOGGING_NAMESPACE } from "../../components/logging/pipeline.ts";
import { isObject } from "../../components/schema/values.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";

/**
 * URN of an object that this program itself made, under which its built-in exemptions stand: its collector may read the node's logs.
 * Undefined for all others. Anyone who may write to the collector's namespace could do as much with the collector itself.
 */
export function ownUrn({ apiVersion, kind, name, namespace, content }: KubernetesObject): string | undefined {
  const labels: unknown = isObject(content.metadata) ? content.metadata.labels : undefined;
  if (!isObject(labels) || labels["app.kubernetes.io/part-of"] !== "eks-dns-logging") return undefined;
  const pulumiName = pulumiNameOf(kind, name, namespace);
  if (pulumiName === undefined) return undefined;
  const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
  return `urn:pulumi:audit::eks-dns-logging::kubernetes:${group}:${kind}::${pulumiName}`;
}

function pulumiNameOf(kind: string, name: string, namespace: string | undefined): string | undefined {
  if (kind === "Namespace" && name === LOGGING_NAMESPACE) return "logs-namespace";
  if (kind === "DaemonSet" && name === "node-local-dns" && namespace === "kube-system") return "coredns-local-daemon";
  if (namespace !== LOGGING_NAMESPACE) return undefined;
  if (kind === "DaemonSet") return `logs-${name}-daemonset`;
  if (kind === "StatefulSet" && name === "opensearch") return "logs-opensearch-node";
  if (kind === "Deployment" && name === "opensearch-dashboards") return "logs-opensearch-dashboards";
  return undefined;
}

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
