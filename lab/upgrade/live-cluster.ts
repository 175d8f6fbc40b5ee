import type { Component } from "eks-dns-logging-corefile/addon";
import { isObject } from "../../components/schema/values.ts";
import { type ClusterObjects, readCluster } from "../audit/cluster-objects.ts";
import type { KubernetesObject } from "../audit/kubernetes-object.ts";
import type { NodeFacts } from "../kubernetes/cluster.ts";
import type { Connection } from "../kubernetes/connect.ts";
import type { ScannedObject } from "./kubernetes-changes.ts";

/** What a live cluster shows about an upgrade. */
export interface LiveCluster {
  readonly context: string;
  /** Kubernetes version of the API server, such as `1.35`. */
  readonly version: string;
  /** Whether the API server identifies itself as EKS. */
  readonly isEks: boolean;
  /** Number of nodes by kubelet version. */
  readonly kubelets: Readonly<Record<string, number>>;
  /** Versions of components, from the tags of running images. */
  readonly components: Readonly<Partial<Record<Component, string>>>;
  /** Disruption budgets that currently allow no eviction, as `namespace/name`. */
  readonly blockingBudgets: readonly string[];
  /** Objects for the table of changes. */
  readonly objects: readonly ScannedObject[];
  /** The running Corefile; undefined if it cannot be read. */
  readonly corefile: string | undefined;
  /** Kinds that the kubeconfig's user may not list. */
  readonly forbidden: readonly string[];
}

/** Workloads that run the components' images. */
const WORKLOADS: readonly (readonly [kind: string, name: string, component: Component])[] = [
  ["Deployment", "coredns", "coredns"],
  ["DaemonSet", "kube-proxy", "kube-proxy"],
  ["DaemonSet", "aws-node", "vpc-cni"],
  ["DaemonSet", "eks-pod-identity-agent", "eks-pod-identity-agent"],
];

/**
 * Reads the facts that an upgrade depends on. Read-only: nothing is created or evicted.
 * @throws {ClusterError} if the API server does not answer.
 */
export async function readLiveCluster({ cluster, version, config }: Connection): Promise<LiveCluster> {
  const [nodes, found] = await Promise.all([cluster.nodes(), readCluster(config)]);
  return liveCluster({ context: cluster.context, version, nodes, ...found });
}

interface Answers extends Pick<ClusterObjects, "objects" | "forbidden"> {
  readonly context: string;
  /** Version of the API server, such as `v1.35.3-eks-3025e55`. */
  readonly version: string;
  readonly nodes: readonly NodeFacts[];
}

/** Evaluates the answers of an API server. */
export function liveCluster({ context, version, nodes, objects, forbidden }: Answers): LiveCluster {
  const system = objects.filter(({ namespace }) => namespace === "kube-system");
  const images = WORKLOADS.flatMap(([kind, name, component]): [Component, string][] => {
    const workload = system.find((object) => object.kind === kind && object.name === name);
    const tag = workload === undefined ? undefined : imageTag(workload);
    return tag === undefined ? [] : [[component, tag]];
  });
  const kubelets = Map.groupBy(nodes, (node) => node.version);
  const configMap = system.find(({ kind, name }) => kind === "ConfigMap" && name === "coredns");
  const data = isObject(configMap?.content.data) ? configMap.content.data : {};
  return {
    context,
    version: /^v(\d+\.\d+)/.exec(version)?.[1] ?? version,
    isEks: version.includes("-eks-"),
    kubelets: Object.fromEntries([...kubelets].sort().map(([kubelet, same]) => [kubelet, same.length])),
    components: Object.fromEntries(images),
    blockingBudgets: objects.filter(blocksEviction).map(({ namespace, name }) => `${namespace}/${name}`),
    objects: [
      ...objects.map(scanned),
      ...nodes.map((node) => ({ type: "node", name: `Node/${node.name}`, fields: node })),
    ],
    corefile: typeof data.Corefile === "string" ? data.Corefile : undefined,
    forbidden,
  };
}

function scanned({ apiVersion, kind, namespace, name, content }: KubernetesObject): ScannedObject {
  const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
  return {
    type: `kubernetes:${group}:${kind}`,
    name: [kind, namespace, name].filter((part) => part !== undefined).join("/"),
    fields: content,
  };
}

/** Image tag of a workload's first container. */
function imageTag({ content }: KubernetesObject): string | undefined {
  const spec = isObject(content.spec) && isObject(content.spec.template) ? content.spec.template.spec : undefined;
  const containers = isObject(spec) && Array.isArray(spec.containers) ? spec.containers : [];
  const [first]: readonly unknown[] = containers;
  const image = isObject(first) && typeof first.image === "string" ? first.image : "";
  return /:(v?\d[^:@/]*)(?:@|$)/.exec(image)?.[1];
}

/**
 * Whether a disruption budget allows no eviction, which blocks a drain.
 * @see https://kubernetes.io/docs/tasks/run-application/configure-pdb/
 */
function blocksEviction({ kind, content }: KubernetesObject): boolean {
  if (kind !== "PodDisruptionBudget" || !isObject(content.status)) return false;
  const { disruptionsAllowed, expectedPods } = content.status;
  return disruptionsAllowed === 0 && typeof expectedPods === "number" && expectedPods > 0;
}
