import { hasPlugin, linesOf, type OtherPlugin } from "../model.ts";
import type { HostsPlugin, RewritePlugin } from "../plugins/sources.ts";
import { DECIDERS, isSince, type Release, rankOf, releaseFor, type Version } from "../releases.ts";
import { dotted, goMatcher, isGoRegexp } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";
import {
  bare,
  CLUSTER_DOMAIN,
  DNS_PORT,
  haveCommonNames,
  isWithin,
  meets,
  servedZones,
  serverFor,
  zonesOr,
} from "../zones.ts";
import type { CheckedServer } from "./findings.ts";

interface Place {
  readonly checked: CheckedServer;
  /** Undefined unless the block's kubernetes plugin would answer it. */
  readonly clusterDomain: string | undefined;
  /** Address types of Services: AAAA in an IPv6 cluster. */
  readonly addressTypes: readonly string[];
}

/** Plugins that end more queries than their lines suggest, before later plugins see them. */
export function checkEndings(checked: CheckedServer): void {
  const { server, servers } = checked;
  const { coredns, clusterDomain: domain = CLUSTER_DOMAIN, clusterDns = [] } = checked.context;
  const families = clusterDns.map((address) => (address.includes(":") ? "AAAA" : "A"));
  const answers =
    !checked.corefile.hasImports && hasPlugin(server, "kubernetes") && serverFor(domain, DNS_PORT, servers) === server;
  const place: Place = {
    checked,
    clusterDomain: answers ? domain : undefined,
    addressTypes: families.length === 0 ? ["A"] : families,
  };
  for (const plugin of server.plugins) {
    if (plugin.plugin === "hosts") {
      checkHosts(place, plugin);
      checkOtherTypes(checked, plugin);
    }
    if (plugin.plugin === "other" && plugin.line.name === "template") checkTemplate(place, plugin);
    if (plugin.plugin === "other" && plugin.line.name === "k8s_external") checkExternal(place, plugin);
  }
  checkRules(place);
  checkCached(checked, releaseFor(coredns));
  checkRenamed(checked, releaseFor(coredns));
}

/** Whether a plugin ends all queries for the cluster's names in its zones, except those it passes on. */
function endsCluster({ clusterDomain: domain }: Place, zones: readonly string[], passed: readonly string[]): boolean {
  if (domain === undefined || !zones.some((zone) => isWithin(domain, zone))) return false;
  return !passed.some((zone) => meets(domain, zone));
}

function passedOn(words: readonly string[] | undefined): readonly string[] {
  return words?.length === 0 ? ["."] : (words ?? []);
}

/** Plugins after hosts that may answer what it passes on. */
const BEHIND_HOSTS: readonly string[] = [...DECIDERS].filter(
  (name) => !["rewrite", "acl", "template", "hosts"].includes(name),
);

/** hosts answers SERVFAIL for unknown names in its zones, unless a line passes them on. */
function checkHosts(place: Place, { file = [], entries, fallthrough }: HostsPlugin): void {
  const { checked } = place;
  const { server } = checked;
  const zones = zonesOr(file.slice(1), server);
  const passed = passedOn(fallthrough);
  const names = entries.flatMap((entry) => entry.names);
  const isOption = names.includes("fallthrough");
  const ended = zones.filter((zone) => !passed.some((other) => isWithin(zone, other)));
  // A block for a single name, which hosts knows.
  if (!isOption && zones.every((zone) => names.some((name) => dotted(name) === dotted(zone)))) return;
  if (ended.length === 0) {
    if (!BEHIND_HOSTS.some((name) => hasPlugin(server, name)))
      checked.warn(
        "hosts",
        "no plugin follows fallthrough, so every name that hosts does not have is SERVFAIL",
        "add a forward",
      );
    return;
  }
  const what = isOption ? "fallthrough on the line of an address is taken for a name, so that" : passingOf(passed);
  const advice = isOption ? "give it a line of its own" : "add a line fallthrough behind the addresses";
  const isCluster = endsCluster(place, ended, passed);
  const whose = isCluster ? ", the cluster's own too," : ofZones(ended);
  const problem = `${what} every other name${whose} is SERVFAIL`;
  checked[isCluster ? "error" : "warn"]("hosts", problem, advice);
}

/** What a line passes on, as the beginning of a clause. */
function passingOf(zones: readonly string[]): string {
  return zones.length > 0
    ? `fallthrough ${zones.join(" ")} only passes on those names, so that`
    : "without fallthrough";
}

/** From 1.14.5 to before this release, hosts passed on queries for which it has no records. https://github.com/coredns/coredns/pull/8282 */
const TYPES_KEPT_SINCE: Version = [1, 14, 7];

/** With fallthrough, hosts of 1.14.5 and 1.14.6 passes on other types of its own names, which an upstream does not know. */
function checkOtherTypes(checked: CheckedServer, { fallthrough }: HostsPlugin): void {
  const { server } = checked;
  const { coredns } = checked.context;
  if (!isSince(coredns, [1, 14, 5]) || isSince(coredns, TYPES_KEPT_SINCE)) return;
  if (fallthrough === undefined || !BEHIND_HOSTS.some((name) => hasPlugin(server, name))) return;
  checked.warn(
    "hosts",
    "CoreDNS 1.14.5 and 1.14.6 pass on its own names too, for types such as TXT and HTTPS, so that an upstream may deny them",
    "use another version",
  );
}

/** Cluster names that a pattern for other names does not match. */
const SERVICES = ["kubernetes.default.svc", "q7.z9.svc"];

/** Names of a zone that authors of a pattern tend to overlook. */
function samplesOf(zone: string): readonly string[] {
  const parts = { "in-addr.arpa": 4, "ip6.arpa": 32 };
  for (const [suffix, count] of Object.entries(parts))
    if (isWithin(zone, suffix)) {
      const labels = dotted(zone).split(".").length - dotted(suffix).split(".").length;
      return [`${"1.".repeat(Math.max(count - labels, 0))}${zone}`];
    }
  return ["name", "other.name"].map((name) => (zone === "." ? `${name}.example` : `${name}.${zone}`));
}

/** template answers SERVFAIL for names in its zones that no match covers, unless a line passes them on. */
function checkTemplate(place: Place, { line }: OtherPlugin): void {
  const { checked, clusterDomain, addressTypes } = place;
  const { server } = checked;
  const [kind = "IN", type = "ANY", ...words] = line.args;
  if (!["IN", "ANY"].includes(kind.toUpperCase())) return;
  const zones = zonesOr(words, server);
  const passed = passedOn(optionOf(line, "fallthrough"));
  const patterns = (line.block ?? []).flatMap(({ name, args }) => (name === "match" ? args : []));
  const fits = (name: string) =>
    patterns.length === 0 || patterns.some((pattern) => !isGoRegexp(pattern) || goMatcher(pattern)(dotted(name)));
  const isAddress = ["ANY", ...addressTypes].includes(type.toUpperCase());
  const where = `template ${line.args.join(" ")}`;
  if (isAddress && clusterDomain !== undefined && endsCluster(place, zones, [])) {
    if (SERVICES.every((name) => fits(`${name}.${clusterDomain}`))) {
      checked.error(where, "answers the cluster's own names before kubernetes sees them", "name its zones");
      return;
    }
  }
  const ended = zones.filter((zone) => !passed.some((other) => isWithin(zone, other)) && !samplesOf(zone).some(fits));
  if (ended.length === 0) return;
  const isCluster = isAddress && endsCluster(place, ended, passed);
  const whose = isCluster ? ", the cluster's own too," : ofZones(ended);
  const problem = `without fallthrough every name${whose} that no match fits is SERVFAIL for this type`;
  const advice = "add a line fallthrough";
  checked[isCluster ? "error" : "warn"](where, problem, advice);
}

/**
 * k8s_external answers before kubernetes, NXDOMAIN for each address or name that it does not have, unless a line passes them on.
 * @see https://github.com/coredns/coredns/issues/5958
 */
function checkExternal(place: Place, { line }: OtherPlugin): void {
  const { checked } = place;
  const { server } = checked;
  const zones = zonesOr(line.args, server);
  const passed = passedOn(optionOf(line, "fallthrough"));
  const own = server.plugins.flatMap((plugin) => (plugin.plugin === "kubernetes" ? zonesOr(plugin.zones, server) : []));
  const ended = own.filter(
    (zone) => zones.some((outer) => isWithin(zone, outer)) && !passed.some((other) => isWithin(zone, other)),
  );
  if (ended.length === 0) return;
  const names = ended.map(bare).join(" ");
  checked[endsCluster(place, zones, passed) ? "error" : "warn"](
    `k8s_external ${names}`,
    "sees these names before kubernetes and only has external addresses, so that all others are NXDOMAIN",
    `add a line fallthrough ${names}`,
  );
}

/** ` of ZONES`, to follow `name` in a message; empty for all zones. */
function ofZones(zones: readonly string[]): string {
  return zones.includes(".") ? "" : ` of ${zones.map(bare).join(" ")}`;
}

function optionOf({ block = [] }: Directive, option: string): readonly string[] | undefined {
  return block.find(({ name }) => name === option)?.args;
}

const REFUSALS: Readonly<Record<string, string>> = {
  block: "refuses every query",
  filter: "empties every answer",
  drop: "leaves every query without an answer",
};

/** The first matching rule of acl decides. @see https://coredns.io/plugins/acl/ */
function checkRules(place: Place): void {
  const { checked, clusterDomain, addressTypes } = place;
  const { server } = checked;
  const lines = linesOf(server, "acl");
  for (const [index, { args, block: rules = [] }] of lines.entries()) {
    const zones = zonesOr(args, server);
    const isFirst = !lines.slice(0, index).some((earlier) => haveCommonNames(zonesOr(earlier.args, server), zones));
    const [first] = rules;
    if (first !== undefined && isFirst && clusterDomain !== undefined && endsCluster(place, zones, [])) {
      const effect = REFUSALS[first.name.toLowerCase()];
      const { types, nets } = conditionsOf(first);
      const isEveryType = isAll(types);
      if (effect !== undefined && isAll(nets) && (isEveryType || addressTypes.every((type) => types.includes(type)))) {
        const what = isEveryType ? "without a condition" : `type ${types.join(" ")} for every network`;
        checked.error(
          "acl",
          `${first.name.toLowerCase()} ${what} is first and ${effect}, also for the cluster's own names, since the first rule that matches decides`,
          "put it last",
        );
        continue;
      }
    }
    const end = rules.findIndex((rule) => Object.values(conditionsOf(rule)).every(isAll));
    if (end !== -1 && end < rules.length - 1)
      checked.warn(
        "acl",
        `the rules behind ${rules[end]?.name.toLowerCase()} without a condition have no effect, since the first rule that matches decides`,
      );
  }
}

/**
 * Clients that acl distinguishes get the same answers from a cache that comes first, as in a release that moved acl after it.
 * @see https://github.com/coredns/coredns/pull/8289
 */
function checkCached(checked: CheckedServer, release: Release): void {
  const { server } = checked;
  if ((rankOf("cache", release) ?? 0) > (rankOf("acl", release) ?? 0)) return;
  const refusals = linesOf(server, "acl").flatMap(({ args, block = [] }) =>
    refusesSome(block) ? [zonesOr(args, server)] : [],
  );
  const cached = server.plugins.flatMap((plugin) =>
    plugin.plugin === "cache" ? [zonesOr(plugin.zones ?? [], server)] : [],
  );
  if (refusals.some((zones) => cached.some((others) => haveCommonNames(zones, others))))
    checked.warn(
      "acl",
      "clients that it refuses still get what the cache has, which CoreDNS 1.14.3 to 1.14.6 ask before acl",
      "use another version, or no cache for these names",
    );
}

/**
 * A name that acl blocks can get past it under another name: rewrite changes it before acl sees it, or autopath walks the search list after
 * acl.
 * @see https://github.com/coredns/coredns/pull/7882
 * @see https://github.com/coredns/coredns/pull/8290
 */
function checkRenamed(checked: CheckedServer, release: Release): void {
  const { server } = checked;
  const refused = linesOf(server, "acl").flatMap(({ args, block = [] }) =>
    block.some(isRefusal) ? zonesOr(args, server) : [],
  );
  const rank = (name: string) => rankOf(name, release) ?? 0;
  for (const rule of rank("rewrite") < rank("acl") ? server.plugins : []) {
    const [name, made] = rule.plugin === "rewrite" ? renamed(rule, refused) : [];
    if (name === undefined || made === undefined || refused.some((zone) => isWithin(made, zone))) continue;
    checked.warn(
      "acl",
      `does not refuse ${bare(name)}, since it sees the name that rewrite makes of it, ${bare(made)}`,
      "give acl this zone too",
    );
  }
  const isWalked = hasPlugin(server, "autopath") && rank("acl") < rank("autopath");
  const [refusedZone] = refused;
  if (
    refusedZone !== undefined &&
    isWalked &&
    !refused.some((zone) => servedZones(server).some((served) => isWithin(served.zone, zone)))
  )
    checked.warn(
      "acl",
      `clients that it refuses ${bare(refusedZone)} get its names by their search lists, which autopath walks behind acl until CoreDNS 1.14.7`,
      "leave autopath out, or let acl have all zones of the block",
    );
}

/** A name in some zones that a rule rewrites, and its new name; empty if the rule does not determine them. */
function renamed({ match, from, to }: RewritePlugin, zones: readonly string[]): readonly string[] {
  const old = dotted(from).replace(/^\./, "");
  if (match === "exact") return zones.some((zone) => isWithin(old, zone)) ? [old, dotted(to)] : [];
  if (match !== "suffix") return [];
  const name = zones.some((zone) => isWithin(old, zone)) ? old : zones.find((zone) => isWithin(zone, old));
  if (name === undefined) return [];
  return [dotted(name), `${dotted(name).slice(0, -old.length)}${dotted(to).replace(/^\./, "")}`];
}

/** Whether rules refuse some clients what others get. */
function refusesSome(rules: readonly Directive[]): boolean {
  const isForSome = (rule: Directive) => !isAll(conditionsOf(rule).nets);
  return rules.some(
    (rule, index) =>
      isRefusal(rule) && (isForSome(rule) || rules.slice(0, index).some((earlier) => isForSome(earlier))),
  );
}

function isRefusal({ name }: Directive): boolean {
  return name.toLowerCase() in REFUSALS;
}

/** Types and networks of a rule such as `block type A net 10.0.0.0/8`, whose sections have any order; empty if it names none. */
function conditionsOf({ args }: Directive): { readonly types: readonly string[]; readonly nets: readonly string[] } {
  const found: Record<"type" | "net", string[]> = { type: [], net: [] };
  let section: "type" | "net" = "type";
  for (const word of args) {
    const lower = word.toLowerCase();
    if (lower === "type" || lower === "net") section = lower;
    else found[section].push(word);
  }
  return { types: found.type, nets: found.net };
}

function isAll(words: readonly string[]): boolean {
  return words.length === 0 || words.includes("*");
}
