import { parseCorefile } from "eks-dns-logging-corefile";
import { corefileText } from "./corefile-rendering.ts";
import type { DnsSettings } from "./settings.ts";

/** Port at which resolvers ask. */
const DNS_PORT = 53;
const PLAIN = "dns";

/** Ports of servers that name none, by scheme. */
const SCHEME_PORTS: Readonly<Record<string, number>> = { tls: 853, quic: 853, https: 443, https3: 443, grpc: 443 };

interface ServerPort {
  /** How it is asked: `dns`, `tls`, `https`, … */
  readonly scheme: string;
  readonly port: number;
  /** Whether names of all zones are asked there. */
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

/** Where CoreDNS's pods answer resolvers: by `dns.adopt.port`, else by the Corefile, as far as that is the stack's. */
function podPorts(dns: DnsSettings): ServerPort[] {
  if (dns.adopt?.port !== undefined) return [{ scheme: PLAIN, port: dns.adopt.port, isRoot: true }];
  return dns.adopt?.manage === false ? [] : portsOf(corefileText(dns)).filter(({ scheme }) => scheme === PLAIN);
}

/** Ports that a network policy must open for queries: that of the pods, to which a Service leads, and that of what answers on the nodes. */
export function queryPorts(dns: DnsSettings | undefined): readonly number[] {
  return sorted([DNS_PORT, dns === undefined ? DNS_PORT : targetPort(dns)]);
}

/** The port of CoreDNS's pods to which a Service for queries must lead. */
export function targetPort(dns: DnsSettings): number {
  const ports = podPorts(dns);
  const root = ports.filter(({ isRoot }) => isRoot);
  const [first, ...others] = (root.length > 0 ? root : ports).map(({ port }) => port);
  return first === undefined || others.includes(DNS_PORT) ? DNS_PORT : first;
}

function sorted(ports: readonly number[]): number[] {
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** What network policies must know of a stack's CoreDNS to let queries through to it. */
export function dnsAccess(dns: DnsSettings | undefined) {
  return { dnsNamespace: dns?.adopt?.namespace, dnsLabels: dns?.adopt?.selector, dnsPorts: queryPorts(dns) };
}
