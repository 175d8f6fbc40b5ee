import { createHash } from "node:crypto";
import type * as k8s from "@pulumi/kubernetes";
import type { EgressRule } from "./network-policy.ts";

/** What a container requests, and the memory that it may use at most, as Kubernetes quantities. */
export interface ContainerResources {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
}

/** User and group that the image curlimages/curl is built for. */
export const CURL_USER = { runAsUser: 100, runAsGroup: 101 };
/** User and group that the image nginx-unprivileged is built for. */
export const NGINX_USER = { runAsUser: 101, runAsGroup: 101 };

/** How a container departs from the default of {@link containerSecurity}. */
export interface ContainerSecurityOptions {
  /** User and group that it runs as. Default: those of the image, which must not be root. */
  readonly user?: { readonly runAsUser: number; readonly runAsGroup: number };
  /** Run as root, as the owner of the node's files; still without capabilities. Default false. */
  readonly root?: boolean;
  /** Let it write to its root file system. Default false. */
  readonly writableRoot?: boolean;
}

/** A container's security context, in the shape of the Kubernetes API. */
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
 * The security context of a container: no capabilities, no privilege escalation, a read-only root file system and no root, as Pod
 * Security "restricted" asks.
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

/** Requests of CPU and memory and a memory limit. There is no CPU limit, which would throttle a container on an idle node. */
export function containerResources({ cpu, memory, memoryLimit }: ContainerResources) {
  return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}

/**
 * A variable with the hash of a container's configuration. A change of it replaces a pod that has no controller, which a change of an
 * annotation or of a ConfigMap does not.
 */
export function configurationVariable(hash: string): { name: string; value: string } {
  return { name: "CONFIGURATION_HASH", value: hash };
}

/** Sixteen hex digits that change when a file does, and only then: on a pod template they roll out new pods. */
export function filesHash(files: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}

/** The pod of a sidecar, known when the configuration is rendered: its lines need no look-up. */
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
 * What a sidecar adds to a pod, as plain data.
 * @typeParam C The container, and V its volumes; by default as a Pod takes them.
 */
export interface SidecarParts<C = k8s.types.input.core.v1.Container, V = k8s.types.input.core.v1.Volume> {
  /** Configuration files, for a ConfigMap of the name that {@link PodSidecar.parts} was given. */
  readonly files: Readonly<Record<string, string>>;
  /** The native sidecar: an init container with restartPolicy Always. */
  readonly container: C;
  /** How the application's own containers mount the folder that they write to. */
  readonly applicationMount: { readonly name: string; readonly mountPath: string };
  readonly volumes: readonly V[];
  /** Seconds that the pod needs to end, so that the sidecar can send what it holds. */
  readonly graceSeconds: number;
}

/** A collector beside an application, which reads the files that the application writes to a shared volume. */
export interface PodSidecar {
  /** What the pod must be able to connect to, for its network policy. */
  readonly egress: readonly EgressRule[];
  /** Its parts for one pod, with the name of the ConfigMap that will hold its files. */
  parts(pod: ApplicationPod, configMap: string): SidecarParts;
}
