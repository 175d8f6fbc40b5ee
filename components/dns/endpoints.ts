import { type Corefile, DNS_PORT, ifReadable, PORTS, parseCorefile } from "eks-dns-logging-corefile";
import { dnsAddressOf, type EksExistingSettings } from "../cluster/eks-settings.ts";
import { type ClusterSettings, kubeDnsAddresses } from "../cluster/settings.ts";
import type { SettingsIssue } from "../schema/errors.ts";
import { isWithout, type ValidPart } from "../schema/valid-part.ts";
import { corefileText } from "./corefile-rendering.ts";
import type { DnsIssue, DnsSettings } from "./settings.ts";

/** Scheme of plain DNS. */
const PLAIN = "dns";

interface ServerPort {
  /** Protocol: `dns`, `tls`, `https`, … */
  readonly scheme: string;
  readonly port: number;
  /** Whether it serves all zones. */
  readonly isRoot: boolean;
}

/** Ports of a Corefile's servers. */
export function serverPorts(corefile: string): number[] {
  return sorted(portsOf(corefile).map(({ port }) => port));
}

/** A Corefile's ports for plain DNS; undefined if it is invalid, or if an import or a variable may add others. */
export function corefilePorts(corefile: string): number[] | undefined {
  const imports = readCorefile(corefile)?.imports;
  if (imports === undefined || imports.length > 0 || /\{[$%]/.test(corefile)) return undefined;
  return sorted(portsOf(corefile).flatMap(({ scheme, port }) => (scheme === PLAIN ? [port] : [])));
}

/** Ports that a network policy must open for queries: the pods' (a Service's target port), and 53 for caches on the nodes. */
export function queryPorts(dns: DnsSettings | undefined): readonly number[] {
  return sorted([DNS_PORT, dns === undefined ? DNS_PORT : targetPort(dns)]);
}

/** CoreDNS's pod port that a Service for queries must target. */
export function targetPort(dns: DnsSettings): number {
  const ports = podPorts(dns);
  const root = ports.filter(({ isRoot }) => isRoot);
  const [first, ...others] = (root.length > 0 ? root : ports).map(({ port }) => port);
  return first === undefined || others.includes(DNS_PORT) ? DNS_PORT : first;
}

/** Inputs with which network policies allow queries to a stack's CoreDNS. */
export function dnsAccess(dns: DnsSettings | undefined) {
  return { dnsNamespace: dns?.adopt?.namespace, dnsLabels: dns?.adopt?.selector, dnsPorts: queryPorts(dns) };
}

/** Issues of `dns.adopt.port`: once the stack's Corefile is applied, CoreDNS listens on its ports only. */
export function portIssues(settings: DnsSettings): DnsIssue[] {
  const { adopt } = settings;
  if (adopt?.port === undefined || !adopt.manage) return [];
  const answered = corefilePorts(corefileText(settings));
  if (answered === undefined || answered.includes(adopt.port)) return [];
  const which = answered.length === 0 ? "" : `, ${answered.join(" or ")},`;
  const message = `must be a port at which the Corefile of this stack answers queries${which} unless manage is false`;
  return [{ path: ["adopt", "port"], message, value: adopt.port }];
}

/** Issues of DNS addresses, if the cluster settings that determine them are valid. */
export function addressIssues(
  { value: cluster, without }: ValidPart<ClusterSettings>,
  clusterDns: DnsSettings["clusterDns"],
): SettingsIssue[] {
  return [
    ...(cluster.kind === "eks-existing" ? dnsAddressIssues(cluster, clusterDns) : []),
    ...(isWithout(without, ["ipFamily"]) ? [] : dnsFamilyIssues(cluster, clusterDns)),
    ...(cluster.kind === "eks" && !isWithout(without, ["vpc", "cidr"]) ? newDnsAddressIssues(cluster, clusterDns) : []),
  ];
}

/** DNS is always served at an address of the cluster's Services, and perhaps at others. */
function dnsAddressIssues(
  { serviceCidr, ipFamily, compute }: EksExistingSettings,
  clusterDns: DnsSettings["clusterDns"],
): SettingsIssue[] {
  if (ipFamily === "ipv6" && compute === "auto" && clusterDns === undefined) {
    const message =
      "is required with cluster.ipFamily ipv6 and cluster.compute auto, since the teams' NetworkPolicies allow DNS to that address";
    return [{ path: ["dns", "clusterDns"], message }];
  }
  if (ipFamily === "ipv6" || serviceCidr === undefined || clusterDns === undefined) return [];
  const address = dnsAddressOf(serviceCidr);
  if (clusterDns.includes(address)) return [];
  const message = `must include ${address}, the DNS address of cluster.serviceCidr ${serviceCidr}`;
  return [{ path: ["dns", "clusterDns"], message, value: clusterDns }];
}

/** Services have addresses of the cluster's family; other DNS servers may not. */
function dnsFamilyIssues(cluster: ClusterSettings, clusterDns: DnsSettings["clusterDns"]): SettingsIssue[] {
  if (cluster.kind === "eks" || clusterDns === undefined) return [];
  const { ipFamily } = cluster;
  if (clusterDns.some((address) => address.includes(":") === (ipFamily === "ipv6"))) return [];
  const family = ipFamily === "ipv6" ? "IPv6" : "IPv4";
  const message = `must include an ${family} address, which kube-dns has with cluster.ipFamily ${ipFamily}`;
  return [{ path: ["dns", "clusterDns"], message, value: clusterDns }];
}

/** In a new cluster, EKS chooses one of two addresses. */
function newDnsAddressIssues(cluster: ClusterSettings, clusterDns: DnsSettings["clusterDns"]): SettingsIssue[] {
  const possible = kubeDnsAddresses(cluster);
  if (clusterDns === undefined || clusterDns.some((address) => possible.includes(address))) return [];
  const message = `must include ${possible.join(" or ")}, which EKS gives to kube-dns in a new cluster`;
  return [{ path: ["dns", "clusterDns"], message, value: clusterDns }];
}

/** Ports at which CoreDNS's pods answer resolvers: `dns.adopt.port`, else the Corefile's, if the stack manages it. */
function podPorts(dns: DnsSettings): ServerPort[] {
  if (dns.adopt?.port !== undefined) return [{ scheme: PLAIN, port: dns.adopt.port, isRoot: true }];
  return dns.adopt?.manage === false ? [] : portsOf(corefileText(dns)).filter(({ scheme }) => scheme === PLAIN);
}

/** A Corefile's ports, except port 0, for which the system chooses one. */
function portsOf(corefile: string): ServerPort[] {
  const zones = readCorefile(corefile)?.servers.flatMap((server) => server.zones) ?? [];
  return zones.flatMap((zone): ServerPort[] => {
    const [, scheme = PLAIN, name, digits] = /^(?:([a-z0-9]+):\/\/)?(.*?)(?::(\d+))?$/.exec(zone) ?? [];
    const port = Number(digits ?? PORTS[scheme] ?? DNS_PORT);
    return port === 0 ? [] : [{ scheme, port, isRoot: name === "." }];
  });
}

/** The model of a Corefile; undefined if it is invalid, which is a separate issue. */
function readCorefile(corefile: string): Corefile | undefined {
  return ifReadable(() => parseCorefile(corefile));
}

function sorted(ports: readonly number[]): number[] {
  return [...new Set(ports)].sort((a, b) => a - b);
}
