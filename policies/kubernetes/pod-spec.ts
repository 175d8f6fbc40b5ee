import type { Field } from "../core/field.ts";
import type { Resource } from "../core/resource.ts";

/** Where the pod's spec stands in each kind that makes pods, all API versions alike. */
const PATHS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^kubernetes:core\/v1:Pod$/, ["spec"]],
  [/^kubernetes:core\/v1:PodTemplate$/, ["template", "spec"]],
  [/^kubernetes:core\/v1:ReplicationController$/, ["spec", "template", "spec"]],
  [/^kubernetes:(apps|extensions)\/\w+:(Deployment|DaemonSet|StatefulSet|ReplicaSet)$/, ["spec", "template", "spec"]],
  [/^kubernetes:batch\/\w+:Job$/, ["spec", "template", "spec"]],
  [/^kubernetes:batch\/\w+:CronJob$/, ["spec", "jobTemplate", "spec", "template", "spec"]],
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

/** The part of a pod that a patch sets; undefined for all others. */
export function podPatchOf(resource: Resource): Field | undefined {
  return PATCH.test(resource.type) ? specOf(resource, resource.type.replace(PATCH, "")) : undefined;
}

function specOf(resource: Resource, type: string): Field | undefined {
  const path = PATHS.find(([pattern]) => pattern.test(type))?.[1];
  return path === undefined ? undefined : resource.at(...path);
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

/** Name in the cluster; the Pulumi name stands for one that is not chosen yet. @throws {Undecided} */
export function nameOf(resource: Resource): string {
  return resource.at("metadata", "name").text() ?? resource.name;
}
