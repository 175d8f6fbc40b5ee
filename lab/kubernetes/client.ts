import {
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  type KubeConfig,
  NetworkingV1Api,
  type V1ContainerStatus,
  type V1Node,
  type V1Pod,
  type V1PodSpec,
  type V1Service,
  VersionApi,
} from "@kubernetes/client-node";
import { asClusterError, execInPod, getForwarded, proxyGet } from "./api-requests.ts";
import {
  type Cluster,
  ClusterError,
  type DnsServiceFacts,
  type EndFacts,
  type MountFacts,
  type NodeFacts,
  type PodFacts,
} from "./cluster.ts";

/** Timeout of a request to the API server. */
const REQUEST_SECONDS = 10;
/** Enough for a minute of a busy collector's log, and small enough for memory. */
const LOG_BYTES = 8 * 1024 * 1024;

/** The cluster of a kubeconfig's current context. */
export function kubeCluster(config: KubeConfig): Cluster {
  const core = config.makeApiClient(CoreV1Api);
  const server = config.getCurrentCluster()?.server ?? "";
  return {
    server,
    context: config.getCurrentContext(),
    async version() {
      return (await asked("read the version", config.makeApiClient(VersionApi).getCode())).gitVersion;
    },
    async kinds(group, version) {
      const request = config.makeApiClient(CustomObjectsApi).getAPIResources({ group, version });
      const { resources } = await asked(`list the kinds of ${group}/${version}`, request);
      return resources.filter(({ name }) => !name.includes("/")).map(({ kind }) => kind);
    },
    async nodes() {
      return (await asked("list nodes", core.listNode())).items.map(nodeFacts);
    },
    async pod(namespace, name) {
      return podFacts(await asked(`get pods in ${namespace}`, core.readNamespacedPod({ namespace, name })));
    },
    async pods(namespace, labelSelector) {
      const list = await asked(`list pods in ${namespace}`, core.listNamespacedPod({ namespace, labelSelector }));
      return list.items.map(podFacts);
    },
    async namespaceLabels(name) {
      return (await asked(`get namespace ${name}`, core.readNamespace({ name }))).metadata?.labels ?? {};
    },
    ...serviceReads(config, core),
    async configMap(namespace, name) {
      const request = core.readNamespacedConfigMap({ namespace, name });
      return (await asked(`get configmaps in ${namespace}`, request)).data ?? {};
    },
    async secret(namespace, name) {
      const secret = await asked(`get secrets in ${namespace}`, core.readNamespacedSecret({ namespace, name }));
      const entries = Object.entries(secret.data ?? {});
      return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
    },
    exec: (pod, container, command, seconds = 20) => execInPod(config, pod, container, command, seconds),
    async logs({ namespace, name }, { container, seconds }) {
      const limits = { sinceSeconds: Math.max(1, Math.ceil(seconds)), limitBytes: LOG_BYTES };
      const request = core.readNamespacedPodLog({ namespace, name, container, ...limits });
      return (await asked(`get pods/log in ${namespace}`, request)) ?? "";
    },
    async createEvent({ namespace, name }, message) {
      const now = new Date();
      const body = {
        metadata: { generateName: "lab-verify-" },
        involvedObject: { apiVersion: "v1", kind: "Pod", name, namespace },
        source: { component: "lab-verify" },
        ...{ type: "Normal", reason: "Verified", message, count: 1, firstTimestamp: now, lastTimestamp: now },
      };
      await asked(`create events in ${namespace}`, core.createNamespacedEvent({ namespace, body }));
    },
    proxyGet: (target, path, headers) => proxyGet(config, target, path, headers),
    podGet: (port, path) =>
      getForwarded(config, port, path).catch((error: unknown) => {
        throw asClusterError(error, `create pods/portforward in ${port.namespace}`);
      }),
  };
}

/** Reads Services and network policies. */
function serviceReads(
  config: KubeConfig,
  core: CoreV1Api,
): Pick<Cluster, "networkPolicies" | "service" | "dnsServices" | "endpoints"> {
  const discovery = config.makeApiClient(DiscoveryV1Api);
  return {
    async networkPolicies(namespace) {
      const request = config.makeApiClient(NetworkingV1Api).listNamespacedNetworkPolicy({ namespace });
      const { items } = await asked(`list networkpolicies in ${namespace}`, request);
      return items.flatMap(({ metadata }) => metadata?.name ?? []);
    },
    async service(namespace, name) {
      const { spec } = await asked(`get services in ${namespace}`, core.readNamespacedService({ namespace, name }));
      return { clusterIP: spec?.clusterIP ?? "", ports: (spec?.ports ?? []).map((port) => port.port) };
    },
    async dnsServices(namespace) {
      const list = await asked(`list services in ${namespace}`, core.listNamespacedService({ namespace }));
      return list.items.flatMap(dnsServiceFacts);
    },
    async endpoints(namespace, service) {
      const labelSelector = `kubernetes.io/service-name=${service}`;
      const request = discovery.listNamespacedEndpointSlice({ namespace, labelSelector });
      const slices = await asked(`list endpointslices in ${namespace}`, request);
      return slices.items
        .flatMap((slice) => slice.endpoints ?? [])
        .filter((endpoint) => endpoint.conditions?.ready !== false)
        .flatMap((endpoint) => endpoint.addresses);
    },
  };
}

async function asked<T>(what: string, request: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new ClusterError("unreachable", `the API server does not answer within ${REQUEST_SECONDS} s`)),
    REQUEST_SECONDS * 1000,
  );
  try {
    return await Promise.race([request, late]);
  } catch (error) {
    throw asClusterError(error, what);
  } finally {
    clearTimeout(timer);
  }
}

/** The facts of a pod that checks need. */
function podFacts({ metadata, spec, status }: V1Pod): PodFacts {
  // Native sidecars are init containers.
  const sidecars = (spec?.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const waiting = statuses.flatMap((container) => container.state?.waiting?.reason ?? []);
  const condition = status?.conditions?.find(
    (candidate) => candidate.status === "False" && candidate.type === "PodScheduled",
  );
  return {
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    phase: status?.phase ?? "Unknown",
    ready: status?.conditions?.some((candidate) => candidate.type === "Ready" && candidate.status === "True") ?? false,
    ip: status?.podIP ?? "",
    node: spec?.nodeName ?? "",
    reason: status?.reason ?? waiting[0] ?? condition?.reason ?? "",
    containers: [...sidecars, ...(spec?.containers ?? [])].map((container) => container.name),
    labels: metadata?.labels ?? {},
    deleting: metadata?.deletionTimestamp !== undefined,
    hostNetwork: spec?.hostNetwork ?? false,
    dnsPolicy: spec?.dnsPolicy ?? "ClusterFirst",
    mounts: mountFacts(spec),
    metricsPorts: (spec?.containers ?? [])
      .flatMap(({ ports }) => ports ?? [])
      .flatMap(({ name, containerPort }) => (name === "metrics" ? containerPort : [])),
    restarts: statuses.reduce((sum, container) => sum + container.restartCount, 0),
    ended: lastEnd(statuses),
  };
}

function mountFacts(spec: V1PodSpec | undefined): MountFacts[] {
  const onNode = new Set((spec?.volumes ?? []).flatMap(({ name, hostPath }) => (hostPath === undefined ? [] : name)));
  const mounts = (spec?.containers ?? []).flatMap((container) => container.volumeMounts ?? []);
  return mounts.map(({ name, mountPath }) => ({ path: mountPath, onNode: onNode.has(name) }));
}

/** A container that waits for a restart has ended in its state; once restarted, in its last state. */
function lastEnd(statuses: readonly V1ContainerStatus[]): EndFacts | undefined {
  const ends = statuses.flatMap(({ state, lastState, restartCount }) => {
    const { reason = "", exitCode = 0, finishedAt } = lastState?.terminated ?? state?.terminated ?? {};
    return finishedAt === undefined || restartCount === 0 ? [] : [{ reason, exitCode, at: finishedAt }];
  });
  return ends.toSorted((one, other) => other.at.getTime() - one.at.getTime())[0];
}

/** The facts of a node for the report. */
function nodeFacts({ metadata, status }: V1Node): NodeFacts {
  return {
    name: metadata?.name ?? "",
    ready: status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false,
    version: status?.nodeInfo?.kubeletVersion ?? "",
    zone: metadata?.labels?.["topology.kubernetes.io/zone"] ?? "",
    osImage: status?.nodeInfo?.osImage ?? "",
    runtime: status?.nodeInfo?.containerRuntimeVersion ?? "",
  };
}

/** The facts of a Service with port 53; empty for others. */
function dnsServiceFacts({ metadata, spec }: V1Service): DnsServiceFacts[] {
  const ports = spec?.ports?.filter(({ port }) => port === 53) ?? [];
  if (ports.length === 0) return [];
  const [targetPort] = ports.flatMap((port) => (typeof port.targetPort === "number" ? [port.targetPort] : []));
  const { clusterIPs = [], selector = {} } = spec ?? {};
  return [{ name: metadata?.name ?? "", clusterIPs, selector, targetPort }];
}
