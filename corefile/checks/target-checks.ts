import { hasPlugin, pluginName, remembered, type Server } from "../model.ts";
import type { RewritePlugin } from "../plugins/sources.ts";
import { dotted, goMatcher, isAddress } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { bare, CLUSTER_DOMAIN, DNS_PORT, isWithin, servedZones, serverFor } from "../zones.ts";
import type { CheckContext, CheckedServer } from "./findings.ts";
import { loopOf, readUpstream } from "./forward-checks.ts";

/** Where a rewritten name is looked up: in the same block, whichever block owns it. */
export function checkTarget(checked: CheckedServer, rule: RewritePlugin): void {
  const { context } = checked;
  const { clusterDomain: domain = CLUSTER_DOMAIN } = context;
  const name = asName(rule.to);
  if (isWithin(name, domain)) checkCluster(checked, rule);
  else if (!checkShort(checked, rule, domain)) checkOther(checked, rule);
}

/** Whether a rule takes a name, which has its trailing dot. */
export function matcherOf({ match, from }: RewritePlugin): (name: string) => boolean {
  const text = dotted(from);
  switch (match) {
    case "exact":
      return (name) => name === text;
    case "prefix":
      return (name) => name.startsWith(text);
    case "suffix":
      return (name) => name.endsWith(text);
    case "substring":
      return (name) => name.includes(text);
    case "regex":
      return goMatcher(from);
  }
}

/** What plugin loop asks for when CoreDNS starts, below the first zone of its block: two random numbers. */
const LOOP_QUERY = "1.2";

/**
 * A block that sends its rewritten names to CoreDNS itself, and with them the names that no rule takes, which come back to it. In CoreDNS
 * 1.14.3, one such query became 5,000 and took 390 MB.
 * @see https://github.com/coredns/coredns/issues/2777
 */
export function checkReturns(checked: CheckedServer): void {
  const { server } = checked;
  const rules = server.plugins.filter((plugin) => plugin.plugin === "rewrite");
  // Some rules are not read, and some names have another source.
  if (rules.length < server.plugins.filter((plugin) => pluginName(plugin) === "rewrite").length) return;
  if (SOURCES.some((source) => hasPlugin(server, source))) return;
  const zones = servedZones(server).map(({ zone }) => zone);
  const outward = rules.filter(({ to }) => zones.every((zone) => !isWithin(asName(to), zone))).map(matcherOf);
  // A loop of all names is an error of forward.
  if (outward.length === 0) return;
  const returning = (names: readonly string[]) =>
    names.filter((name) => !outward.some((takes) => takes(name))).flatMap((name) => returnOf(checked, name) ?? [])[0];
  const [first = "."] = zones;
  const asked = hasPlugin(server, "loop") ? returning([below(LOOP_QUERY, first)]) : undefined;
  const found = asked ?? returning(zones.flatMap((zone) => [zone, below("name", zone), below(LOOP_QUERY, zone)]));
  if (found === undefined) return;
  const { name, upstream, loop } = found;
  const advice = "write one line for the domain of the new names, and another for all other names";
  if (asked !== undefined)
    checked.error(
      `forward ${upstream}`,
      `is a loop for names that no rewrite takes, since this is ${loop}; the plugin loop finds it, and CoreDNS stops`,
      advice,
    );
  else
    checked.warn(
      `forward ${upstream}`,
      `is a loop for names that no rewrite takes, such as ${bare(name)}, since this is ${loop}; one query of them can take all memory of the pod`,
      advice,
    );
}

/** The upstream by which a name comes back to its own block. */
function returnOf({ server, servers, context }: CheckedServer, name: string) {
  for (const text of askedFor(name, server)?.upstreams ?? []) {
    const upstream = readUpstream(text);
    if (typeof upstream === "string") continue;
    const loop = loopOf(upstream, context);
    if (loop !== undefined && serverFor(name, upstream.port ?? DNS_PORT, servers) === server)
      return { name, upstream: text, loop };
  }
  return undefined;
}

function below(name: string, zone: string): string {
  return zone === "." ? `${name}.` : `${name}.${zone}`;
}

/** A rule's new name, with any text for its groups. */
function asName(to: string): string {
  return to.replace(/\{\d+\}/g, "x");
}

/** New names with an empty label, or with two labels joined, by the dots at the beginning of a rule's words. */
export function checkDots(checked: CheckedServer, { match, from, to }: RewritePlugin): void {
  if (hasVariable(from) || hasVariable(to) || /^\{\d+\}/.test(to)) return;
  const [old, made] = [dotted(from), dotted(to)];
  const isPart = match === "suffix" || match === "substring";
  // The name `.` is the root.
  const isRoot = made === "." && (match === "exact" || match === "regex");
  if (made.startsWith(".") && !isRoot && !(isPart && old.startsWith(".")))
    checked.warn(
      `rewrite ${from}`,
      `leads to names with an empty label, since ${to} begins with a dot, and CoreDNS answers SERVFAIL`,
      adviceOn(match, made),
    );
  else if (isPart && old.startsWith(".") && !made.startsWith("."))
    checked.warn(
      `rewrite ${from}`,
      `joins two labels: it makes name${bare(made)} of name${bare(old)}`,
      "begin both with a dot",
    );
}

function adviceOn(match: RewritePlugin["match"], made: string): string {
  if (match === "suffix") return "begin both with a dot";
  return made === "." ? "use a regex to leave a label out" : "leave the dot out";
}

/** Plugins with names of their own. */
const SOURCES: readonly string[] = ["hosts", "template", "file", "auto", "secondary", "etcd", "route53"];

/** Names of another block, which this block sends upstream. */
function checkOther(checked: CheckedServer, { match, from, to }: RewritePlugin): void {
  const { server, servers, context } = checked;
  const name = asName(to);
  const owner = serverFor(name, DNS_PORT, servers);
  const zone = owner && servedZones(owner).find((served) => isWithin(name, served.zone))?.zone;
  if (match === "prefix" || match === "substring" || owner === undefined || owner === server) return;
  if (zone === undefined || zone === "." || SOURCES.some((source) => hasPlugin(server, source))) return;
  const here = askedFor(name, server);
  if (here === undefined || here.isMeant || here.upstreams.some((text) => leadsBack(text, context))) return;
  if (String(here.upstreams) === String(askedFor(name, owner)?.upstreams)) return;
  checked.warn(
    `rewrite ${from}`,
    `leads to ${to}, which this block looks up at ${here.upstreams.join(" ")}, not in the block for ${owner.zones.join(" ")}`,
    `add a line forward ${zone.replace(/\.$/, "")} here`,
  );
}

/** The upstreams of a block for a name, and whether their line is specific to this name. */
function askedFor(name: string, server: Server) {
  const forward = server.plugins.find(
    (plugin) =>
      plugin.plugin === "forward" &&
      isWithin(name, plugin.from) &&
      plugin.except?.some((zone) => isWithin(name, zone)) !== true,
  );
  if (forward?.plugin !== "forward") return undefined;
  return { upstreams: forward.upstreams, isMeant: forward.from !== "." };
}

/** Common top-level domains in Corefiles; country codes have two letters. */
const TOP_LEVEL: ReadonlySet<string> = new Set(
  "com net org edu gov mil int info biz arpa dev app cloud local localhost internal lan corp home test example".split(
    " ",
  ),
);

const LAST_LABELS = new WeakMap<readonly Server[], ReadonlySet<string | undefined>>();

function lastLabelsOf(servers: readonly Server[]): ReadonlySet<string | undefined> {
  return new Set(servers.flatMap(servedZones).map(({ zone }) => zone.split(".").at(-2)));
}

/** An address, or a Service's short name, which CoreDNS treats as a name outside the cluster. */
function checkShort(checked: CheckedServer, { from, to }: RewritePlugin, domain: string): boolean {
  const { server, servers } = checked;
  const name = to.replace(/\.$/, "");
  if (isAddress(name)) {
    checked.warn(`rewrite ${from}`, `leads to ${to}, which is asked for as a name`, "use hosts for an address");
    return true;
  }
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  const isService =
    (labels.length === 3 && last === "svc") ||
    (labels.length === 2 &&
      last.length > 2 &&
      !last.includes("{") &&
      !TOP_LEVEL.has(last) &&
      !isWithin(from, last) &&
      !remembered(LAST_LABELS, servers, lastLabelsOf).has(last.toLowerCase()));
  if (!isService || !/^[\w{}.-]+$/.test(name) || name.startsWith(".") || !hasPlugin(server, "kubernetes")) return false;
  const service = last === "svc" ? name : `${name}.svc`;
  checked.warn(
    `rewrite ${from}`,
    `leads to ${to}, a name outside the cluster`,
    `write that of a Service, ${service}.${domain}`,
  );
  return true;
}

/** Names of the cluster in a block without kubernetes, which sends them upstream. */
function checkCluster(checked: CheckedServer, { from, to }: RewritePlugin): void {
  const { server, context } = checked;
  const { clusterDomain: domain = CLUSTER_DOMAIN } = context;
  if (server.plugins.some((plugin) => ["kubernetes", "template", "file"].includes(pluginName(plugin)))) return;
  const upstreams = server.plugins.flatMap((plugin) =>
    plugin.plugin === "forward" && isWithin(domain, plugin.from) ? plugin.upstreams : [],
  );
  if (upstreams.some((text) => leadsBack(text, context))) return;
  const asked = upstreams.length === 0 ? "nothing in this block answers" : `this block asks ${upstreams.join(" ")} for`;
  checked.warn(
    `rewrite ${from}`,
    `leads to ${to}, a name of the cluster that ${asked}`,
    "move the rewrite to the block of kubernetes",
  );
}

/** Whether an upstream is CoreDNS itself, or ends like kube-dns's address in any Service CIDR. */
function leadsBack(text: string, context: CheckContext): boolean {
  const upstream = readUpstream(text);
  if (typeof upstream === "string" || upstream.kind === "file") return typeof upstream === "string";
  return loopOf(upstream, context) !== undefined || /(\.10|:a)$/i.test(upstream.target);
}
