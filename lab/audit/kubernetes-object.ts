import { isObject } from "../../components/schema/values.ts";
import { Resource } from "../../policies/core/resource.ts";
import { type Group, readGroup } from "../../policies/core/value.ts";

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

/** What an object is without what the API server and controllers add to it. */
export function asResource(object: KubernetesObject, urn: string, provider: Group = {}): Resource {
  return new Resource({ urn, type: typeToken(object), name: object.name, props: declared(object.content), provider });
}

/** Fields of an object's metadata that the API server fills in. */
const SERVER_METADATA: readonly string[] = [
  ...["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields"],
  ...["ownerReferences", "resourceVersion", "selfLink", "uid"],
];
/** Annotations in which a tool keeps the object a second time. */
const COPIES: readonly string[] = ["kubectl.kubernetes.io/last-applied-configuration"];

function declared(content: KubernetesObject["content"]): Group {
  const { status: _, metadata, ...rest } = content;
  const known = isObject(metadata) ? metadata : {};
  const kept = Object.fromEntries(Object.entries(known).filter(([key]) => !SERVER_METADATA.includes(key)));
  if (isObject(kept.annotations))
    kept.annotations = Object.fromEntries(Object.entries(kept.annotations).filter(([key]) => !COPIES.includes(key)));
  return readGroup({ ...withoutDefaults(rest), metadata: kept }, () => false);
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
