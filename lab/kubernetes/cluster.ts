import { Failure } from "../command-line.ts";

/**
 * Default number of parallel sessions in pods. A session mostly waits, for DNS timeouts or between two pings: on two cores, 24 take half
 * the time of 8, and more do not help.
 */
export const SESSIONS = 24;

/** A pod as the checks see it. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  /** `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`. */
  readonly phase: string;
  readonly ready: boolean;
  /** Empty until the pod has one, and after it has ended. */
  readonly ip: string;
  readonly node: string;
  /** Why the pod or its first waiting container is not running, such as `ImagePullBackOff`; empty if it runs. */
  readonly reason: string;
  /** Containers, including native sidecars. */
  readonly containers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly deleting: boolean;
  readonly hostNetwork: boolean;
  /** `ClusterFirst` unless the pod sets another. */
  readonly dnsPolicy: string;
  /** Volume mounts of its containers. */
  readonly mounts: readonly MountFacts[];
  /** Container ports named `metrics`. */
  readonly metricsPorts: readonly number[];
  /** Sum of its containers' restarts. */
  readonly restarts: number;
  /** The last end of a container that was restarted; undefined if there is none. */
  readonly ended: EndFacts | undefined;
}

export interface MountFacts {
  readonly path: string;
  /** Whether it is a folder of the node, which outlives the pod. */
  readonly onNode: boolean;
}

/** How a container ended. */
export interface EndFacts {
  /** Such as `OOMKilled`, `Error` or `Completed`. */
  readonly reason: string;
  readonly exitCode: number;
  readonly at: Date;
}

export interface ServiceFacts {
  /** `None` for a headless Service. */
  readonly clusterIP: string;
  readonly ports: readonly number[];
}

/** A Service with port 53. */
export interface DnsServiceFacts {
  readonly name: string;
  readonly clusterIPs: readonly string[];
  /** Its pod selector; empty if it has none. */
  readonly selector: Readonly<Record<string, string>>;
  /** Pod port behind its port 53. Default: unknown, because it is a named port. */
  readonly targetPort?: number | undefined;
}

export interface NodeFacts {
  readonly name: string;
  readonly ready: boolean;
  /** Kubelet version, such as `v1.36.3`. */
  readonly version: string;
  /** Availability zone; empty if the cloud sets none. */
  readonly zone: string;
  /** Operating system, such as `Amazon Linux 2023.9.20251027`. */
  readonly osImage: string;
  /** Container runtime and its version, such as `containerd://2.1.4`. */
  readonly runtime: string;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

export interface LogQuery {
  readonly container: string;
  /** How far to look back. */
  readonly seconds: number;
}

/**
 * The queries that checks send to a live cluster. {@link kubeCluster} implements them; tests have their own implementation.
 * Every method throws {@link ClusterError}.
 */
export interface Cluster {
  /** Address of the API server. */
  readonly server: string;
  /** Name of the kubeconfig context in use. */
  readonly context: string;
  /** Version of the API server, such as `v1.36.3`. */
  version(): Promise<string>;
  /** Kinds in a version of an API group. */
  kinds(group: string, version: string): Promise<string[]>;
  nodes(): Promise<NodeFacts[]>;
  pod(namespace: string, name: string): Promise<PodFacts>;
  /** Pods with a label, as `key=value`. */
  pods(namespace: string, selector: string): Promise<PodFacts[]>;
  namespaceLabels(name: string): Promise<Readonly<Record<string, string>>>;
  /** Names of the network policies in a namespace. */
  networkPolicies(namespace: string): Promise<string[]>;
  service(namespace: string, name: string): Promise<ServiceFacts>;
  /** Services in a namespace with port 53. */
  dnsServices(namespace: string): Promise<DnsServiceFacts[]>;
  /** Ready addresses of a Service, from its EndpointSlices. */
  endpoints(namespace: string, service: string): Promise<string[]>;
  configMap(namespace: string, name: string): Promise<Readonly<Record<string, string>>>;
  /** The decoded values of a Secret. */
  secret(namespace: string, name: string): Promise<Readonly<Record<string, string>>>;
  /** Runs a program in a container, without a shell. A failing program is a result, not an error. */
  exec(pod: PodFacts, container: string, command: readonly string[], seconds?: number): Promise<ExecResult>;
  logs(pod: PodFacts, query: LogQuery): Promise<string>;
  /** Creates an event about a pod, which the API server deletes after an hour. */
  createEvent(pod: PodFacts, message: string): Promise<void>;
  /**
   * GET through the API server to a Service's HTTP port or a node's kubelet. `path` starts with a slash. The API server consumes the
   * Authorization header, so no password can be passed on. On EKS, network policies see such requests as coming from outside the cluster.
   */
  proxyGet(target: ProxyTarget, path: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** GET from a pod's HTTP port, past any network policy. `path` starts with a slash. */
  podGet(port: PodPort, path: string): Promise<string>;
}

/** Target of the API server's proxy; with a port, the name is `[https:]NAME:PORT`. */
export type ProxyTarget =
  | { readonly kind: "services"; readonly namespace: string; readonly name: string }
  | { readonly kind: "nodes"; readonly name: string };

export type ClusterErrorKind = "forbidden" | "not-found" | "unauthorized" | "unreachable" | "timeout" | "other";

/** A failed request, as one line. */
export class ClusterError extends Error {
  readonly kind: ClusterErrorKind;

  constructor(kind: ClusterErrorKind, message: string) {
    super(message);
    this.name = "ClusterError";
    this.kind = kind;
  }
}

/** A handler for a request that a command cannot go on without. @throws {Failure} that names the place, such as a pod. */
export function failAt(place: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof ClusterError ? new Failure(`${place}: ${error.message}`, 2) : error;
  };
}

/** Whether a request failed because its object does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ClusterError && error.kind === "not-found";
}

/** Whether a request failed because the user may not make it. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ClusterError && error.kind === "forbidden";
}

/** What a request reads; undefined if it does not exist. */
export function ifExists<T>(request: Promise<T>): Promise<T | undefined> {
  return request.catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}
