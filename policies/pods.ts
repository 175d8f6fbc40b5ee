import type { Field } from "./field.ts";
import type { Resource } from "./rule.ts";

/** The pod that a resource is or makes. */
export interface PodSpec {
  /** The pod's own namespace; `default` where none is named. */
  readonly namespace: Field;
  /** Metadata of the pod, or of the template that makes it. */
  readonly metadata: Field;
  readonly spec: Field;
}

const WORKLOADS: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** Type tokens of everything that makes pods. */
export const POD_KINDS: readonly string[] = [
  "kubernetes:core/v1:Pod",
  "kubernetes:core/v1:ReplicationController",
  "kubernetes:apps/v1:Deployment",
  "kubernetes:apps/v1:DaemonSet",
  "kubernetes:apps/v1:StatefulSet",
  "kubernetes:apps/v1:ReplicaSet",
  "kubernetes:batch/v1:Job",
  "kubernetes:batch/v1:CronJob",
];

/** The pods that a resource makes: one for a pod or a controller, none for any other resource. */
export function podSpecsOf(resource: Resource): readonly PodSpec[] {
  const template = POD_KINDS.includes(resource.type) ? WORKLOADS[kindOf(resource.type)] : undefined;
  if (template === undefined) return [];
  const pod = resource.inputs.at(...template);
  return [
    { namespace: resource.inputs.at("metadata", "namespace"), metadata: pod.at("metadata"), spec: pod.at("spec") },
  ];
}

/** Containers of a pod of every sort: init containers and ephemeral ones run with the same rights. */
export function* containersOf(spec: Field): Generator<Field> {
  for (const key of ["initContainers", "containers", "ephemeralContainers"]) yield* spec.at(key).items();
}

/** `DaemonSet` of `kubernetes:apps/v1:DaemonSet`. */
export function kindOf(type: string): string {
  return type.split(":").at(-1) ?? type;
}
