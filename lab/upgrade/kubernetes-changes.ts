import type { Component } from "eks-dns-logging-corefile/addon";
import ipaddr from "ipaddr.js";
import { type ClusterObjects, readCluster } from "../audit/cluster-objects.ts";
import {
  groupAt,
  type KubernetesObject,
  listAt,
  objectName,
  textAt,
  typeToken,
  valueAt,
} from "../audit/kubernetes-object.ts";
import type { NodeFacts } from "../kubernetes/cluster.ts";
import type { Connection } from "../kubernetes/connect.ts";

/** An object of a plan or a live cluster, reduced to what the checks below read. */
export interface ScannedObject {
  /** Pulumi's type token, or `node` for a live node. */
  readonly type: string;
  /** Name of the object, such as `Service/ops/web`. */
  readonly name: string;
  /** A Kubernetes object, an AWS resource's inputs, or a node's facts. */
  readonly fields: unknown;
}

/** A removal or change of behavior in a version of Kubernetes. */
interface Change {
  /** First version with it, such as `1.36`. */
  readonly version: string;
  readonly title: string;
  /** What to do about it. */
  readonly action: string;
  readonly source: string;
  /** Whether it breaks something that works before. */
  readonly breaks: boolean;
}

/** A change, and how to find what it affects. */
interface KubernetesChange extends Change {
  /** Whether it affects an object; undefined if objects do not show it. */
  readonly concerns?: (object: ScannedObject) => boolean;
}

/** A change on the way to a version, with the affected objects. */
export interface FoundChange extends Change {
  /** Names of the affected objects; undefined if objects do not show it. */
  readonly found?: readonly string[];
}

/** The changes that a version brings, with the affected objects. */
export function changesWith(version: string, objects: readonly ScannedObject[]): FoundChange[] {
  return CHANGES.filter((change) => change.version === version).map(({ concerns, ...change }) =>
    concerns === undefined ? change : { ...change, found: objects.filter(concerns).map(({ name }) => name) },
  );
}

const eks = (version: string) =>
  `https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions-standard.html#kubernetes-${version.replace(".", "-")}`;
const kep = (number: number) => `https://github.com/kubernetes/enhancements/issues/${number}`;

/** Changes from 1.33 to 1.36 that concern an EKS cluster with Amazon Linux nodes, CoreDNS and log collection. */
export const CHANGES: readonly KubernetesChange[] = [
  {
    version: "1.34",
    title: "no AMI of Amazon Linux 2",
    action: "move node groups to Amazon Linux 2023",
    source: eks("1.34"),
    breaks: true,
    concerns: (object) =>
      /^AL2_/.test(textAt(object.fields, "amiType") ?? "") ||
      /^Amazon Linux 2$/.test(textAt(object.fields, "osImage") ?? ""),
  },
  {
    version: "1.34",
    title: "nodes run containerd 2.1",
    action: "try what talks to containerd itself on one node first",
    source: eks("1.34"),
    breaks: false,
  },
  {
    version: "1.34",
    title: "AppArmor is deprecated",
    action: "use seccomp or Pod Security Standards",
    source: eks("1.34"),
    breaks: false,
    concerns: hasAppArmor,
  },
  {
    version: "1.34",
    title: "VolumeAttributesClass is storage.k8s.io/v1",
    action: "write manifests for v1 instead of v1beta1",
    source: eks("1.34"),
    breaks: false,
    concerns: ({ type }) => type === "kubernetes:storage.k8s.io/v1beta1:VolumeAttributesClass",
  },
  {
    version: "1.34",
    title: "the kubelet's cgroup driver setting is deprecated",
    action: "remove cgroupDriver from the nodes' user data",
    source: eks("1.34"),
    breaks: false,
    concerns: (object) => /cgroup-?driver/i.test(userData(object)),
  },
  {
    version: "1.35",
    title: "the kubelet does not start on nodes with cgroup v1",
    action: "use cgroup v2, the default of Amazon Linux 2023, or failCgroupV1: false",
    source: eks("1.35"),
    breaks: true,
    concerns: (object) => /systemd\.unified_cgroup_hierarchy=(0|no)/.test(userData(object)),
  },
  {
    version: "1.35",
    title: "the kubelet has no --pod-infra-container-image",
    action: "remove the flag from the nodes' user data and AMIs",
    source: eks("1.35"),
    breaks: true,
    concerns: (object) => userData(object).includes("pod-infra-container-image"),
  },
  {
    version: "1.35",
    title: "the IPVS mode of kube-proxy is deprecated",
    action: "use iptables or nftables; EKS's notes announce the removal for 1.36, Kubernetes' plan for a later version",
    source: kep(5495),
    breaks: false,
    concerns: usesIpvs,
  },
  {
    version: "1.35",
    title: "Ingress NGINX gets no more fixes since March 2026",
    action: "move to the Gateway API or another controller",
    source: "https://kubernetes.io/blog/2026/01/29/ingress-nginx-statement/",
    breaks: false,
    concerns: ({ type, fields }) =>
      /:(Ingress|IngressClass)$/.test(type) &&
      (valueAt(fields, "spec", "ingressClassName") === "nginx" ||
        valueAt(fields, "spec", "controller") === "k8s.io/ingress-nginx"),
  },
  {
    version: "1.36",
    title: "nodes need containerd 2.0 or later",
    action: "use an AMI with containerd 2, as EKS's own are",
    source: eks("1.35"),
    breaks: true,
    concerns: (object) => /^containerd:\/\/1\./.test(textAt(object.fields, "runtime") ?? ""),
  },
  {
    version: "1.36",
    title: "the kubelet runs no pod with a gitRepo volume",
    action: "clone in an init container or a git-sync sidecar",
    source: kep(5040),
    breaks: true,
    concerns: ({ fields }) =>
      podSpecs(fields).some((spec) =>
        listAt(spec, "volumes").some((volume) => valueAt(volume, "gitRepo") !== undefined),
      ),
  },
  {
    version: "1.36",
    title: "IP addresses and CIDR blocks must be canonical",
    action: "write 10.0.0.5 for 010.0.0.5, and 192.168.0.0/24 for 192.168.0.5/24",
    source: kep(4858),
    breaks: true,
    concerns: hasLooseAddress,
  },
  {
    version: "1.36",
    title: "externalIPs of Services are deprecated",
    action: "use a Service of type LoadBalancer, a NodePort or the Gateway API",
    source: kep(5707),
    breaks: false,
    concerns: ({ type, fields }) => isService(type) && listAt(fields, "spec", "externalIPs").length > 0,
  },
  {
    version: "1.36",
    title: "SELinux labels volumes by mount options",
    action: "on nodes with SELinux enforcing, set seLinuxChangePolicy where privileged and other pods share a volume",
    source: "https://kubernetes.io/blog/2026/04/22/breaking-changes-in-selinux-volume-labeling/",
    breaks: false,
  },
];

function isService(type: string): boolean {
  return type === "kubernetes:core/v1:Service";
}

/** A pod's own spec, or the specs in a workload's templates. */
function podSpecs(fields: unknown): readonly unknown[] {
  const spec = valueAt(fields, "spec");
  return [spec, valueAt(spec, "template", "spec"), valueAt(spec, "jobTemplate", "spec", "template", "spec")];
}

function userData(object: ScannedObject): string {
  return object.type === "aws:ec2/launchTemplate:LaunchTemplate"
    ? Buffer.from(textAt(object.fields, "userData") ?? "", "base64").toString()
    : "";
}

function hasAppArmor({ fields }: ScannedObject): boolean {
  const templates = [
    fields,
    valueAt(fields, "spec", "template"),
    valueAt(fields, "spec", "jobTemplate", "spec", "template"),
  ];
  const annotated = templates.some((template) => {
    const annotations = groupAt(template, "metadata", "annotations");
    return Object.keys(annotations).some((key) => key.includes("apparmor.security.beta"));
  });
  const contexts = podSpecs(fields).flatMap((spec) => [spec, ...listAt(spec, "containers")]);
  return annotated || contexts.some((context) => valueAt(context, "securityContext", "appArmorProfile") !== undefined);
}

function usesIpvs({ type, name, fields }: ScannedObject): boolean {
  if (type === "kubernetes:core/v1:ConfigMap" && name.endsWith("kube-system/kube-proxy-config"))
    return /mode:\s*"?ipvs/.test(String(valueAt(fields, "data", "config") ?? ""));
  return (
    valueAt(fields, "addonName") === "kube-proxy" && /ipvs/.test(String(valueAt(fields, "configurationValues") ?? ""))
  );
}

function hasLooseAddress({ type, fields }: ScannedObject): boolean {
  const spec = valueAt(fields, "spec");
  if (isService(type))
    return [...listAt(spec, "externalIPs"), ...listAt(spec, "loadBalancerSourceRanges")].some(isLoose);
  if (type !== "kubernetes:networking.k8s.io/v1:NetworkPolicy") return false;
  const peers = [
    ...listAt(spec, "ingress").flatMap((rule) => listAt(rule, "from")),
    ...listAt(spec, "egress").flatMap((rule) => listAt(rule, "to")),
  ];
  return peers.some((peer) => [valueAt(peer, "ipBlock", "cidr"), ...listAt(peer, "ipBlock", "except")].some(isLoose));
}

/** Whether an IPv4 address has leading zeros, or a CIDR block has host bits set. */
function isLoose(value: unknown): boolean {
  if (typeof value !== "string") return false;
  if (/(^|\.)0\d/.test(value)) return true;
  if (!ipaddr.isValidCIDR(value)) return false;
  const [address] = ipaddr.parseCIDR(value);
  const first =
    address.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(value).toString()
      : ipaddr.IPv6.networkAddressFromCIDR(value).toString();
  return first !== address.toString();
}

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
  return {
    context,
    version: /^v(\d+\.\d+)/.exec(version)?.[1] ?? version,
    isEks: version.includes("-eks-"),
    kubelets: Object.fromEntries([...kubelets].sort().map(([kubelet, same]) => [kubelet, same.length])),
    components: Object.fromEntries(images),
    blockingBudgets: objects.filter(blocksEviction).map(({ namespace, name }) => `${namespace}/${name}`),
    objects: [
      ...objects.map((object) => ({ type: typeToken(object), name: objectName(object), fields: object.content })),
      ...nodes.map((node) => ({ type: "node", name: `Node/${node.name}`, fields: node })),
    ],
    corefile: textAt(configMap?.content, "data", "Corefile"),
    forbidden,
  };
}

/** Image tag of a workload's first container. */
function imageTag({ content }: KubernetesObject): string | undefined {
  const image = textAt(content, "spec", "template", "spec", "containers", 0, "image");
  return /:(v?\d[^:@/]*)(?:@|$)/.exec(image ?? "")?.[1];
}

/**
 * Whether a disruption budget allows no eviction, which blocks a drain.
 * @see https://kubernetes.io/docs/tasks/run-application/configure-pdb/
 */
function blocksEviction({ kind, content }: KubernetesObject): boolean {
  if (kind !== "PodDisruptionBudget") return false;
  const { disruptionsAllowed, expectedPods } = groupAt(content, "status");
  return disruptionsAllowed === 0 && typeof expectedPods === "number" && expectedPods > 0;
}
