import { isOwnHost, sameAddress } from "./address.ts";
import type { Findings } from "./check.ts";
import type { Server } from "./model.ts";
import type { ForwardPlugin } from "./plugins/forward.ts";
import { readUpstream, type Upstream } from "./upstream.ts";

const MAX_UPSTREAMS = 15;
const DNS_PORT = 53;

/** Upstreams that CoreDNS refuses, that are CoreDNS itself, or that no query reaches. */
export function checkForwards(server: Server, clusterDns: readonly string[], findings: Findings): void {
  const forwards = server.plugins.filter((plugin) => plugin.plugin === "forward");
  for (const [index, forward] of forwards.entries()) {
    const wider = forwards.slice(0, index).find((earlier) => covers(earlier.from, forward.from));
    if (wider !== undefined) {
      findings.warn(
        server,
        `forward ${forward.from} is never asked: forward ${wider.from} stands before it and takes its names`,
      );
    }
    checkUpstreams(server, forward, clusterDns, findings);
  }
}

function covers(wide: string, narrow: string): boolean {
  const [outer, inner] = [normal(wide), normal(narrow)];
  return outer === "." || inner === outer || inner.endsWith(`.${outer}`);
}

function normal(zone: string): string {
  return zone === "." || zone.endsWith(".") ? zone.toLowerCase() : `${zone.toLowerCase()}.`;
}

function checkUpstreams(
  server: Server,
  forward: ForwardPlugin,
  clusterDns: readonly string[],
  findings: Findings,
): void {
  const { from, upstreams } = forward;
  if (upstreams.length > MAX_UPSTREAMS) {
    findings.error(server, `forward ${from} has ${upstreams.length} upstreams: CoreDNS takes at most ${MAX_UPSTREAMS}`);
  }
  for (const text of upstreams) {
    const upstream = readUpstream(text);
    if (typeof upstream === "string") {
      findings.error(server, `forward ${from}: an upstream is ${upstream}`);
      continue;
    }
    const loop = loopOf(upstream, clusterDns);
    if (loop !== undefined) findings.error(server, `forward ${from} ${text}: ${loop}`);
    if (upstream.kind === "file" && upstream.target !== "/etc/resolv.conf") {
      findings.warn(server, `forward ${from} ${text}: the add-on's pods have no such file but /etc/resolv.conf`);
    }
    if (upstream.tls && upstream.serverName === undefined && forward.tlsServerName === undefined) {
      findings.warn(server, `forward ${from} ${text}: without tls_servername anybody in between can answer`);
    }
  }
}

/** Why queries to this upstream come back. */
function loopOf(upstream: Upstream, clusterDns: readonly string[]): string | undefined {
  if (upstream.kind === "file" || (upstream.port ?? DNS_PORT) !== DNS_PORT || upstream.tls) return undefined;
  if (isOwnHost(upstream.target)) return "a loop to itself, since this address is the CoreDNS pod's own";
  if (clusterDns.some((address) => sameAddress(address, upstream.target))) {
    return "a loop to itself, since this address is the Service kube-dns, and CoreDNS is behind it";
  }
  return undefined;
}
