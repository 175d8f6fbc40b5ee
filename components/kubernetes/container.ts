import { createHash } from "node:crypto";
import type * as k8s from "@pulumi/kubernetes";
import type { EgressRule } from "./network-policy.ts";

/** A container's requests and memory limit, as Kubernetes quantities. */
export interface ContainerResources {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
}

/** User and group of the image curlimages/curl. */
export const CURL_USER = { runAsUser: 100, runAsGroup: 101 };
/** User and group of the image nginx-unprivileged. */
export const NGINX_USER = { runAsUser: 101, runAsGroup: 101 };

/** Deviations from the defaults of {@link containerSecurity}. */
export interface ContainerSecurityOptions {
  /** User and group to run as. Default: the image's, which must not be root. */
  readonly user?: { readonly runAsUser: number; readonly runAsGroup: number };
  /** Run as root, the owner of the node's files, but without capabilities. Default false. */
  readonly root?: boolean;
  /** Allow writing to the root file system. Default false. */
  readonly writableRoot?: boolean;
}

/** A container's security context, as in the Kubernetes API. */
export interface ContainerSecurity {
  allowPrivilegeEscalation: boolean;
  capabilities: { drop: string[] };
  privileged?: boolean;
  readOnlyRootFilesystem?: boolean;
  runAsGroup?: number;
  runAsNonRoot?: boolean;
  runAsUser?: number;
}

/**
 * A container's security context: no capabilities, no privilege escalation, a read-only root file system and no root, as Pod Security
 * "restricted" requires.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
export function containerSecurity({
  user,
  root = false,
  writableRoot = false,
}: ContainerSecurityOptions = {}): ContainerSecurity {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    ...(root ? { runAsUser: 0, privileged: false } : { runAsNonRoot: true, ...user }),
    ...(writableRoot ? {} : { readOnlyRootFilesystem: true }),
  };
}

/** CPU and memory requests, and a memory limit. A CPU limit would throttle a container even on an idle node. */
export function containerResources({ cpu, memory, memoryLimit }: ContainerResources) {
  return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}

/**
 * A variable with the hash of a container's configuration. A change replaces a pod without a controller; a changed annotation or
 * ConfigMap would not.
 */
export function configurationVariable(hash: string): { name: string; value: string } {
  return { name: "CONFIGURATION_HASH", value: hash };
}

/** Sixteen hex digits that only change when a file does: in a pod template they roll out new pods. */
export function filesHash(files: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}

/** A sidecar's pod, known at rendering: its lines need no lookup. */
export interface ApplicationPod {
  readonly namespace: string;
  readonly pod: string;
  /** Container that writes the files. */
  readonly container: string;
  /** Team of the namespace; undefined for none. */
  readonly team: string | undefined;
  /** Label app.kubernetes.io/name or app; undefined for none. */
  readonly app: string | undefined;
}

/**
 * A sidecar's additions to a pod, as plain data.
 * @typeParam C The container, and V its volumes; by default a Pod's types.
 */
export interface SidecarParts<C = k8s.types.input.core.v1.Container, V = k8s.types.input.core.v1.Volume> {
  /** Configuration files for the ConfigMap passed to {@link PodSidecar.parts}. */
  readonly files: Readonly<Record<string, string>>;
  /** The native sidecar: an init container with restartPolicy Always. */
  readonly container: C;
  /** Mount of the log folder in the application's containers. */
  readonly applicationMount: { readonly name: string; readonly mountPath: string };
  readonly volumes: readonly V[];
  /** Seconds of termination grace that the sidecar needs to send its buffer. */
  readonly graceSeconds: number;
}

/** A collector that reads an application's log files from a shared volume. */
export interface PodSidecar {
  /** Required egress, for the pod's network policy. */
  readonly egress: readonly EgressRule[];
  /** Its parts for a pod, with the name of the ConfigMap for its files. */
  parts(pod: ApplicationPod, configMap: string): SidecarParts;
}
