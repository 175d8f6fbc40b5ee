import { type Field, isKnownSo, type Resource, someKnown } from "../core/resource.ts";
import type { Stack } from "../core/stack.ts";
import { containerLists, nameOf, namespaceOf, parseImage, podMetadataOf, podSpecOf } from "./workload.ts";

/** This program's component that creates or patches the cluster's DNS. */
export const CORE_DNS_COMPONENT = "eks-dns-logging:dns:CoreDns";
export const SYSTEM_NAMESPACE = "kube-system";
/** Types of workloads that serve DNS. */
export const DNS_WORKLOADS = ["kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet"];

/** Label of a cluster's DNS pods, and its values: the usual one, and that of CoreDNS's Helm chart as a cluster service. */
const APP_LABEL = "k8s-app";
const DNS_APPS: readonly string[] = ["kube-dns", "coredns"];

/** Names of CoreDNS's Deployment in kube-system: usually, and on RKE2. */
const USUAL_NAMES: readonly string[] = ["coredns", "rke2-coredns-rke2-coredns"];

/** Workloads that may run CoreDNS, cached by stack: each peer of each policy is compared with them. */
const POSSIBLE = new WeakMap<Stack, readonly Resource[]>();

function possibleCoreDns(stack: Stack): readonly Resource[] {
  const known = POSSIBLE.get(stack);
  if (known !== undefined) return known;
  const possible = stack.ofType(...DNS_WORKLOADS).filter((workload) => !isKnownSo(() => !runsCoreDns(workload)));
  POSSIBLE.set(stack, possible);
  return possible;
}

/** Whether any workload in the stack runs CoreDNS and meets a condition. @throws {Undecided} */
export function hasCoreDns(stack: Stack, isSo: (workload: Resource) => boolean): boolean {
  return someKnown(possibleCoreDns(stack), (workload) => isSo(workload) && runsCoreDns(workload));
}

/** Whether a container runs a CoreDNS image, from any registry: `coredns/coredns`, `rancher/hardened-coredns`. @throws {Undecided} */
function runsCoreDns(workload: Resource): boolean {
  const pod = podSpecOf(workload);
  const containers = pod === undefined ? [] : containerLists(pod, ["containers"]).flatMap((list) => list.items());
  return someKnown(containers, (container) =>
    /(^|[/-])coredns$/.test(parseImage(container.at("image").text() ?? "").repository),
  );
}

/** UDP ports that a workload's containers declare. @throws {Undecided} */
export function udpPortsOf(workload: Resource): number[] {
  const pod = podSpecOf(workload);
  const containers = pod === undefined ? [] : containerLists(pod, ["containers"]).flatMap((list) => list.items());
  return containers
    .flatMap((container) => container.at("ports").items())
    .flatMap((port) => (port.at("protocol").text() === "UDP" ? (port.at("containerPort").number() ?? []) : []));
}

/** Whether a resource belongs to this program's CoreDNS component. */
export function isOfComponent({ urn, type }: Resource): boolean {
  return urn.includes(`${CORE_DNS_COMPONENT}$${type}::`);
}

/** Whether the labels mark a cluster's DNS. @throws {Undecided} */
export function hasDnsLabel(metadata: Field): boolean {
  return DNS_APPS.includes(metadata.at("labels", APP_LABEL).text() ?? "");
}

/** Whether a Corefile answers cluster names, or may by an import. */
export function servesCluster(corefile: string): boolean {
  return /^\s*(kubernetes|import)\b/m.test(corefile);
}

/**
 * Whether a Deployment, or a patch of one, is the cluster's DNS: by its name in kube-system, or by the image and the label of its pods in any
 * namespace. Image or label alone is not enough: another CoreDNS may serve zones from etcd or a test. Nor is it the cluster's if the stack has
 * its Corefile and that answers no cluster names.
 * @throws {Undecided}
 */
export function isClusterDns(deployment: Resource, stack: Stack): boolean {
  if (isOfComponent(deployment)) return true;
  const marks = [() => runsCoreDns(deployment), () => hasDnsLabel(podMetadataOf(deployment))];
  const hasMark = marks.some(isKnownSo);
  if (hasMark && !marks.some((mark) => isKnownSo(() => !mark())) && !servesOtherNames(deployment, stack))
    return marks.every((mark) => mark());
  return USUAL_NAMES.includes(nameOf(deployment)) && namespaceOf(deployment) === SYSTEM_NAMESPACE;
}

/** Whether the stack has the Corefile of a workload's pods, and that answers no cluster names. */
function servesOtherNames(workload: Resource, stack: Stack): boolean {
  const volumes = podSpecOf(workload)?.at("volumes");
  return (
    volumes !== undefined &&
    isKnownSo(() => {
      const mounted = volumes.items().map((volume) => volume.at("configMap", "name").text());
      return someKnown(stack.ofType("kubernetes:core/v1:ConfigMap"), (configMap) => {
        const corefile = configMap.at("data", "Corefile");
        if (corefile.raw === undefined || !mounted.includes(nameOf(configMap))) return false;
        return namespaceOf(configMap) === namespaceOf(workload) && !servesCluster(corefile.text() ?? "");
      });
    })
  );
}
