import type { V1ContainerStatus, V1Node, V1Pod, V1PodSpec, V1Service } from "@kubernetes/client-node";
import type { DnsServiceFacts, EndFacts, MountFacts, NodeFacts, PodFacts } from "./cluster.ts";

/** The facts of a pod that checks need. */
export function podFacts({ metadata, spec, status }: V1Pod): PodFacts {
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
export function nodeFacts({ metadata, status }: V1Node): NodeFacts {
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
export function dnsServiceFacts({ metadata, spec }: V1Service): DnsServiceFacts[] {
  const ports = spec?.ports?.filter(({ port }) => port === 53) ?? [];
  if (ports.length === 0) return [];
  const [targetPort] = ports.flatMap((port) => (typeof port.targetPort === "number" ? [port.targetPort] : []));
  const { clusterIPs = [], selector = {} } = spec ?? {};
  return [{ name: metadata?.name ?? "", clusterIPs, selector, targetPort }];
}
