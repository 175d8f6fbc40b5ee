import { pluginName, type Server } from "../model.ts";
import type { CachePlugin } from "../plugins/cache.ts";
import type { KubernetesPlugin } from "../plugins/sources.ts";
import { CLUSTER_DOMAIN, DNS_PORT, isWithin, lineZones, servedZones, serverFor } from "../zones.ts";
import type { CheckContext, Findings } from "./findings.ts";

/** Lines that keep the cluster's names for too long, or that ask others for them. */
export function checkClusterAnswers(
  server: Server,
  servers: readonly Server[],
  { clusterDomain: domain = CLUSTER_DOMAIN, port = DNS_PORT }: CheckContext,
  findings: Findings,
): void {
  const kubernetes = server.plugins.find((plugin) => plugin.plugin === "kubernetes");
  if (kubernetes?.plugin !== "kubernetes" || serverFor(domain, port, servers) !== server) return;
  if (!coversDomain(server, kubernetes.zones, domain)) return;
  checkPassing(server, kubernetes, domain, findings);
  for (const plugin of server.plugins)
    if (plugin.plugin === "cache" && coversDomain(server, plugin.zones ?? [], domain))
      checkKept(server, plugin, kubernetes.ttl ?? DEFAULT_TTL, domain, findings);
}

function coversDomain(server: Server, zones: readonly string[], domain: string): boolean {
  const own = zones.length > 0 ? zones : servedZones(server).map(({ zone }) => zone);
  return own.some((zone) => isWithin(domain, zone));
}

/** Plugins behind kubernetes that may have names of the cluster's domain. */
const BEHIND: readonly string[] = ["file", "auto", "secondary", "etcd", "grpc", "nomad"];

/**
 * Names of the cluster that do not exist, which every lookup of an outside name asks for by its search list, and which fallthrough sends
 * upstream.
 */
function checkPassing(server: Server, { fallthrough }: KubernetesPlugin, domain: string, findings: Findings): void {
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
  findings.warn(
    server,
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
function checkKept(server: Server, cache: CachePlugin, ttl: number, domain: string, findings: Findings): void {
  const kept = (["success", "denial"] as const).filter((kind) => !isDisabled(cache, kind, domain));
  if (kept.length > 0 && cache.serveStale !== undefined && cache.serveStale.refresh !== "verify")
    findings.warn(
      server,
      "cache",
      `serve_stale answers names of ${domain} with what they no longer have, such as a deleted pod's address`,
      `add ${kept.map((kind) => `disable ${kind} ${domain}`).join(" and ")}, or serve_stale ${cache.serveStale.duration ?? "1h"} verify`,
    );
  for (const kind of kept) {
    const shortest = cache[kind]?.minTtl ?? 0;
    if (shortest <= Math.max(ttl, USUAL_TTL)) continue;
    const what = kind === "success" ? "addresses of deleted pods" : "that a new Service does not exist";
    findings.warn(
      server,
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
