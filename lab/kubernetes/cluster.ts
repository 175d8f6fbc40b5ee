/**
 * Sessions in pods at the same time, by default. A session mostly waits, for a name that nobody answers or between two pings: on two
 * cores 24 need half the time of 8, and more need no less.
 */
export const SESSIONS = 24;

/** A pod as the checks see it. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  /** `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`. */
  readonly phase: string;
  readonly ready: boolean;
  /** Empty until the pod has one, and after it ended. */
  readonly ip: string;
  readonly node: string;
  /** Why the pod or its first waiting container is not running, such as `ImagePullBackOff`; empty when it runs. */
  readonly reason: string;
  /** Containers, native sidecars included. */
  readonly containers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly deleting: boolean;
  readonly hostNetwork: boolean;
  /** `ClusterFirst` unless the pod says otherwise. */
  readonly dnsPolicy: string;
  /** Folders and files that its containers mount. */
  readonly mounts: readonly MountFacts[];
  /** Ports that its containers call `metrics`. */
  readonly metricsPorts: readonly number[];
  /** How often its containers were started again. */
  readonly restarts: number;
  /** The container that was the last to end and be started again; undefined for none. */
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
  /** Labels of the pods behind it; empty where it has none. */
  readonly selector: Readonly<Record<string, string>>;
  /** Port of these pods to which its port 53 leads. Default: not known, since it has a name. */
  readonly targetPort?: number | undefined;
}

export interface NodeFacts {
  readonly name: string;
  readonly ready: boolean;
  /** Kubelet version, such as `v1.36.3`. */
  readonly version: string;
  /** Availability zone, where the cloud has set one; otherwise empty. */
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
 * The few questions that the checks ask of a live cluster. The real one is {@link kubeCluster}; tests give their own.
 * Every method throws a {@link ClusterError}.
 */
export interface Cluster {
  /** Address of the API server. */
  readonly server: string;
  /** Name of the kubeconfig context in use. */
  readonly context: string;
  /** Version of the API server, such as `v1.36.3`. */
  version(): Promise<string>;
  /** Kinds that the API server has in a version of an API group. */
  kinds(group: string, version: string): Promise<string[]>;
  nodes(): Promise<NodeFacts[]>;
  pod(namespace: string, name: string): Promise<PodFacts>;
  /** Pods that carry a label, as `key=value`. */
  pods(namespace: string, selector: string): Promise<PodFacts[]>;
  namespaceLabels(name: string): Promise<Readonly<Record<string, string>>>;
  /** Names of the network policies in a namespace. */
  networkPolicies(namespace: string): Promise<string[]>;
  service(namespace: string, name: string): Promise<ServiceFacts>;
  /** Services in a namespace with port 53. */
  dnsServices(namespace: string): Promise<DnsServiceFacts[]>;
  /** Addresses behind a Service that are ready, from its EndpointSlices. */
  endpoints(namespace: string, service: string): Promise<string[]>;
  configMap(namespace: string, name: string): Promise<Readonly<Record<string, string>>>;
  /** A Secret's values, decoded. */
  secret(namespace: string, name: string): Promise<Readonly<Record<string, string>>>;
  /** Runs a program in a container, without a shell. A program that fails is a result, not an error. */
  exec(pod: PodFacts, container: string, command: readonly string[], seconds?: number): Promise<ExecResult>;
  logs(pod: PodFacts, query: LogQuery): Promise<string>;
  /** Makes an event about a pod, which the API server forgets after an hour. */
  createEvent(pod: PodFacts, message: string): Promise<void>;
  /**
   * GET through the API server to a Service's HTTP port, or to a node's kubelet. `path` starts with a slash. The API server keeps an
   * Authorization header for itself, so no password can be sent on. On EKS it is outside of the cluster for network policies.
   */
  proxyGet(target: ProxyTarget, path: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** GET from a pod's own HTTP port, which no network policy keeps out. `path` starts with a slash. */
  podGet(port: PodPort, path: string): Promise<string>;
}

/** Where the API server's proxy leads; with a port the name is `[https:]NAME:PORT`. */
export type ProxyTarget =
  | { readonly kind: "services"; readonly namespace: string; readonly name: string }
  | { readonly kind: "nodes"; readonly name: string };

export type ClusterErrorKind = "forbidden" | "not-found" | "unauthorized" | "unreachable" | "timeout" | "other";

/** What the cluster would not do, in one line. */
export class ClusterError extends Error {
  readonly kind: ClusterErrorKind;

  constructor(kind: ClusterErrorKind, message: string) {
    super(message);
    this.name = "ClusterError";
    this.kind = kind;
  }
}
