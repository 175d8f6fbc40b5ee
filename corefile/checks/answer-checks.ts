import { type OtherPlugin, type Plugin, pluginName, type Server } from "../model.ts";
import type { HostsPlugin, KubernetesPlugin, RewritePlugin } from "../plugins/sources.ts";
import { isNewer } from "../releases.ts";
import type { Directive } from "../syntax/syntax.ts";
import {
  bare,
  type CheckContext,
  CLUSTER_DOMAIN,
  DNS_PORT,
  dotted,
  type Findings,
  hasPlugin,
  hasView,
  isWithin,
  servedZones,
  serverFor,
} from "./findings.ts";
import { loopOf, readUpstream } from "./forward-checks.ts";

/** What a block answers otherwise than its lines suggest, each as the real CoreDNS was seen to. */
export function checkAnswers(
  server: Server,
  servers: readonly Server[],
  context: CheckContext,
  findings: Findings,
): void {
  for (const plugin of server.plugins) checkPlugin(server, plugin, context, findings);
  checkCnames(server, findings);
  checkStubBlocks(server, servers, context, findings);
  checkShadow(server, servers, context, findings);
  for (const plugin of server.plugins)
    if (plugin.plugin === "kubernetes") checkReverse(server, servers, plugin, findings);
}

/** The zones of all addresses. */
const ALL_ADDRESSES: readonly string[] = ["in-addr.arpa.", "ip6.arpa."];

/** Names of addresses, of which the cluster knows its own alone. */
function checkReverse(
  server: Server,
  servers: readonly Server[],
  { zones, fallthrough }: KubernetesPlugin,
  findings: Findings,
): void {
  const reverse = zones.map(dotted).filter((zone) => isWithin(zone, "arpa"));
  const owners = hasView(server) || servedZones(server).length === 0 ? [] : [server, ...servers];
  const lost = reverse.filter((zone) => {
    const owner = serverFor(zone, DNS_PORT, owners);
    return owners.length > 0 && owner !== server && !(owner !== undefined && hasPlugin(owner, "kubernetes"));
  });
  if (lost.length > 0) {
    const names = lost.map(bare).join(" ");
    findings.warn(
      server,
      `kubernetes ${names}: no query for these names reaches this block, so that the addresses of Services have none; add ${names} to its zones`,
    );
  }
  if (fallthrough?.length === 0) return;
  const ended = reverse.filter(
    (zone) =>
      ALL_ADDRESSES.includes(zone) && !lost.includes(zone) && !fallthrough?.some((passed) => isWithin(zone, passed)),
  );
  // Clusters have addresses of IPv4 in most cases, and then nobody asks for others.
  if (ended.length === 0 || (reverse.includes("in-addr.arpa.") && !ended.includes("in-addr.arpa."))) return;
  findings.warn(
    server,
    `kubernetes ${ended.map(bare).join(" ")}: without fallthrough every address outside the cluster has no name (NXDOMAIN); add fallthrough ${ended.map(bare).join(" ")}`,
  );
}

function checkPlugin(server: Server, plugin: Plugin, context: CheckContext, findings: Findings): void {
  if (plugin.plugin === "hosts") checkHosts(server, plugin, context, findings);
  if (plugin.plugin === "rewrite") checkTarget(server, plugin, context, findings);
  if (plugin.plugin === "forward" && isForeign(server, plugin.from))
    findings.warn(
      server,
      `forward ${plugin.from} is never asked: names of ${plugin.from} do not reach a block for ${server.zones.join(" ")}`,
    );
  if (plugin.plugin === "other" && plugin.line.name === "template") checkTemplate(server, plugin, findings);
}

/** Whether no query for a zone comes to a block: neither as it is, nor under a name that a line gives it. */
function isForeign(server: Server, zone: string): boolean {
  const renames = server.plugins.some((plugin) => ["rewrite", "autopath", "dns64"].includes(pluginName(plugin)));
  const served = servedZones(server);
  return !renames && served.length > 0 && !served.some((one) => isWithin(zone, one.zone) || isWithin(one.zone, zone));
}

/** @see https://github.com/coredns/coredns/issues/4545 */
function checkHosts(server: Server, { entries }: HostsPlugin, { coredns }: CheckContext, findings: Findings): void {
  if (isNewer(coredns)) return;
  for (const name of new Set(entries.flatMap(({ names }) => names.filter((one) => one.includes("*")))))
    findings.warn(server, `hosts ${name}: hosts has no wildcards, so that this fits no name below it; use template`);
}

/** An answer for one type alone that the name does not exist takes its other addresses away too, in musl and .NET. */
function checkTemplate(server: Server, { line }: OtherPlugin, findings: Findings): void {
  const [, type = "ANY"] = line.args;
  const denies = (line.block ?? []).some(({ name, args }) => name === "rcode" && args[0]?.toUpperCase() === "NXDOMAIN");
  if (!denies || !["A", "AAAA"].includes(type.toUpperCase())) return;
  findings.warn(
    server,
    `template ${line.args.join(" ")}: NXDOMAIN says that a name has no record of any type, and resolvers such as musl's give up; use rcode NOERROR`,
  );
}

/** Names of the cluster, which a block without kubernetes asks somebody else for. */
function checkTarget(server: Server, { from, to }: RewritePlugin, context: CheckContext, findings: Findings): void {
  const { clusterDomain: domain = CLUSTER_DOMAIN } = context;
  if (!isWithin(to.replace(/\{\d+\}/g, "x"), domain)) return;
  if (server.plugins.some((plugin) => ["kubernetes", "template", "file"].includes(pluginName(plugin)))) return;
  const upstreams = server.plugins.flatMap((plugin) =>
    plugin.plugin === "forward" && isWithin(domain, plugin.from) ? plugin.upstreams : [],
  );
  if (upstreams.some((text) => leadsBack(text, context))) return;
  const asked = upstreams.length === 0 ? "nobody in this block answers" : `this block asks ${upstreams.join(" ")} for`;
  findings.warn(
    server,
    `rewrite ${from}: leads to ${to}, a name of the cluster that ${asked}: a rewrite belongs to the block of kubernetes`,
  );
}

/** Whether an upstream is CoreDNS itself, or has the last number of kube-dns's address in any range of Services. */
function leadsBack(text: string, context: CheckContext): boolean {
  const upstream = readUpstream(text);
  if (typeof upstream === "string" || upstream.kind === "file") return typeof upstream === "string";
  return loopOf(upstream, context) !== undefined || /(\.10|:a)$/i.test(upstream.target);
}

interface CnameRule {
  readonly line: Directive;
  readonly goesOn: boolean;
  readonly match: string;
  readonly from: string;
  readonly to: string;
}

function cnameRule(plugin: Plugin): CnameRule | undefined {
  if (plugin.plugin !== "other" || plugin.line.name !== "rewrite") return undefined;
  const [first = "", ...others] = plugin.line.args;
  const mode = first.toLowerCase();
  const [field = "", ...words] = mode === "continue" || mode === "stop" ? others : plugin.line.args;
  if (field.toLowerCase() !== "cname" || words.length < 2 || words.length > 3) return undefined;
  const [match = "", from = "", to = ""] = words.length === 2 ? ["exact", ...words] : words;
  return { line: plugin.line, goesOn: mode === "continue", match: match.toLowerCase(), from, to };
}

/**
 * A rule for cname compares and writes names as they are, with the dot at their end, and ends the rules whether it fits or not.
 * @see https://github.com/coredns/coredns/issues/6922
 */
function checkCnames(server: Server, findings: Findings): void {
  const rules = server.plugins.filter((plugin) => pluginName(plugin) === "rewrite");
  for (const [index, plugin] of rules.entries()) {
    const rule = cnameRule(plugin);
    if (rule === undefined) continue;
    const { match, from, to, goesOn } = rule;
    const whole = match === "exact" || match === "suffix";
    if (whole && !from.endsWith("."))
      findings.warn(server, `rewrite cname ${from}: fits no name, since names are compared with the dot at their end`);
    else if ((whole || match === "regex") && !to.endsWith("."))
      findings.warn(server, `rewrite cname ${from}: without a dot at the end of ${to} no answer is sent at all`);
    if (!goesOn && index < rules.length - 1)
      findings.warn(
        server,
        `rewrite cname ${from}: the rules after it have no effect, also where it does not fit; begin it with continue`,
      );
  }
}

/** autopath asks the plugins of its own block for the name without a search domain. @see https://github.com/coredns/coredns/issues/2539 */
function checkStubBlocks(server: Server, servers: readonly Server[], context: CheckContext, findings: Findings): void {
  if (!server.plugins.some(({ plugin }) => plugin === "autopath")) return;
  const { clusterDomain: domain = CLUSTER_DOMAIN } = context;
  const own = servedZones(server);
  const others = servers.filter((other) => other !== server).flatMap(servedZones);
  const stubs = others.filter(
    ({ zone, port }) =>
      own.some((one) => one.port === port && isWithin(zone, one.zone)) &&
      ![domain, "arpa"].some((known) => isWithin(zone, known)),
  );
  for (const zone of new Set(stubs.map((one) => bare(one.zone))))
    findings.warn(
      server,
      `autopath: for ${zone} it asks the upstreams of this block and not those of the block for ${zone}; use a line forward ${zone} here instead`,
    );
}

/** A block for a part of the cluster's names takes them from kubernetes. */
function checkShadow(server: Server, servers: readonly Server[], context: CheckContext, findings: Findings): void {
  const { clusterDomain: domain = CLUSTER_DOMAIN } = context;
  const isKubernetes = (one: Server) => one.plugins.some(({ plugin }) => plugin === "kubernetes");
  if (isKubernetes(server) || !servers.some(isKubernetes)) return;
  for (const { zone, port } of servedZones(server))
    if (port === 53 && isWithin(zone, domain) && !isWithin(domain, zone))
      findings.warn(
        server,
        `Services below ${bare(zone)} are not answered: this block takes them and has no kubernetes`,
      );
}
