import { LOGGING_NAMESPACE } from "../../components/logging/pipeline.ts";
import { isObject } from "../../components/schema/values.ts";
import { type Group, Resource, readGroup } from "../../policies/core/resource.ts";

/** A Kubernetes object as an API server or a manifest has it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined for a cluster-scoped object, and for a manifest that names none. */
  readonly namespace: string | undefined;
  readonly content: Readonly<Record<string, unknown>>;
  /** File and line of a manifest. */
  readonly source?: SourceLine;
}

export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Reads an object; undefined where the value is none, such as a Helm chart's `values.yaml`. */
export function kubernetesObject(content: unknown, source?: SourceLine): KubernetesObject | undefined {
  if (!isObject(content) || !isObject(content.metadata)) return undefined;
  const { apiVersion, kind } = content;
  const { name, generateName, namespace } = content.metadata;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
  return {
    apiVersion,
    kind,
    name: typeof name === "string" ? name : typeof generateName === "string" ? `${generateName}…` : "",
    namespace: typeof namespace === "string" && namespace !== "" ? namespace : undefined,
    content,
    ...(source && { source }),
  };
}

/** Pulumi's type token of a kind: `kubernetes:apps/v1:Deployment`. */
function typeToken({ apiVersion, kind }: Pick<KubernetesObject, "apiVersion" | "kind">): string {
  return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/**
 * What an object is without what the API server and controllers add to it.
 * @param live Whether the API server has filled in its defaults. A manifest is checked as it is written.
 */
export function asResource(object: KubernetesObject, urn: string, live: boolean, provider: Group = {}): Resource {
  const props = declared(object.content, live);
  return new Resource({ urn, type: typeToken(object), name: object.name, props, provider });
}

/** Fields of an object's metadata that the API server fills in. */
const SERVER_METADATA: readonly string[] = [
  ...["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields"],
  ...["ownerReferences", "resourceVersion", "selfLink", "uid"],
];
/** Annotations in which a tool keeps the object a second time. */
const COPIES: readonly string[] = ["kubectl.kubernetes.io/last-applied-configuration"];

function declared(content: KubernetesObject["content"], live: boolean): Group {
  const { status: _, metadata, ...rest } = content;
  const known = isObject(metadata) ? metadata : {};
  const kept = Object.fromEntries(Object.entries(known).filter(([key]) => !SERVER_METADATA.includes(key)));
  if (isObject(kept.annotations))
    kept.annotations = Object.fromEntries(Object.entries(kept.annotations).filter(([key]) => !COPIES.includes(key)));
  return readGroup({ ...(live ? withoutDefaults(rest) : rest), metadata: kept }, () => false);
}

/**
 * Takes the host ports out that the API server fills in: on the node's network each container port is one, whether it was asked for or
 * not, and `hostNetwork` is what there is to report.
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/v1/defaults.go
 */
function withoutDefaults(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === "spec" && isObject(inner) && inner.hostNetwork === true) return [key, withoutHostPorts(inner)];
      // A pod's spec stands below `spec`, `template` and `jobTemplate` alone.
      const isAbovePod = ["spec", "template", "jobTemplate"].includes(key);
      return [key, isAbovePod && isObject(inner) ? withoutDefaults(inner) : inner];
    }),
  );
}

function withoutHostPorts(pod: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const cleaned = (containers: unknown) =>
    Array.isArray(containers)
      ? containers.map((container: unknown) =>
          isObject(container) && Array.isArray(container.ports)
            ? { ...container, ports: container.ports.map(withoutFilledPort) }
            : container,
        )
      : containers;
  return Object.fromEntries(
    Object.entries(pod).map(([key, value]) => [key, /containers$/i.test(key) ? cleaned(value) : value]),
  );
}

function withoutFilledPort(port: unknown): unknown {
  if (!isObject(port) || port.hostPort !== port.containerPort) return port;
  const { hostPort: _, ...rest } = port;
  return rest;
}

/** The controller that made an object and keeps it as it wants it. */
interface Owner {
  readonly uid: string;
  readonly key: string;
}

/** The controller of an object, such as the ReplicaSet of a Pod; undefined for what somebody applied. */
function controllerOf({ content, namespace }: KubernetesObject): Owner | undefined {
  const references: unknown = isObject(content.metadata) ? content.metadata.ownerReferences : undefined;
  if (!Array.isArray(references)) return undefined;
  for (const reference of references) {
    if (!isObject(reference) || reference.controller !== true) continue;
    const { uid, kind, name } = reference;
    return { uid: String(uid), key: `${kind}/${namespace ?? ""}/${name}` };
  }
  return undefined;
}

/** What identifies an object among all of its kind and version. */
export function objectKey({ kind, namespace, name }: KubernetesObject): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}

/**
 * The objects that somebody wrote: a Pod of a ReplicaSet of a Deployment is reported once, at the Deployment. Where the owner is not among
 * the objects, such as one of a custom kind, the first of those that it made stands for all.
 */
export function withoutOwned(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const present = new Set(objects.flatMap((object) => [objectKey(object), uidOf(object)]));
  const represented = new Set<string>();
  return objects.filter((object) => {
    const owner = controllerOf(object);
    if (owner === undefined) return true;
    if (present.has(owner.uid) || present.has(owner.key)) return false;
    const group = `${object.kind} of ${owner.uid}`;
    if (represented.has(group)) return false;
    represented.add(group);
    return true;
  });
}

function uidOf({ content }: KubernetesObject): string {
  return isObject(content.metadata) && typeof content.metadata.uid === "string" ? content.metadata.uid : "no uid";
}

/**
 * URN of an object that this program itself made, under which its built-in exemptions stand: its collector may read the node's logs.
 * Undefined for all others. Anyone who may write to the collector's namespace could do as much with the collector itself.
 */
export function ownUrn({ apiVersion, kind, name, namespace, content }: KubernetesObject): string | undefined {
  const labels: unknown = isObject(content.metadata) ? content.metadata.labels : undefined;
  if (!isObject(labels) || labels["app.kubernetes.io/part-of"] !== "eks-dns-logging") return undefined;
  const own = ownResource(kind, name, namespace);
  if (own === undefined) return undefined;
  const [component, pulumiName] = own;
  const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
  return `urn:pulumi:audit::eks-dns-logging::eks-dns-logging:${component}$kubernetes:${group}:${kind}::${pulumiName}`;
}

function ownResource(
  kind: string,
  name: string,
  namespace: string | undefined,
): readonly [component: string, pulumiName: string] | undefined {
  if (kind === "Namespace" && name === LOGGING_NAMESPACE) return ["logging:LogCollection", "logs-namespace"];
  if (kind === "DaemonSet" && name === "node-local-dns" && namespace === "kube-system")
    return ["dns:NodeLocalCache", "coredns-local-daemon"];
  if (namespace !== LOGGING_NAMESPACE) return undefined;
  if (kind === "DaemonSet") return ["logging:CollectorDaemonSet", `logs-${name}-daemonset`];
  if (kind === "StatefulSet" && name === "opensearch") return ["logging:InClusterOpenSearch", "logs-opensearch-node"];
  if (kind === "Deployment" && name === "opensearch-dashboards")
    return ["logging:InClusterOpenSearch", "logs-opensearch-dashboards"];
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

/** CoreDNS's configuration, also by the name that its Helm chart gives it, which is the platform team's and this program's subject. */
const COREFILE = /^ConfigMap\/(.+-)?coredns$/;

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
  return !everything && !(namespace === "kube-system" && COREFILE.test(short));
}

/** RBAC's own roles, which the API server restores whenever it starts. */
function isBootstrapRole({ metadata }: KubernetesObject["content"]): boolean {
  return (
    isObject(metadata) &&
    isObject(metadata.labels) &&
    metadata.labels["kubernetes.io/bootstrapping"] === "rbac-defaults"
  );
}
