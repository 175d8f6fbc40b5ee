import type { Field, Resource } from "../core/resource.ts";

/** Custom kinds with the template of a pod, which may stand elsewhere: Argo Rollouts, OpenKruise, Knative and KEDA. */
const CUSTOM =
  /^kubernetes:(argoproj\.io\/\w+:Rollout|apps\.kruise\.io\/\w+:(CloneSet|StatefulSet|DaemonSet)|serving\.knative\.dev\/\w+:(Service|Configuration)|keda\.sh\/\w+:ScaledJob)$/;

/** Where the pod's spec stands in each kind that makes pods, all API versions alike. */
const PATHS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^kubernetes:core\/v1:Pod$/, ["spec"]],
  [/^kubernetes:core\/v1:PodTemplate$/, ["template", "spec"]],
  [/^kubernetes:core\/v1:ReplicationController$/, ["spec", "template", "spec"]],
  [/^kubernetes:(apps|extensions)\/\w+:(Deployment|DaemonSet|StatefulSet|ReplicaSet)$/, ["spec", "template", "spec"]],
  [/^kubernetes:batch\/\w+:Job$/, ["spec", "template", "spec"]],
  [/^kubernetes:batch\/\w+:CronJob$/, ["spec", "jobTemplate", "spec", "template", "spec"]],
  [/^kubernetes:keda\.sh\/\w+:ScaledJob$/, ["spec", "jobTargetRef", "template", "spec"]],
  [CUSTOM, ["spec", "template", "spec"]],
];
const PATCH = /Patch$/;

/** Types of the resources that make pods. */
export const WORKLOADS: readonly string[] = [
  "kubernetes:core/v1:Pod",
  "kubernetes:core/v1:PodTemplate",
  "kubernetes:core/v1:ReplicationController",
  "kubernetes:apps/*",
  "kubernetes:extensions/*",
  "kubernetes:batch/*",
  "kubernetes:argoproj.io/*",
  "kubernetes:apps.kruise.io/*",
  "kubernetes:serving.knative.dev/*",
  "kubernetes:keda.sh/*",
];

/** Types of the resources that change such a resource of somebody else's. */
export const WORKLOAD_PATCHES: readonly string[] = [
  "kubernetes:core/v1:PodPatch",
  "kubernetes:core/v1:PodTemplatePatch",
  "kubernetes:core/v1:ReplicationControllerPatch",
];

/** The pod that a resource is or makes; undefined for all others. A patch is no whole pod. */
export function podSpecOf(resource: Resource): Field | undefined {
  return specOf(resource, resource.type);
}

/** Labels and annotations of the pod that a resource is, makes or patches. */
export function podMetadataOf(resource: Resource): Field {
  const path = pathOf(resource.type.replace(PATCH, "")) ?? [];
  return resource.at(...path.slice(0, -1), "metadata");
}

/** The part of a pod that a patch sets; undefined for all others. */
export function podPatchOf(resource: Resource): Field | undefined {
  return PATCH.test(resource.type) ? specOf(resource, resource.type.replace(PATCH, "")) : undefined;
}

function specOf(resource: Resource, type: string): Field | undefined {
  const path = pathOf(type);
  if (path === undefined) return undefined;
  const spec = resource.at(...path);
  return CUSTOM.test(type) && spec.raw === undefined ? undefined : spec;
}

function pathOf(type: string): readonly string[] | undefined {
  return PATHS.find(([pattern]) => pattern.test(type))?.[1];
}

const CONTAINER_LISTS = ["initContainers", "containers", "ephemeralContainers"] as const;
export type ContainerList = (typeof CONTAINER_LISTS)[number];

/**
 * The lists of a pod's containers, init and ephemeral ones included. The lists and not their items, so that one list
 * that is unknown hides no other.
 */
export function containerLists(pod: Field, lists: readonly ContainerList[] = CONTAINER_LISTS): Field[] {
  return lists.map((list) => pod.at(list));
}

/** Namespace of a resource: its own, else its provider's, else `default`. @throws {Undecided} */
export function namespaceOf(resource: Resource): string {
  return resource.at("metadata", "namespace").text() ?? resource.provider.at("namespace").text() ?? "default";
}

/** The namespace that a resource names or makes, as far as known. */
export function knownNamespaceOf({ type, inputs }: Resource): string[] {
  const name = inputs.at("metadata", type === "kubernetes:core/v1:Namespace" ? "name" : "namespace").raw;
  return typeof name === "string" ? [name] : [];
}

/** Name in the cluster; the Pulumi name stands for one that is not chosen yet. @throws {Undecided} */
export function nameOf(resource: Resource): string {
  return resource.at("metadata", "name").text() ?? resource.name;
}

/** A volume as a container sees it. */
export interface Mount {
  readonly path: string;
  readonly readOnly: boolean;
  /** Path on the node; undefined for other volumes. */
  readonly hostPath: string | undefined;
  /** The mount, for messages. */
  readonly field: Field;
}

/** What the containers of a pod mount, init and ephemeral ones included. @throws {Undecided} */
export function mountsOf(pod: Field): Mount[] {
  const hostPaths = new Map(
    pod
      .at("volumes")
      .items()
      .map((volume) => [volume.at("name").text(), volume.at("hostPath", "path").text()]),
  );
  return containerLists(pod)
    .flatMap((list) => list.items())
    .flatMap((container) => container.at("volumeMounts").items())
    .map((mount) => ({
      path: mount.at("mountPath").text() ?? "",
      readOnly: mount.at("readOnly").flag() ?? false,
      hostPath: hostPaths.get(mount.at("name").text()),
      field: mount,
    }));
}

/** A path of Windows as one of Linux: `C:\var\log` is `/var/log`. Others are left as they are. */
export function plainPath(path: string): string {
  if (!/^[a-z]:|\\/i.test(path)) return path;
  return path
    .replace(/^[a-z]:/i, "")
    .replaceAll(/[\\/]+/g, "/")
    .toLowerCase();
}

/** Where on the node a path of the container stands; undefined where it is gone with the pod. */
export function onNode(path: string, mounts: readonly Mount[]): string | undefined {
  const file = plainPath(path);
  const depth = (mount: Mount) => plainPath(mount.path).replace(/\/$/, "").length;
  const over = mounts.filter((mount) => `${file}/`.startsWith(`${plainPath(mount.path).replace(/\/$/, "")}/`));
  const nearest = over.toSorted((one, other) => depth(other) - depth(one))[0];
  return nearest?.hostPath;
}

/** Whether all containers of a pod run on a Windows node itself, whose files are then theirs. @throws {Undecided} */
export function isHostProcess(pod: Field): boolean {
  const ofPod = pod.at("securityContext", "windowsOptions", "hostProcess").flag();
  const containers = pod.at("containers").items();
  const isSo = (container: Field) =>
    container.at("securityContext", "windowsOptions", "hostProcess").flag() ?? ofPod ?? false;
  return containers.length > 0 && containers.every(isSo);
}

/** An image reference in its parts. */
export interface Image {
  /** With what the runtime fills in: `docker.io` and `library`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:` and 64 hex digits; undefined if it is malformed. */
  readonly digest: string | undefined;
}

/**
 * The parts of an image reference. The first part is a registry where it has a dot or a port, or is `localhost`.
 * @see https://kubernetes.io/docs/concepts/containers/images/#image-names
 */
export function parseImage(reference: string): Image {
  const [withTag = "", written = ""] = reference.split("@");
  const digest = /^[a-z0-9+._-]+:[0-9a-f]{32,}$/i.test(written) ? written : undefined;
  const colon = withTag.lastIndexOf(":");
  const hasTag = colon > withTag.lastIndexOf("/");
  const path = (hasTag ? withTag.slice(0, colon) : withTag).split("/");
  const [first = ""] = path;
  const hasRegistry = path.length > 1 && (/[.:]/.test(first) || first === "localhost");
  const repository = (hasRegistry ? path.slice(1) : path).join("/");
  const registry = hasRegistry ? first : "docker.io";
  const inLibrary = registry === "docker.io" && !repository.includes("/");
  return {
    registry,
    repository: inLibrary ? `library/${repository}` : repository,
    tag: hasTag ? withTag.slice(colon + 1) : undefined,
    digest,
  };
}
