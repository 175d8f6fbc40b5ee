import { hasPlugin, hasUnread, type Plugin, pluginName, type Server, writePlugin } from "../model.ts";
import type { CachePlugin } from "../plugins/cache.ts";
import type { KubernetesPlugin } from "../plugins/sources.ts";
import { isSince, type Version } from "../releases.ts";
import { MAX_CACHE_TTL } from "../setups/forwarding.ts";
import { dotted, hostAndPort, sameAddress, seconds } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { CLUSTER_DOMAIN, DNS_PORT, hasView, isWithin, lineZones, servedZones, serverFor, zonesOr } from "../zones.ts";
import type { CheckedCorefile, CheckedServer } from "./findings.ts";
import { checkClusterNames, serves } from "./zone-checks.ts";

const TERMINATION_GRACE = 30;
/** Seconds that CoreDNS needs after lameduck to close connections. */
const SHUTDOWN_RESERVE = 5;
/** Ports of the add-on's probes, and what happens if nothing answers there. */
const PROBES = [
  { plugin: "health", port: ":8080", consequence: "Kubernetes restarts the pod repeatedly" },
  { plugin: "ready", port: ":8181", consequence: "the pod gets no queries" },
] as const;

/** What is lost if the block for all names lacks a plugin. */
const WANTED: readonly (readonly [name: string, why: string])[] = [
  ["errors", "errors are not logged"],
  ["forward", "names outside the cluster get no answer"],
  ["cache", "every query goes to its source"],
  ["loop", "a loop through the upstreams goes unnoticed until memory runs out"],
];

/** Checks across all server blocks: who answers for what, and whether the pod's probes get an answer. */
export function checkServing(corefile: CheckedCorefile): void {
  if (corefile.hasImports) return;
  const { servers } = corefile;
  const { port = DNS_PORT } = corefile.context;
  const root = serverFor(".", port, servers);
  if (root === undefined) {
    const zone = `zone .:${port}`;
    if (servers.some((server) => hasView(server) && serves(server, ".", port)))
      corefile.warn(zone, "is only in blocks with a view, so queries that match no view are refused");
    else report(corefile, zone, "has no block, so names outside the other blocks are refused");
  } else
    for (const [name, why] of WANTED)
      if (name === "forward" ? !forwardsAll(root) : !hasPlugin(root, name))
        corefile.block(root).warn(hasPlugin(root, name) ? `${name} .` : name, `is missing, so ${why}`);
  checkProcess(corefile);
  checkClusterNames(corefile);
}

/** Options of single plugins that keep the pod, its metrics or its cache from working as intended. */
export function checkPlugins(checked: CheckedServer): void {
  for (const plugin of checked.server.plugins) checkPlugin(checked, plugin);
}

/** Whether a line sends all names to other servers; one with a variable may. */
function forwardsAll({ plugins }: Server): boolean {
  return plugins.some((plugin) => {
    const { name, args } = writePlugin(plugin);
    const [zone = ""] = args;
    return (name === "forward" || name === "grpc") && (hasVariable(zone) || dotted(zone) === ".");
  });
}

/** Reports an error; a warning outside the add-on, whose pods may serve other names and ports, and have other probes. */
function report(corefile: CheckedCorefile, subject: string, problem: string): void {
  corefile[corefile.context.isAddon === false ? "warn" : "error"](subject, problem);
}

/** Plugins that affect the whole process, whichever block they are in. */
function checkProcess(corefile: CheckedCorefile): void {
  const { servers, context } = corefile;
  if (!servers.some((server) => hasPlugin(server, "kubernetes")))
    report(corefile, "kubernetes", "is missing, so the cluster's own names get no answer");
  if (!servers.some((server) => hasPlugin(server, "reload")))
    corefile.warn("reload", "is missing, so a changed Corefile is loaded only at the next restart");
  if (context.isAddon === false) return;
  const plugins = servers.flatMap((server) => server.plugins);
  for (const { plugin: name, port, consequence } of PROBES) {
    const addresses = plugins.flatMap((plugin) =>
      (plugin.plugin === "health" || plugin.plugin === "ready") && plugin.plugin === name
        ? [plugin.address ?? port]
        : [],
    );
    if (addresses.some((address) => isEverywhere(address, port))) continue;
    // A line with an issue of its own exists, but was not parsed.
    if (addresses.length === 0 && servers.some((server) => hasPlugin(server, name))) continue;
    const what = addresses.length === 0 ? "is missing" : "listens elsewhere";
    corefile.error(name, `${what}, but the add-on's probe asks it on ${port}, and ${consequence}`);
  }
}

/** Whether a plugin's listen address covers a port of the pod. */
function isEverywhere(address: string, port: string): boolean {
  const { host = "", port: listened } = hostAndPort(address) ?? {};
  const unspecified = ["0.0.0.0", "::"].some((any) => sameAddress(any, host));
  return `:${listened}` === port && (host === "" || unspecified);
}

/** First release whose cache keeps answers for more than an hour. https://github.com/coredns/coredns/pull/8134 */
const LONG_CACHE_SINCE: Version = [1, 14, 4];

function checkPlugin(checked: CheckedServer, plugin: Plugin): void {
  const { context } = checked;
  switch (plugin.plugin) {
    case "health":
      checkLameduck(checked, plugin.lameduck, context.terminationGrace ?? TERMINATION_GRACE);
      break;
    case "autopath":
      checkAutopath(checked, plugin.source);
      break;
    case "prometheus":
      checkMetrics(checked, plugin.address ?? "localhost:9153");
      break;
    case "cache":
      checkUnit(checked, plugin);
      if (!isSince(context.coredns, STALE_BEFORE_FAILURE_SINCE)) checkFailures(checked, plugin);
      if (!isSince(context.coredns, LONG_CACHE_SINCE)) checkCache(checked, plugin);
      break;
  }
}

const METRICS_PORT = "9153";

function checkMetrics(checked: CheckedServer, address: string): void {
  const { isAddon } = checked.context;
  if (/^(localhost|127\.|\[::1\])/.test(address))
    checked.warn(
      "prometheus",
      "listens on localhost, where no collector reaches it",
      "write :9153, which the Service names",
    );
  else if (isAddon !== false && hostAndPort(address)?.port !== METRICS_PORT)
    checked.warn(
      "prometheus",
      `listens on ${address}, where no collector looks for it`,
      "write :9153, which the Service names",
    );
}

function checkAutopath(checked: CheckedServer, source: string): void {
  const { server } = checked;
  if (source === "@kubernetes" && !watchesPods(server)) {
    checked.warn(
      "autopath",
      "has no effect without `pods verified` in kubernetes, since it cannot tell a client's namespace",
    );
  } else if (source.startsWith("@") && !hasPlugin(server, source.slice(1))) {
    checked.warn(`autopath ${source}`, `has no effect, since this block has no plugin ${source.slice(1)}`);
    // The block for all names has a warning of its own.
  } else if (!forwardsAll(server) && !servedZones(server).some(({ zone }) => zone === ".")) {
    checked.warn(
      "autopath",
      "asks this block for the name without its search domain, so that names outside the cluster are SERVFAIL",
      "add a line forward . here",
    );
  }
}

/** First release whose refresh of a stale answer does not cache a failure. */
const STALE_BEFORE_FAILURE_SINCE: Version = [1, 14, 7];

/**
 * Stale answers that a cached SERVFAIL hides.
 * @see https://github.com/coredns/coredns/issues/7956
 */
function checkFailures(checked: CheckedServer, { serveStale, servfail = "5s" }: CachePlugin): void {
  const kept = seconds(servfail) ?? 0;
  if (serveStale === undefined || serveStale.refresh === "verify" || kept === 0) return;
  checked.warn(
    "cache",
    `until CoreDNS 1.14.7, an upstream's SERVFAIL comes before a stale answer for ${kept} s, so that serve_stale only helps if upstreams are silent`,
    "add servfail 0s",
  );
}

/** A TTL with a unit, which the other options of cache take. findings/coredns-cache-ttl-with-unit.sh shows it. */
function checkUnit(checked: CheckedServer, { ttl, zones = [] }: CachePlugin): void {
  const [first = ""] = zones;
  const period = seconds(first);
  if (ttl === undefined && period !== undefined && /[a-z]$/.test(first))
    checked.warn(
      `cache ${first}`,
      `takes ${first} for a zone and caches only its names, since a TTL has no unit`,
      `write cache ${Math.max(1, Math.round(period))}`,
    );
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/pkg/dnsutil/ttl.go */
function checkCache(checked: CheckedServer, { ttl, success, denial }: CachePlugin): void {
  const times = [ttl, success?.ttl, denial?.ttl].filter((time) => time !== undefined && time > MAX_CACHE_TTL);
  for (const time of new Set(times))
    checked.warn(
      `cache ${time}`,
      `no answer is kept for more than ${MAX_CACHE_TTL} s, whatever its own TTL, so more has no effect`,
    );
}

/** All queries were answered until the pod was killed, with lameduck as long as the grace period: only the last ones are lost. */
function checkLameduck(checked: CheckedServer, lameduck: string | undefined, grace: number): void {
  const max = Math.max(0, grace - SHUTDOWN_RESERVE);
  if (lameduck === undefined || (seconds(lameduck) ?? 0) <= max) return;
  checked.warn(
    "health",
    `lameduck ${lameduck} leaves CoreDNS no time to answer its last queries, since the pod is killed after ${grace}s`,
    `use at most ${max}s`,
  );
}

function watchesPods(server: Server): boolean {
  if (hasUnread(server, "kubernetes")) return true;
  return server.plugins.some((plugin) => plugin.plugin === "kubernetes" && plugin.pods === "verified");
}

/** Lines of `log` that log less than they suggest. */
export function checkLogs(checked: CheckedServer): void {
  const { server } = checked;
  const logs = server.plugins.flatMap((plugin) => (plugin.plugin === "log" ? [readScope(plugin.scope ?? [])] : []));
  for (const [index, { scopes, format }] of logs.entries()) {
    const earlier = logs.slice(0, index).flatMap((log) => log.scopes);
    for (const scope of scopes) checkScope(checked, scope, earlier);
    const [label] = /\{\/[^}]+\}/.exec(format ?? "") ?? [];
    if (label !== undefined && !hasPlugin(server, "metadata"))
      checked.warn("log", `${label} is always -, since this block has no metadata`, "add a line metadata");
  }
}

function checkScope(checked: CheckedServer, scope: string, earlier: readonly string[]): void {
  if (scope.includes("{") && !hasVariable(scope))
    checked.warn(
      "log",
      `${scope} is read as a zone, not as part of the format`,
      "put the whole format in double quotes, behind a zone",
    );
  else if (earlier.some((wide) => isWithin(scope, wide)))
    checked.warn(
      `log ${scope}`,
      "has no effect, since a line above takes its names, and the first line that matches logs a query",
    );
}

/** The names and the format of a line of `log`: of several words, the last is the format if it has a brace. */
function readScope(words: readonly string[]): { readonly scopes: readonly string[]; readonly format?: string } {
  const format = words.length > 1 ? words.at(-1) : undefined;
  if (format?.includes("{")) return { scopes: words.slice(0, -1), format };
  return { scopes: words.length > 0 ? words : ["."] };
}

/** Lines that keep the cluster's names for too long, or that ask others for them. */
export function checkClusterAnswers(checked: CheckedServer): void {
  const { server, servers } = checked;
  const { clusterDomain: domain = CLUSTER_DOMAIN, port = DNS_PORT } = checked.context;
  const kubernetes = server.plugins.find((plugin) => plugin.plugin === "kubernetes");
  if (kubernetes?.plugin !== "kubernetes" || serverFor(domain, port, servers) !== server) return;
  if (!coversDomain(server, kubernetes.zones, domain)) return;
  checkPassing(checked, kubernetes, domain);
  for (const plugin of server.plugins)
    if (plugin.plugin === "cache" && coversDomain(server, plugin.zones ?? [], domain))
      checkKept(checked, plugin, kubernetes.ttl ?? DEFAULT_TTL, domain);
}

function coversDomain(server: Server, zones: readonly string[], domain: string): boolean {
  return zonesOr(zones, server).some((zone) => isWithin(domain, zone));
}

/** Plugins behind kubernetes that may have names of the cluster's domain. */
const BEHIND: readonly string[] = ["file", "auto", "secondary", "etcd", "grpc", "nomad"];

/**
 * Names of the cluster that do not exist, which every lookup of an outside name asks for by its search list, and which fallthrough sends
 * upstream.
 */
function checkPassing(checked: CheckedServer, { fallthrough }: KubernetesPlugin, domain: string): void {
  const { server } = checked;
  if (fallthrough === undefined) return;
  if (fallthrough.length > 0 && !fallthrough.some((zone) => isWithin(domain, zone))) return;
  const isMeant = server.plugins.some((plugin) => {
    if (plugin.plugin === "forward") return isWithin(plugin.from, domain);
    const zones = lineZones(plugin);
    return BEHIND.includes(pluginName(plugin)) && (zones.length === 0 || zones.some((zone) => isWithin(zone, domain)));
  });
  const asked = server.plugins.find(
    (plugin) =>
      plugin.plugin === "forward" &&
      isWithin(domain, plugin.from) &&
      plugin.except?.some((zone) => isWithin(domain, zone)) !== true,
  );
  if (isMeant || asked?.plugin !== "forward") return;
  checked.warn(
    ["kubernetes", "fallthrough", ...fallthrough].join(" "),
    `asks ${asked.upstreams.join(" ")} for names of ${domain} that do not exist, several for each outside name that a pod looks up`,
    "write fallthrough in-addr.arpa ip6.arpa",
  );
}

/** Seconds for which kubernetes lets its answers be kept. */
const DEFAULT_TTL = 5;
/** TTL that kubeadm and kind give to the cluster's names, in seconds. */
const USUAL_TTL = 30;

/** A cache that answers with addresses that Services and pods no longer have. */
function checkKept(checked: CheckedServer, cache: CachePlugin, ttl: number, domain: string): void {
  const kept = (["success", "denial"] as const).filter((kind) => !isDisabled(cache, kind, domain));
  if (kept.length > 0 && cache.serveStale !== undefined && cache.serveStale.refresh !== "verify")
    checked.warn(
      "cache",
      `serve_stale answers names of ${domain} with what they no longer have, such as a deleted pod's address`,
      `add ${kept.map((kind) => `disable ${kind} ${domain}`).join(" and ")}, or serve_stale ${cache.serveStale.duration ?? "1h"} verify`,
    );
  for (const kind of kept) {
    const shortest = cache[kind]?.minTtl ?? 0;
    if (shortest <= Math.max(ttl, USUAL_TTL)) continue;
    const what = kind === "success" ? "addresses of deleted pods" : "that a new Service does not exist";
    checked.warn(
      `cache ${kind}`,
      `keeps ${what} for at least ${shortest} s, since its shortest TTL is also for names of ${domain}`,
      `make it at most ${USUAL_TTL}, or add disable ${kind} ${domain}`,
    );
  }
}

/** Whether the cache leaves the cluster's names out. */
function isDisabled({ more = [] }: CachePlugin, kind: "success" | "denial", domain: string): boolean {
  return more.some(({ name, args: [which, ...zones] }) => {
    return name === "disable" && which === kind && (zones.length === 0 || zones.some((zone) => isWithin(domain, zone)));
  });
}
