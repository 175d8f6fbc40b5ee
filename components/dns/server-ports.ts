import { parseCorefile } from "eks-dns-logging-corefile";
import { corefileText } from "./corefile-rendering.ts";
import type { DnsSettings } from "./settings.ts";

/** Port that resolvers query. */
const DNS_PORT = 53;
const PLAIN = "dns";

/** Default ports of servers, by scheme. */
const SCHEME_PORTS: Readonly<Record<string, number>> = { tls: 853, quic: 853, https: 443, https3: 443, grpc: 443 };

interface ServerPort {
  /** Protocol: `dns`, `tls`, `https`, … */
  readonly scheme: string;
  readonly port: number;
  /** Whether it serves all zones. */
  readonly isRoot: boolean;
}

function portsOf(corefile: string): ServerPort[] {
  const zones = parseCorefile(corefile).servers.flatMap((server) => server.zones);
  return zones.map((zone) => {
    const [, scheme = PLAIN, name, port] = /^(?:([a-z0-9]+):\/\/)?(.*?)(?::(\d+))?$/.exec(zone) ?? [];
    return { scheme, port: Number(port ?? SCHEME_PORTS[scheme] ?? DNS_PORT), isRoot: name === "." };
  });
}

/** Ports of a Corefile's servers. */
export function serverPorts(corefile: string): number[] {
  return sorted(portsOf(corefile).map(({ port }) => port));
}

/** Ports at which CoreDNS's pods answer resolvers: `dns.adopt.port`, else the Corefile's, if the stack manages it. */
function podPorts(dns: DnsSettings): ServerPort[] {
  if (dns.adopt?.port !== undefined) return [{ scheme: PLAIN, port: dns.adopt.port, isRoot: true }];
  return dns.adopt?.manage === false ? [] : portsOf(corefileText(dns)).filter(({ scheme }) => scheme === PLAIN);
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

function sorted(ports: readonly number[]): number[] {
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Inputs with which network policies allow queries to a stack's CoreDNS. */
export function dnsAccess(dns: DnsSettings | undefined) {
  return { dnsNamespace: dns?.adopt?.namespace, dnsLabels: dns?.adopt?.selector, dnsPorts: queryPorts(dns) };
}
