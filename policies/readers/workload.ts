import type { Field, Resource } from "../core/resource.ts";
import { type Report, type ResourceRule, type Settings, text } from "../core/rule.ts";

/** Custom kinds with a pod template, possibly in another resource: Argo Rollouts, OpenKruise, Knative and KEDA. */
const CUSTOM =
  /^kubernetes:(argoproj\.io\/\w+:Rollout|apps\.kruise\.io\/\w+:(CloneSet|StatefulSet|DaemonSet)|serving\.knative\.dev\/\w+:(Service|Configuration)|keda\.sh\/\w+:ScaledJob)$/;

/** Path of the pod spec by kind, for all API versions. */
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

/** Types of resources that create pods. */
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

/** Types of patches of such resources with another owner. */
const WORKLOAD_PATCHES: readonly string[] = [
  "kubernetes:core/v1:PodPatch",
  "kubernetes:core/v1:PodTemplatePatch",
  "kubernetes:core/v1:ReplicationControllerPatch",
];

export const NAMESPACE = "kubernetes:core/v1:Namespace";
export const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
/** A ConfigMap, or a patch of one with another owner. */
export const CONFIG_MAPS: readonly string[] = [CONFIG_MAP, `${CONFIG_MAP}Patch`];

/** Whether a resource runs a pod on each node: a DaemonSet of Kubernetes, or OpenKruise's. */
export function isDaemonSet({ kind }: Resource): boolean {
  return kind === "DaemonSet";
}

/** Spec of the pod that a resource is or creates; undefined for others, including patches. */
export function podSpecOf(resource: Resource): Field | undefined {
  return specOf(resource, resource.type);
}

/** Labels and annotations of the pod that a resource is, creates or patches. */
export function podMetadataOf(resource: Resource): Field {
  const path = pathOf(resource.type.replace(PATCH, "")) ?? [];
  return resource.at(...path.slice(0, -1), "metadata");
}

/** The part of a pod spec that a patch sets; undefined for others. */
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
 * A pod's lists of containers, including init and ephemeral ones. Lists instead of items, so that an unknown list hides no other.
 */
export function containerLists(pod: Field, lists: readonly ContainerList[] = CONTAINER_LISTS): Field[] {
  return lists.map((list) => pod.at(list));
}

/** A container's probes and lifecycle hooks. */
export function handlersOf(container: Field): Field[] {
  const probes = ["livenessProbe", "readinessProbe", "startupProbe"].map((key) => container.at(key));
  return [...probes, ...["postStart", "preStop"].map((key) => container.at("lifecycle", key))];
}

/** Namespace of a resource: its own, else its provider's, else `default`. @throws {Undecided} */
export function namespaceOf(resource: Resource): string {
  return resource.at("metadata", "namespace").text() ?? resource.provider.at("namespace").text() ?? "default";
}

/** The namespace that a resource is in or creates, if known. */
export function knownNamespaceOf({ type, inputs }: Resource): string[] {
  const name = inputs.at("metadata", type === NAMESPACE ? "name" : "namespace").raw;
  return typeof name === "string" ? [name] : [];
}

/** Name in the cluster; the Pulumi name if not yet chosen. @throws {Undecided} */
export function nameOf(resource: Resource): string {
  return resource.at("metadata", "name").text() ?? resource.name;
}

/** Name of a pod's service account. @throws {Undecided} */
export function accountOf(pod: Field): string {
  // The second is the deprecated name of the first.
  return pod.at("serviceAccountName").text() ?? pod.at("serviceAccount").text() ?? "default";
}

/** A container's volume mount. */
export interface Mount {
  readonly path: string;
  readonly readOnly: boolean;
  /** Path on the node; undefined for other volumes. */
  readonly hostPath: string | undefined;
  /** The mount, for messages. */
  readonly field: Field;
}

/** Mounts of a pod's containers, including init and ephemeral ones. @throws {Undecided} */
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

/** Converts a Windows path to Linux: `C:\var\log` is `/var/log`. Others stay unchanged. */
export function plainPath(path: string): string {
  if (!/^[a-z]:|\\/i.test(path)) return path;
  return path
    .replace(/^[a-z]:/i, "")
    .replaceAll(/[\\/]+/g, "/")
    .toLowerCase();
}

/** Path on the node of a container's path; undefined if it is deleted with the pod. */
export function onNode(path: string, mounts: readonly Mount[]): string | undefined {
  const file = plainPath(path);
  const depth = (mount: Mount) => plainPath(mount.path).replace(/\/$/, "").length;
  const over = mounts.filter((mount) => `${file}/`.startsWith(`${plainPath(mount.path).replace(/\/$/, "")}/`));
  const nearest = over.toSorted((one, other) => depth(other) - depth(one))[0];
  return nearest?.hostPath;
}

/** Whether all containers of a pod are Windows HostProcess containers, which see the node's files. @throws {Undecided} */
export function isHostProcess(pod: Field): boolean {
  const ofPod = pod.at("securityContext", "windowsOptions", "hostProcess").flag();
  const containers = pod.at("containers").items();
  const isSo = (container: Field) =>
    container.at("securityContext", "windowsOptions", "hostProcess").flag() ?? ofPod ?? false;
  return containers.length > 0 && containers.every(isSo);
}

/** The parts of an image reference. */
export interface Image {
  /** With the runtime's defaults: `docker.io` and `library`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:` and 64 hex digits; undefined if it is malformed. */
  readonly digest: string | undefined;
}

/**
 * Parses an image reference. The first part is a registry if it has a dot or a port, or is `localhost`.
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

/** What a cluster-proportional-autoscaler scales. */
interface ProportionalTargets {
  readonly namespace: string | undefined;
  /** Whether a Deployment of that namespace is among its targets. */
  readonly has: (deployment: string) => boolean;
}

/** An option in the words of a command line: `--target=A`, `-target=A` or `--target A`. */
function option(words: readonly string[], name: string): string | undefined {
  return new RegExp(`(?:^| )--?${name}[= ](\\S+)`).exec(words.join(" "))?.[1];
}

/**
 * Reads the targets of cluster-proportional-autoscaler, which takes several, and their kinds in any case.
 * @param words Command and arguments of its container.
 * @param own Namespace of its pod, the default for its targets.
 * @see https://github.com/kubernetes-sigs/cluster-proportional-autoscaler#overview
 */
export function proportionalTargets(words: readonly string[], own: string | undefined): ProportionalTargets {
  const targets = option(words, "target")?.toLowerCase().split(",") ?? [];
  return {
    namespace: option(words, "namespace") ?? own,
    has: (deployment) => targets.includes(`deployment/${deployment}`),
  };
}

/** Setting of rules that differ between the two standards. */
export const STANDARD = text("standard", "Pod Security standard", "restricted", ["baseline", "restricted"]);

type Check = (field: Field, report: Report, settings: Settings) => void;

/** Properties of a rule on pods. */
export interface Facts extends Omit<ResourceRule, "check" | "types" | "family"> {
  /** Whether the rule forbids values, and so checks patches too. Default: it requires values. */
  readonly forbids?: true;
  /** Whether the rule reads fields that Windows pods cannot have. Default false. */
  readonly linuxOnly?: true;
}

/** A rule on pods of all kinds that create them. */
export function podRule({ forbids, linuxOnly, ...facts }: Facts, check: Check): ResourceRule {
  return {
    ...facts,
    family: "pods",
    types: forbids ? [...WORKLOADS, ...WORKLOAD_PATCHES] : WORKLOADS,
    check: (resource, report, settings) => {
      const pod = podSpecOf(resource) ?? (forbids ? podPatchOf(resource) : undefined);
      if (pod === undefined || (linuxOnly && pod.at("os", "name").raw === "windows")) return;
      check(pod, report, settings);
    },
  };
}

/** A rule on each container of pods of all kinds that create them; by default including init and ephemeral ones. */
export function containerRule(
  facts: Facts,
  check: (container: Field, report: Report, settings: Settings, pod: Field) => void,
  lists?: readonly ContainerList[],
): ResourceRule {
  return podRule(facts, (pod, report, settings) => {
    report.each(containerLists(pod, lists), (list) =>
      report.each(list.items(), (container) => check(container, report, settings, pod)),
    );
  });
}
