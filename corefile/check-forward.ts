import { sameAddress } from "./address.ts";
import type { CheckContext, Findings } from "./check.ts";
import { loopOf } from "./loop.ts";
import type { Server } from "./model.ts";
import type { ForwardPlugin } from "./plugins/forward.ts";
import { readUpstream } from "./upstream.ts";
import { isBefore } from "./version.ts";

const MAX_UPSTREAMS = 15;
/** Before it, a second line of forward in a block kept CoreDNS from starting. @see https://github.com/coredns/coredns/blob/master/notes/coredns-1.9.4.md */
const SEVERAL_SINCE = [1, 9, 4] as const;
/** Where NodeLocal DNSCache usually is. */
const USUAL_NODE_LOCAL = "169.254.20.10";

/** Upstreams that CoreDNS refuses, that are CoreDNS itself, or that no query reaches. */
export function checkForwards(server: Server, context: CheckContext, findings: Findings): void {
  const forwards = server.plugins.filter((plugin) => plugin.plugin === "forward");
  if (forwards.length > 1 && context.coredns !== undefined && isBefore(context.coredns, SEVERAL_SINCE)) {
    const [since, version] = [SEVERAL_SINCE, context.coredns].map((parts) => parts.join("."));
    findings.error(
      server,
      `forward stands ${forwards.length} times: CoreDNS takes that from ${since}, and this is ${version}`,
    );
  }
  for (const [index, forward] of forwards.entries()) {
    const wider = forwards.slice(0, index).find((earlier) => covers(earlier.from, forward.from));
    if (wider !== undefined) {
      findings.warn(
        server,
        `forward ${forward.from} is never asked: forward ${wider.from} stands before it and takes its names`,
      );
    }
    checkUpstreams(server, forward, context, findings);
  }
}

function covers(wide: string, narrow: string): boolean {
  const [outer, inner] = [normal(wide), normal(narrow)];
  return outer === "." || inner === outer || inner.endsWith(`.${outer}`);
}

function normal(zone: string): string {
  return zone === "." || zone.endsWith(".") ? zone.toLowerCase() : `${zone.toLowerCase()}.`;
}

function checkUpstreams(server: Server, forward: ForwardPlugin, context: CheckContext, findings: Findings): void {
  const { from, upstreams } = forward;
  if (upstreams.length > MAX_UPSTREAMS) {
    findings.error(server, `forward ${from} has ${upstreams.length} upstreams: CoreDNS takes at most ${MAX_UPSTREAMS}`);
  }
  for (const text of upstreams) {
    if (text.includes("{")) continue; // a variable
    const upstream = readUpstream(text);
    if (typeof upstream === "string") {
      findings.error(server, `forward ${from}: an upstream is ${upstream}`);
      continue;
    }
    const loop = loopOf(upstream, context);
    if (loop !== undefined) {
      findings.error(server, `forward ${from} ${text}: a loop to itself, since this is ${loop}`);
    } else if (sameAddress(upstream.target, USUAL_NODE_LOCAL)) {
      findings.warn(
        server,
        `forward ${from} ${text}: NodeLocal DNSCache usually has this address, and asks CoreDNS itself for many names`,
      );
    }
    if (upstream.kind === "file" && upstream.target !== "/etc/resolv.conf") {
      const message = `forward ${from} ${text}: the add-on's pods have no such file but /etc/resolv.conf`;
      // CoreDNS does not start then. On another cluster the file may be there.
      if (context.coredns === undefined) findings.warn(server, message);
      else findings.error(server, message);
    }
    if (upstream.tls && upstream.serverName === undefined && forward.tlsServerName === undefined) {
      findings.warn(server, `forward ${from} ${text}: without tls_servername anybody in between can answer`);
    }
  }
}
