import { hasPlugin, hasUnread, linesOf, pluginName, remembered, type Server, writePlugin } from "../model.ts";
import { listenHosts } from "../plugins/serving.ts";
import { dotted, goMatcher, isGoRegexp, isLoopback } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import {
  bare,
  CLUSTER_DOMAIN,
  DNS_PORT,
  hasCapitals,
  hasView,
  hostsOf,
  isWithin,
  lineZones,
  renames,
  servedZones,
  serverFor,
  takenBy,
  zonesOr,
} from "../zones.ts";
import type { CheckedCorefile, CheckedServer } from "./findings.ts";
import { readUpstream, type Upstream } from "./forward-checks.ts";

/** Server blocks that no query from a pod reaches. */
export function checkZones(checked: CheckedServer): void {
  checkSpelling(checked);
  checkWildcards(checked);
  if (checked.context.isAddon !== false) checkPorts(checked);
  if (hasView(checked.server)) checkView(checked);
  checkBind(checked);
}

/** Plugins whose zones other checks handle. */
const CHECKED_ELSEWHERE: readonly string[] = ["hosts", "kubernetes"];

/** Names in a block's line that another block owns: CoreDNS routes a query to the block with the longest matching zone. */
export function checkOwners(checked: CheckedServer): void {
  const { server, servers } = checked;
  if (renames(server)) return;
  for (const plugin of server.plugins) {
    if (plugin.plugin === "hosts") checkHostNames(checked, plugin.entries);
    const name = pluginName(plugin);
    if (CHECKED_ELSEWHERE.includes(name)) continue;
    for (const zone of lineZones(plugin).filter((text) => !hasVariable(text))) {
      const owner = takenBy(zone, server, servers);
      if (owner !== undefined)
        checked.warn(
          `${name} ${bare(zone)}`,
          `is never used, since the block for ${owner.zones.join(" ")} takes these names`,
          "move the line there",
        );
    }
  }
}

function checkHostNames(checked: CheckedServer, entries: readonly { readonly names: readonly string[] }[]): void {
  const { server, servers } = checked;
  for (const name of new Set(entries.flatMap((entry) => entry.names))) {
    const owner = takenBy(name, server, servers);
    if (owner !== undefined)
      checked.warn(
        `hosts ${name}`,
        `is never queried here, since the block for ${owner.zones.join(" ")} takes this name`,
        "move the line there",
      );
  }
}

/**
 * Entries of hosts that a template, which comes first, answers in its own way.
 * @see https://github.com/coredns/coredns/issues/5204
 */
export function checkTemplated(checked: CheckedServer): void {
  const { server } = checked;
  const entries = server.plugins.flatMap((plugin) => (plugin.plugin === "hosts" ? plugin.entries : []));
  if (entries.length === 0) return;
  for (const { args, block = [] } of linesOf(server, "template")) {
    const [kind = "IN", type = "ANY", ...words] = args.map((word) => word.toUpperCase());
    const zones = zonesOr(args.slice(2), server);
    const patterns = block.flatMap(({ name, args: found }) => (name === "match" ? found : []));
    const matchers = patterns.filter(isGoRegexp).map(goMatcher);
    if (!["IN", "ANY"].includes(kind) || words.some(hasVariable)) continue;
    const taken = entries
      .filter(({ address }) => ["ANY", address.includes(":") ? "AAAA" : "A"].includes(type))
      .flatMap(({ names }) => names)
      .filter((name) => zones.some((zone) => isWithin(name, zone)))
      .filter((name) => patterns.length === 0 || matchers.some((matches) => matches(dotted(name))));
    const [first, ...more] = new Set(taken);
    if (first === undefined) continue;
    checked.warn(
      `hosts ${first}${more.length === 0 ? "" : ` and ${more.length} more`}`,
      `is not used, since template ${args.join(" ")} comes first and answers it`,
      "give it a template of its own above that one",
    );
  }
}

/** A zone with capital letters, which CoreDNS accepts but matches with no name. */
function checkSpelling(checked: CheckedServer): void {
  const { server } = checked;
  for (const zone of server.zones)
    if (hasCapitals(zone) && !zone.includes("/") && !hasVariable(zone))
      checked.warn(
        `zone ${zone}`,
        "no query reaches it, since CoreDNS compares names in lower case",
        `write ${zone.toLowerCase()}`,
      );
}

/** Wildcards in zones: to CoreDNS the asterisk is an ordinary character. */
function checkWildcards(checked: CheckedServer): void {
  const { server } = checked;
  for (const zone of server.zones.filter(isWildcard))
    checked.warn(
      `zone ${zone}`,
      "no query reaches it, since a zone has no wildcards",
      `write ${zone.replace(/^.*\*\./, "")}`,
    );
  for (const plugin of server.plugins) {
    const { name, args } = writePlugin(plugin);
    for (const zone of zonesOfLine(name, args).filter(isWildcard))
      checked.warn(
        `${name} ${zone}`,
        "matches no name, since a zone has no wildcards",
        `write ${zone.replace(/^.*\*\./, "")}, which takes all names below it too`,
      );
  }
}

/** Zones that a line of forward or template names; those of other plugins may have an asterisk. */
function zonesOfLine(plugin: string, args: readonly string[]): readonly string[] {
  if (plugin === "forward") return args.slice(0, 1);
  return plugin === "template" ? args.slice(2) : [];
}

function isWildcard(zone: string): boolean {
  return /(^|[./])\*\./.test(zone);
}

/** Protocols of a server block, each with its own default port. */
const TRANSPORT = /^(dns|tls|quic|grpc|https3?):\/\//;

/** The ports that a Corefile's forwards query. */
const QUERIED_PORTS = new WeakMap<readonly Server[], ReadonlySet<number | undefined>>();

/** The add-on's Service targets port 53; a block on another port is only reachable from a forward of this CoreDNS. */
function checkPorts(checked: CheckedServer): void {
  const { server, servers } = checked;
  const asked = remembered(QUERIED_PORTS, servers, (all) => new Set(all.flatMap(upstreamsOf).map(({ port }) => port)));
  for (const zone of server.zones) {
    const [, unknown] = /^(\w+:\/\/)/.exec(zone.replace(TRANSPORT, "")) ?? [];
    if (unknown !== undefined)
      checked.warn(`zone ${zone}`, `no query reaches it, since CoreDNS does not serve ${unknown}`, "leave it out");
  }
  const ports = servedZones(server).flatMap(({ port }) => (port === DNS_PORT || asked.has(port) ? [] : [port]));
  for (const port of new Set(ports))
    checked.warn(`port ${port}`, "no pod queries it, since the Service kube-dns uses 53", "leave the port out");
}

/** A block with a view is only tried before one without if it comes first. */
function checkView(checked: CheckedServer): void {
  const { server, servers } = checked;
  const zones = servedZones(server);
  const earlier = servers.slice(0, servers.indexOf(server));
  const first = earlier.find(
    (other) =>
      !hasView(other) &&
      String(hostsOf(other)) === String(hostsOf(server)) &&
      servedZones(other).some(({ zone, port }) => zones.some((served) => served.zone === zone && served.port === port)),
  );
  if (first === undefined) return;
  checked.warn(
    "view",
    `no query reaches this block, since the block for ${first.zones.join(" ")} above it has no view and takes all queries`,
    "move the block with the view up",
  );
}

/**
 * A block that listens nowhere gets no query, and one that only listens on loopback none from a pod, unless a forward uses it as a second
 * stage.
 */
function checkBind(checked: CheckedServer): void {
  const { server, servers } = checked;
  const { isAddon } = checked.context;
  const zones = servedZones(server).filter(({ port }) => port === DNS_PORT);
  if (zones.length === 0 || !isInner(server)) return;
  const subject = `bind ${hostsOf(server).join(" ")}`;
  const problem = isSilent(server)
    ? "no query reaches this block, since except leaves no address"
    : "no other pod reaches this block, since this is the loopback of CoreDNS's own pod";
  const isRoot = zones.some(({ zone }) => zone === ".");
  const isAlone = () => serverFor(".", DNS_PORT, remembered(OUTER, servers, outerOf)) === undefined;
  if (isRoot && isAddon !== false && isAlone()) checked.error(subject, problem, "leave bind out");
  else if (isSilent(server) || !remembered(ASKS_LOOPBACK, servers, (all) => all.some(asksLoopback)))
    checked.warn(subject, problem, "leave bind out");
}

const OUTER = new WeakMap<readonly Server[], readonly Server[]>();
const ASKS_LOOPBACK = new WeakMap<readonly Server[], boolean>();

function outerOf(servers: readonly Server[]): readonly Server[] {
  return servers.filter((server) => !isInner(server));
}

/** Whether no other pod can reach a block. */
function isInner(server: Server): boolean {
  const hosts = hostsOf(server);
  return hosts.length > 0 && (hosts.every((host) => host === "lo" || isLoopback(host)) || isSilent(server));
}

/** Whether `except` of bind leaves no address. */
function isSilent({ plugins }: Server): boolean {
  const binds = plugins.filter((plugin) => plugin.plugin === "bind");
  const left = binds.flatMap(({ addresses, more = [] }) =>
    listenHosts(addresses, more.findLast(({ name }) => name === "except")?.args ?? []),
  );
  return binds.length > 0 && left.length === 0;
}

function asksLoopback(server: Server): boolean {
  return upstreamsOf(server).some(({ target }) => isLoopback(target));
}

function upstreamsOf(server: Server): readonly Upstream[] {
  return server.plugins.flatMap((plugin) =>
    plugin.plugin === "forward"
      ? plugin.upstreams.map(readUpstream).filter((upstream) => typeof upstream !== "string")
      : [],
  );
}

/** Whether a block answers a zone's names on a port. */
export function serves(server: Server, name: string, port: number): boolean {
  return servedZones(server).some((served) => served.port === port && isWithin(name, served.zone));
}

/** Plugins that may answer for the cluster's names instead of kubernetes. */
const OTHER_SOURCES: readonly string[] = [
  "forward",
  "file",
  "auto",
  "secondary",
  "etcd",
  "template",
  "hosts",
  "rewrite",
  "grpc",
];

/** On EKS every pod queries names in cluster.local, whatever zones kubernetes has. */
export function checkClusterNames(corefile: CheckedCorefile): void {
  const { servers } = corefile;
  const { coredns, port = DNS_PORT, clusterDomain: domain = CLUSTER_DOMAIN } = corefile.context;
  const server = serverFor(domain, port, servers);
  if (server === undefined || !servers.some((other) => hasPlugin(other, "kubernetes"))) return;
  if (servers.some((other) => hasUnread(other, "kubernetes"))) return;
  const inViews = servers.some(
    (other) => hasView(other) && hasPlugin(other, "kubernetes") && serves(other, domain, port),
  );
  const lines = server.plugins.filter((plugin) => plugin.plugin === "kubernetes");
  const ofBlock = servedZones(server).map(({ zone }) => zone);
  // CoreDNS drops an empty zone, such as the value of an unset variable.
  const zones = lines.flatMap((line) => (line.zones.length > 0 ? line.zones : ofBlock)).filter((zone) => zone !== "");
  // To kubernetes, the longest of its zones is the domain of a name's cluster.
  const taken = zones
    .filter((zone) => isWithin(`svc.${domain}`, zone))
    .sort((a, b) => dotted(b).length - dotted(a).length);
  const [own] = taken;
  if (own !== undefined && isWithin(own, domain) && isWithin(domain, own)) return;
  const answered = `kubernetes answers ${zones.join(" ")}`;
  const inner =
    own !== undefined
      ? `kubernetes takes ${bare(own)} for the cluster's domain`
      : zones.length > 0
        ? answered
        : "this block has no kubernetes";
  const outside = inViews ? "outside the views " : "";
  const problem = `${outside}nothing answers it, the domain of every pod on EKS, since ${inner}`;
  const advice = own === undefined ? undefined : `write kubernetes ${domain} in-addr.arpa ip6.arpa`;
  const another =
    zones.length === 0 &&
    OTHER_SOURCES.some((name) => hasPlugin(server, name) && !servedZones(server).some(({ zone }) => zone === "."));
  const isError = coredns !== undefined && !another && !inViews && !hasPlugin(server, "rewrite");
  corefile.block(server)[isError ? "error" : "warn"](`zone ${domain}`, problem, advice);
}
