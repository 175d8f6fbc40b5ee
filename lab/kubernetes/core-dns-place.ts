import type { DnsSettings } from "../../components/dns/settings.ts";
import { coreDnsPods, USUAL_CORE_DNS_PODS } from "../../components/kubernetes/labels.ts";
import { type Cluster, ClusterError, type DnsServiceFacts } from "./cluster.ts";

/** Location of a cluster's CoreDNS. */
export interface CoreDnsPlace {
  readonly namespace: string;
  /** ConfigMap with its Corefile. */
  readonly configMap: string;
  readonly deployment: string;
  /** Service that pods query. */
  readonly service: string;
  /** Labels of its pods, as `key=value`, separated by commas. */
  readonly selector: string;
  /** Port at which its pods answer queries. */
  readonly port: number;
}

/** The location on EKS, kubeadm, kind and k3s. */
const USUAL_PLACE: CoreDnsPlace = {
  namespace: "kube-system",
  configMap: "coredns",
  deployment: "coredns",
  service: "kube-dns",
  selector: selectorText(USUAL_CORE_DNS_PODS.labels),
  port: 53,
};

/** The settings that identify the stack's CoreDNS. */
export type StatedCoreDns = Pick<DnsSettings, "adopt" | "clusterDns">;

/** The location by the settings alone, which do not name the Service of an adopted CoreDNS. */
export function statedPlace(dns: StatedCoreDns | undefined): CoreDnsPlace {
  if (dns?.adopt === undefined) return USUAL_PLACE;
  const { namespace, configMap, deployment = USUAL_PLACE.deployment, port = USUAL_PLACE.port } = dns.adopt;
  return { ...USUAL_PLACE, namespace, configMap, deployment, port, selector: selectorText(coreDnsPods(dns).labels) };
}

/**
 * Finds CoreDNS on a live cluster. The settings do not state the labels of an adopted CoreDNS, so they come from the DNS Service in its
 * namespace: the one with an address in `clusterDns`, else kube-dns, else the only one. Without such a Service, the usual labels apply.
 */
export async function findCoreDns(
  cluster: Pick<Cluster, "dnsServices">,
  dns: StatedCoreDns | undefined,
): Promise<CoreDnsPlace> {
  const stated = statedPlace(dns);
  if (dns?.adopt === undefined) return stated;
  const services = await cluster.dnsServices(stated.namespace).catch((error: unknown) => {
    if (error instanceof ClusterError) return [];
    throw error;
  });
  const service = serviceOf(services, stated.service, dns.clusterDns ?? []);
  if (service === undefined) return stated;
  return {
    ...stated,
    service: service.name,
    selector: selectorText(dns.adopt.selector ?? service.selector),
    port: dns.adopt.port ?? service.targetPort ?? stated.port,
  };
}

function selectorText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

function serviceOf(services: readonly DnsServiceFacts[], usual: string, addresses: readonly string[]) {
  const selecting = services.filter(({ selector }) => Object.keys(selector).length > 0);
  const [only, ...others] = selecting;
  return (
    selecting.find(({ clusterIPs }) => clusterIPs.some((address) => addresses.includes(address))) ??
    selecting.find(({ name }) => name === usual) ??
    (others.length === 0 ? only : undefined)
  );
}

/** The command that lists CoreDNS's pods and shows why none is ready. */
export function listsPods({ namespace, selector }: CoreDnsPlace): string {
  return `\`kubectl -n ${namespace} get pods -l ${selector}\``;
}

/** How to find a CoreDNS that is not at its stated location and that the stack does not install. */
export function howToFindCoreDns({ namespace }: CoreDnsPlace): string {
  return `CoreDNS is not in ${namespace} under the name in the settings: \`kubectl get deployments -A\` shows where it is, and \`npm run lab -- adopt --coredns NAMESPACE/NAME\` writes dns.adopt for it`;
}
