import { hasPlugin, hasUnread, type Server } from "../model.ts";
import type { ForwardPlugin } from "../plugins/sources.ts";
import { DECIDERS, isBefore, isSince } from "../releases.ts";
import { UPSTREAM_FORMS } from "../setups/forwarding.ts";
import { dotted, isAddress, isLinkLocal, isOwnHost, isPublic, sameAddress, seconds } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { DNS_PORT, isWithin, meets, servedZones, serverFor, zonesAround } from "../zones.ts";
import type { CheckContext, CheckedServer } from "./findings.ts";

/** The target of a forward. */
export interface Upstream {
  readonly kind: "address" | "file";
  /** Address without its port, or path of a file. */
  readonly target: string;
  readonly port: number | undefined;
  readonly tls: boolean;
  /** Server name for TLS, from `tls://ADDRESS%NAME`. */
  readonly serverName: string | undefined;
}

/** CoreDNS also accepts other numbers, on which nothing listens. */
const PORT_RANGE = "a port is 1 to 65535";

/**
 * Parses an upstream of `forward`.
 * @returns a text with the reason if CoreDNS rejects it: a host name, another protocol, an invalid port.
 * @see https://coredns.io/plugins/forward/
 */
export function readUpstream(text: string): Upstream | string {
  const [, scheme = "dns", rest = ""] = /^(?:([a-z0-9]+):\/\/)?(.*)$/.exec(text) ?? [];
  if (scheme !== "dns" && scheme !== "tls") return `${UPSTREAM_FORMS}; forward does not speak ${scheme}`;
  const tls = scheme === "tls";
  const [, host = rest, serverName, suffix = ""] = /^([^%]*)%([^:\]]+)(.*)$/.exec(rest) ?? [];
  const parts = addressAndPort(`${host}${serverName === undefined ? "" : suffix}`);
  if (parts === undefined) {
    if (rest.startsWith("/")) return { kind: "file", target: rest, port: undefined, tls, serverName: undefined };
    return `${UPSTREAM_FORMS}; ${text} is none of these, and names are not looked up`;
  }
  if (parts.port !== undefined && (parts.port < 1 || parts.port > 65_535)) return `${UPSTREAM_FORMS}; ${PORT_RANGE}`;
  // In fe80::1%eth0, the part after the percent sign is a network interface.
  return { kind: "address", target: parts.address, port: parts.port, tls, serverName: tls ? serverName : undefined };
}

/** The address and port of an upstream; undefined if it is not an address. */
function addressAndPort(text: string): { readonly address: string; readonly port: number | undefined } | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  const plain = bracketed ?? /^([\d.]+)(?::(\d+))?$/.exec(text);
  const [, address = text, port] = plain ?? [];
  if (!isAddress(address)) return undefined;
  return { address, port: port === undefined ? undefined : Number(port) };
}

/**
 * Before it, a second line of forward in a block kept CoreDNS from starting.
 * @see https://github.com/coredns/coredns/blob/master/notes/coredns-1.9.4.md
 */
const SEVERAL_SINCE = [1, 9, 4] as const;
/**
 * Before it, CoreDNS resolved address and server name together, as a host.
 * @see https://github.com/coredns/coredns/blob/master/notes/coredns-1.13.0.md
 */
const SERVER_NAME_SINCE = [1, 13, 0] as const;
/** Before it, failover continues until the query times out. https://github.com/coredns/coredns/pull/8277 */
const FAILOVER_ENDS_SINCE = [1, 14, 7] as const;
/** Usual address of NodeLocal DNSCache. */
const USUAL_NODE_LOCAL = "169.254.20.10";
/**
 * Addresses of kube-dns on EKS, depending on the VPC's range.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
 */
const EKS_CLUSTER_DNS: readonly string[] = ["10.100.0.10", "172.20.0.10"];
/** Address of kube-dns with kubeadm and kind, for the default Service CIDR. */
const USUAL_CLUSTER_DNS = "10.96.0.10";

/** Upstreams that are CoreDNS itself, or that get no queries. */
export function checkForwards(checked: CheckedServer): void {
  const { server, context } = checked;
  const forwards = server.plugins.filter((plugin) => plugin.plugin === "forward");
  if (forwards.length > 1 && context.coredns !== undefined && isBefore(context.coredns, SEVERAL_SINCE)) {
    const [since, version] = [SEVERAL_SINCE, context.coredns].map((parts) => parts.join("."));
    checked.error(
      "forward",
      `occurs ${forwards.length} times, which requires CoreDNS ${since}, but this is ${version}`,
    );
  }
  const byZone = Map.groupBy(forwards.entries(), ([, { from }]) => dotted(from));
  for (const [index, forward] of forwards.entries()) {
    const [wider] = [...zonesAround(forward.from)]
      .map((zone) => byZone.get(zone)?.find(([position, earlier]) => position < index && takesAll(earlier, forward)))
      .filter((entry) => entry !== undefined)
      .sort(([one], [other]) => one - other)
      .map(([, earlier]) => earlier);
    if (wider !== undefined) {
      checked.warn(
        `forward ${forward.from}`,
        `is never used, since forward ${wider.from} comes first and takes its names`,
      );
    }
    checkUpstreams(checked, forward);
    checkMixture(checked, forward);
    checkServerNames(checked, forward);
    checkOperators(checked, forward);
    checkPlain(checked, forward);
    checkTransport(checked, forward);
    checkFailover(checked, forward);
    checkInterval(checked, forward);
    checkExcept(checked, forward);
  }
}

function checkServerNames(checked: CheckedServer, forward: ForwardPlugin): void {
  const { coredns } = checked.context;
  if (coredns === undefined || !isBefore(coredns, SERVER_NAME_SINCE)) return;
  const named = forward.upstreams.filter((text) => {
    const upstream = readUpstream(text);
    return typeof upstream !== "string" && upstream.serverName !== undefined;
  });
  const [text] = named;
  if (text === undefined) return;
  const [since, version] = [SERVER_NAME_SINCE, coredns].map((parts) => parts.join("."));
  const subject = `forward ${forward.from} ${text}`;
  const problem = `CoreDNS takes a name after % from ${since}, and ${version} queries no server there`;
  checked[named.length === forward.upstreams.length ? "error" : "warn"](subject, problem, "use tls_servername");
}

/** Public resolvers by operator, who has certificates for own names only. */
const OPERATORS: readonly (readonly string[])[] = [
  ["1.1.1.1", "1.0.0.1", "1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3", "2606:4700:4700::1111", "2606:4700:4700::1001"],
  ["8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"],
  [
    "9.9.9.9",
    "149.112.112.112",
    "9.9.9.10",
    "149.112.112.10",
    "9.9.9.11",
    "149.112.112.11",
    "2620:fe::fe",
    "2620:fe::9",
  ],
];

/** One name for resolvers of several operators. @see https://github.com/coredns/coredns/issues/3585 */
function checkOperators(checked: CheckedServer, { from, upstreams, tlsServerName: name }: ForwardPlugin): void {
  if (name === undefined) return;
  const operators = OPERATORS.flatMap((addresses) => {
    const [own] = upstreams.filter((text) => {
      const upstream = readUpstream(text);
      const isSame = (address: string) => typeof upstream !== "string" && sameAddress(address, upstream.target);
      return typeof upstream !== "string" && upstream.tls && addresses.some(isSame);
    });
    return own ?? [];
  });
  if (operators.length > 1)
    checked.warn(
      `forward ${from} ${operators.join(" ")}`,
      `tls_servername ${name} is for all upstreams, and only one of these has a certificate for it, so the others never answer`,
      "use the resolvers of one operator",
    );
}

/** If all upstreams answer with a failover code, they are queried in turn, without a pause, until the query is 5 s old. */
function checkFailover(checked: CheckedServer, { from, more }: ForwardPlugin): void {
  const { coredns } = checked.context;
  if (isSince(coredns, FAILOVER_ENDS_SINCE)) return;
  const codes = more?.find(({ name }) => name === "failover")?.args;
  if (codes === undefined) return;
  checked.warn(
    `forward ${from}`,
    `until CoreDNS 1.14.7, failover sends a query to which all upstreams answer ${codes.join(" or ")} again and again for 5 s, tens of thousands of times`,
    `use next ${codes.join(" ")}, and another line forward ${from} for the other upstreams`,
  );
}

/** Pauses between two health checks of a failed upstream. https://github.com/coredns/coredns/blob/v1.14.3/plugin/pkg/up/up.go */
function checkInterval(checked: CheckedServer, { from, healthCheck, maxFails }: ForwardPlugin): void {
  if (healthCheck === undefined || maxFails === 0 || seconds(healthCheck.interval) !== 0) return;
  checked.warn(
    `forward ${from}`,
    `health_check ${healthCheck.interval} checks a failed upstream without a pause, which can take a whole CPU`,
    "use 500ms, or max_fails 0, which checks none",
  );
}

/** Two options for the same choice, of which CoreDNS takes force_tcp. */
function checkTransport(checked: CheckedServer, { from, forceTcp, preferUdp }: ForwardPlugin): void {
  if (forceTcp && preferUdp)
    checked.warn(`forward ${from}`, "prefer_udp has no effect beside force_tcp", "leave one of them out");
}

/** TLS options for upstreams without tls://, which are queried in plain DNS. */
function checkPlain(checked: CheckedServer, { from, upstreams, tls, tlsServerName }: ForwardPlugin): void {
  const option = tlsServerName === undefined ? "tls" : "tls_servername";
  const [first] = upstreams;
  if ((tls ?? tlsServerName) === undefined || first === undefined || upstreams.some(isSecure)) return;
  checked.warn(
    `forward ${from} ${first}`,
    `${option} has no effect, and queries go out in plain DNS`,
    "write tls:// before the address",
  );
}

/** Whether an upstream is not queried in plain DNS: it uses TLS, or another protocol of a newer CoreDNS; a variable may be either. */
function isSecure(text: string): boolean {
  return /^(?!dns:)[a-z0-9]+:\/\//.test(text) || hasVariable(text);
}

/** Plugins that may answer what forward excludes. */
const SOURCES: readonly string[] = [...DECIDERS].filter(
  (name) => !["rewrite", "acl", "forward", "kubernetes"].includes(name),
);

/** Names that `except` excludes, although nothing else answers them. */
function checkExcept(checked: CheckedServer, forward: ForwardPlugin): void {
  const { server, servers } = checked;
  if (SOURCES.some((name) => hasPlugin(server, name)) || hasUnread(server, "kubernetes")) return;
  for (const zone of forward.except ?? []) {
    const isOwn = serverFor(zone, DNS_PORT, servers) === server && isWithin(zone, forward.from);
    const isTaken = server.plugins.some(
      (plugin) =>
        (plugin.plugin === "forward" && plugin !== forward && meets(zone, plugin.from)) ||
        (plugin.plugin === "kubernetes" &&
          (plugin.zones.length === 0 || plugin.zones.some((served) => meets(zone, served)))),
    );
    if (isOwn && !isTaken)
      checked.warn(
        `forward ${forward.from}`,
        `except ${zone} leaves these names to no other line, so they are SERVFAIL`,
        `add a line forward ${zone}`,
      );
  }
}

/**
 * Upstreams with and without private names: which of them answers is random.
 * @see https://github.com/coredns/coredns/issues/5348
 */
function checkMixture(checked: CheckedServer, { from, upstreams, policy }: ForwardPlugin): void {
  if (policy === "sequential") return;
  const inside = upstreams.find((text) => isInside(text) === true);
  const outside = upstreams.find((text) => isInside(text) === false);
  if (inside === undefined || outside === undefined) return;
  checked.warn(
    `forward ${from} ${inside} ${outside}`,
    `one is chosen at random, so private names fail where ${outside} is`,
    "give them a line of their own",
  );
}

/** Whether an upstream is on the nodes' network; undefined if it is not an upstream. */
function isInside(text: string): boolean | undefined {
  const upstream = readUpstream(text);
  if (typeof upstream === "string") return undefined;
  return upstream.kind === "file" || !isPublic(upstream.target);
}

/** Whether an earlier line takes all names of a later one; it passes on names of `except`, and answers with a code of `next`. */
function takesAll(earlier: ForwardPlugin, later: ForwardPlugin): boolean {
  if (!isWithin(later.from, earlier.from)) return false;
  if (earlier.more?.some(({ name }) => name === "next")) return false;
  return !earlier.except?.some((zone) => meets(zone, later.from));
}

function checkUpstreams(checked: CheckedServer, forward: ForwardPlugin): void {
  const { server, servers, context } = checked;
  const { from } = forward;
  for (const text of forward.upstreams) {
    const upstream = readUpstream(text);
    // A variable, or an upstream that CoreDNS rejects.
    if (typeof upstream === "string") {
      if (/:\d+$/.test(text) && upstream.endsWith(PORT_RANGE)) checked.error(`forward ${from} ${text}`, PORT_RANGE);
      continue;
    }
    const loop = loopOf(upstream, context);
    const isLoop = comesBack(server, servers, from, upstream);
    if (loop !== undefined && isLoop) {
      checked.error(`forward ${from} ${text}`, `is a loop to itself, since this is ${loop}`);
    } else if (loop === undefined && sameAddress(upstream.target, USUAL_NODE_LOCAL)) {
      checked.warn(
        `forward ${from} ${text}`,
        "NodeLocal DNSCache usually has this address, and asks CoreDNS itself for many names",
      );
    } else if (context.clusterDns?.length === 0 && sameAddress(upstream.target, USUAL_CLUSTER_DNS)) {
      checked.warn(
        `forward ${from} ${text}`,
        "the Service kube-dns usually has this address, and CoreDNS is behind it",
      );
    }
    // CoreDNS's documentation says that anyone on the path could answer then, but Go compares the certificate with the address.
    if (upstream.tls && upstream.serverName === undefined && forward.tlsServerName === undefined)
      checked.warn(
        `forward ${from} ${text}`,
        `without tls_servername CoreDNS only takes a certificate for the address ${upstream.target}, and most are for a name`,
      );
  }
}

/** Describes an upstream that leads back to the CoreDNS that queries it; undefined if it leads elsewhere. */
export function loopOf(upstream: Upstream, { clusterDns, nodeLocal }: CheckContext): string | undefined {
  if (upstream.kind === "file" || upstream.tls) return undefined;
  if (isOwnHost(upstream.target)) return "the CoreDNS pod's own address";
  if ((upstream.port ?? DNS_PORT) !== DNS_PORT) return undefined;
  const isAt = (address: string) => sameAddress(address, upstream.target);
  const answersHere = (clusterDns ?? EKS_CLUSTER_DNS).some(isAt);
  // The cluster's DNS addresses may include a cache's.
  if ((nodeLocal !== undefined && isAt(nodeLocal)) || (answersHere && isLinkLocal(upstream.target)))
    return "the node's cache, which asks CoreDNS";
  return answersHere ? "the Service kube-dns, and CoreDNS is behind it" : undefined;
}

/** Whether a query that CoreDNS sends to itself reaches the same block again, because no rewrite leads it to another block. */
function comesBack(server: Server, servers: readonly Server[], from: string, upstream: Upstream): boolean {
  const port = upstream.port ?? DNS_PORT;
  return servedZones(server).some(({ zone }) => {
    if (!isWithin(from, zone) && !isWithin(zone, from)) return false;
    const name = isWithin(from, zone) ? dotted(from) : zone;
    const leaves = server.plugins.some(
      (plugin) => plugin.plugin === "rewrite" && !isWithin(plugin.to.replace(/\{\d+\}/g, "x"), zone),
    );
    return !leaves && serverFor(name, port, servers) === server;
  });
}
