import { LOGGING_NAMESPACE } from "../../components/logging/settings.ts";
import { isObject } from "../../components/schema/values.ts";
import { type Group, Resource, readGroup } from "../../policies/core/resource.ts";

/** A Kubernetes object from an API server or a manifest. */
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

/** Reads an object; undefined if the value is not one, such as a Helm chart's `values.yaml`. */
export function kubernetesObject(content: unknown, source?: SourceLine): KubernetesObject | undefined {
  if (!isObject(content) || !isObject(content.metadata)) return undefined;
  const { apiVersion, kind } = content;
  const { name, generateName, namespace } = content.metadata;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
  return {
    apiVersion,
    kind,
    name: typeof name === "string" ? name : generatedName(generateName),
    namespace: typeof namespace === "string" && namespace !== "" ? namespace : undefined,
    content,
    ...(source && { source }),
  };
}

/** The name of an object that the API server names, as far as it is known. */
function generatedName(prefix: unknown): string {
  return typeof prefix === "string" ? `${prefix}…` : "";
}

/** The value at a path of an object; undefined if absent. */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((inner: unknown, key) => {
    if (Array.isArray(inner)) return typeof key === "number" ? inner[key] : undefined;
    return isObject(inner) ? inner[key] : undefined;
  }, value);
}

/** The text at a path; undefined for any other value. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "string" ? found : undefined;
}

/** The list at a path; empty for any other value. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The fields at a path; none for any other value. */
export function groupAt(value: unknown, ...path: readonly (string | number)[]): Readonly<Record<string, unknown>> {
  const found = valueAt(value, ...path);
  return isObject(found) ? found : {};
}

/** The fields at a path whose value is text. */
export function textsAt(value: unknown, ...path: readonly (string | number)[]): Readonly<Record<string, string>> {
  const texts = Object.entries(groupAt(value, ...path)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
}

/** `Deployment/kube-system/coredns`, or `Namespace/payments`. */
export function objectName({ kind, namespace, name }: Pick<KubernetesObject, "kind" | "namespace" | "name">): string {
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}

/** Pulumi's type token of a kind: `kubernetes:apps/v1:Deployment`. */
export function typeToken({ apiVersion, kind }: Pick<KubernetesObject, "apiVersion" | "kind">): string {
  return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/**
 * Strips what the API server and controllers add to an object.
 * @param live Whether the API server has filled in its defaults. A manifest is checked as written.
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
/** Annotations in which a tool keeps a copy of the object. */
const COPIES: readonly string[] = ["kubectl.kubernetes.io/last-applied-configuration"];

function declared(content: KubernetesObject["content"], live: boolean): Group {
  const { status: _, metadata, ...rest } = content;
  const fields = isObject(metadata) ? metadata : {};
  const kept = Object.fromEntries(Object.entries(fields).filter(([key]) => !SERVER_METADATA.includes(key)));
  if (isObject(kept.annotations))
    kept.annotations = Object.fromEntries(Object.entries(kept.annotations).filter(([key]) => !COPIES.includes(key)));
  return readGroup({ ...(live ? withoutDefaults(rest) : rest), metadata: kept }, () => false);
}

/**
 * Removes the host ports that the API server fills in: with `hostNetwork`, every container port becomes a host port, and `hostNetwork`
 * itself is what to report.
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/v1/defaults.go
 */
function withoutDefaults(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === "spec" && isObject(inner) && inner.hostNetwork === true) return [key, withoutHostPorts(inner)];
      // A pod spec occurs only below `spec`, `template` and `jobTemplate`.
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

/** The controller that created an object and reconciles it. */
interface Owner {
  readonly uid: string;
  readonly key: string;
}

/** The controller of an object, such as the ReplicaSet of a Pod; undefined for objects that a user applied. */
function controllerOf({ content, namespace }: KubernetesObject): Owner | undefined {
  const owner = listAt(content, "metadata", "ownerReferences").find(
    (reference) => valueAt(reference, "controller") === true,
  );
  if (owner === undefined) return undefined;
  const { uid, kind, name } = groupAt(owner);
  return { uid: String(uid), key: `${kind}/${namespace ?? ""}/${name}` };
}

/** Identifies an object among all of its kind. */
export function objectKey({ kind, namespace, name }: KubernetesObject): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}

/**
 * Drops objects that a controller created: a Pod of a Deployment's ReplicaSet is reported once, at the Deployment. If the owner is not
 * among the objects, such as a custom resource, its first child stands for all.
 */
export function withoutOwned(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const present = new Set(
    objects.flatMap((object) => [objectKey(object), textAt(object.content, "metadata", "uid") ?? "no uid"]),
  );
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

/** Whether this program created an object, under any state. */
export function isOwn({ content }: KubernetesObject): boolean {
  return textAt(content, "metadata", "labels", "app.kubernetes.io/part-of") === "eks-dns-logging";
}

/**
 * URN of an object that this program created, so that its built-in exemptions apply: its collector may read the node's logs. Undefined for
 * all others. This is safe, because anyone who may write to the collector's namespace could use the collector itself.
 * @param namespaces Those of collectors, by {@link collectorNamespaces}.
 */
export function ownUrn(object: KubernetesObject, namespaces: ReadonlySet<string>): string | undefined {
  const resource = isOwn(object) ? ownResource(object, namespaces) : undefined;
  if (resource === undefined) return undefined;
  const [component, pulumiName] = resource;
  return `urn:pulumi:audit::eks-dns-logging::eks-dns-logging:${component}$${typeToken(object)}::${pulumiName}`;
}

/** Namespaces that this program created for collectors: only who may change Namespaces can name one. */
export function collectorNamespaces(objects: readonly KubernetesObject[]): ReadonlySet<string> {
  const isOfCollector = (object: KubernetesObject) =>
    object.kind === "Namespace" &&
    isOwn(object) &&
    textAt(object.content, "metadata", "labels", "app.kubernetes.io/name") === "logging";
  return new Set([LOGGING_NAMESPACE, ...objects.filter(isOfCollector).map(({ name }) => name)]);
}

function ownResource(
  { kind, name, namespace }: KubernetesObject,
  namespaces: ReadonlySet<string>,
): readonly [component: string, pulumiName: string] | undefined {
  if (kind === "Namespace" && namespaces.has(name)) return ["logging:LogCollection", "logs-namespace"];
  if (kind === "DaemonSet" && name === "node-local-dns" && namespace === "kube-system")
    return ["dns:NodeLocalCache", "coredns-local-daemon"];
  if (namespace === undefined || !namespaces.has(namespace)) return undefined;
  if (kind === "DaemonSet") return ["logging:CollectorDaemonSet", `logs-${name}-daemonset`];
  if (kind === "StatefulSet" && name === "opensearch") return ["logging:InClusterOpenSearch", "logs-opensearch-node"];
  if (kind === "Deployment" && name === "opensearch-dashboards")
    return ["logging:InClusterOpenSearch", "logs-opensearch-dashboards"];
  return undefined;
}

/** Namespaces that every cluster has, whose content came with the cluster. */
const SYSTEM_NAMESPACES: readonly string[] = ["kube-system", "kube-public", "kube-node-lease"];

/** Objects that the control plane creates in every namespace, or in `default`. */
const IN_EACH_NAMESPACE: readonly string[] = ["ConfigMap/kube-root-ca.crt", "ServiceAccount/default"];
const IN_DEFAULT: readonly string[] = ["Service/kubernetes", "Endpoints/kubernetes", "EndpointSlice/kubernetes"];

/** Name prefixes reserved by Kubernetes, EKS and kubeadm. */
const RESERVED_NAMES = /^(system:|eks:|kubeadm:)/;
/** Roles and bindings that EKS creates without a reserved prefix. */
const EKS_ROLES: readonly string[] = [
  "aws-node",
  "vpc-resource-controller-role",
  "vpc-resource-controller-rolebinding",
];

/** CoreDNS's configuration, also under the name that its Helm chart uses. The platform team owns it, so it is not the cluster's own. */
const COREFILE = /^ConfigMap\/(.+-)?coredns$/;

/**
 * Whether an object came with the cluster: nobody can change it, or the next upgrade restores it. Rules may read it, but do not report it.
 * @param includeSystem Whether to report workloads in the system namespaces too.
 */
export function isSystem(object: KubernetesObject, includeSystem: boolean): boolean {
  const { kind, name, namespace, content } = object;
  const short = `${kind}/${name}`;
  if (kind === "Namespace") return name === "default" || SYSTEM_NAMESPACES.includes(name);
  if (isBootstrapRole(content) || (kind.startsWith("ClusterRole") && EKS_ROLES.includes(name))) return true;
  if (/Role(Binding)?$/.test(kind) && RESERVED_NAMES.test(name)) return true;
  if (IN_EACH_NAMESPACE.includes(short) || (namespace === "default" && IN_DEFAULT.includes(short))) return true;
  if (namespace === undefined || !SYSTEM_NAMESPACES.includes(namespace)) return false;
  return !includeSystem && !(namespace === "kube-system" && COREFILE.test(short));
}

/** RBAC's default roles, which the API server restores at each start. */
function isBootstrapRole(content: KubernetesObject["content"]): boolean {
  return valueAt(content, "metadata", "labels", "kubernetes.io/bootstrapping") === "rbac-defaults";
}
