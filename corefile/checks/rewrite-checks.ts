import { hasPlugin, type Plugin, pluginName } from "../model.ts";
import type { RewritePlugin } from "../plugins/sources.ts";
import { isSince, rankOf, releaseFor, type Version } from "../releases.ts";
import { whyNoName } from "../syntax/go-pattern.ts";
import { dotted, groupsOf } from "../syntax/go-values.ts";
import { type Directive, hasVariable } from "../syntax/syntax.ts";
import { servedZones, takenBy } from "../zones.ts";
import type { CheckedServer } from "./findings.ts";
import { checkDots, checkReturns, checkTarget, matcherOf } from "./target-checks.ts";

/** First release that appends a missing dot in cname rules. https://github.com/coredns/coredns/pull/8285 */
const CNAMES_DOTTED_SINCE: Version = [1, 14, 7];

/** First release that applies rcode rules to answers without records. https://github.com/coredns/coredns/pull/8235 */
const EMPTY_REWRITTEN_SINCE: Version = [1, 14, 7];

/** Rules of rewrite that match no name, match too many, or do something else than they suggest. */
export function checkRewrites(checked: CheckedServer): void {
  const { server, context } = checked;
  const rules = server.plugins.flatMap((plugin) => (plugin.plugin === "rewrite" ? [ordered(plugin)] : []));
  const isRenamed = hasPlugin(server, "autopath") || hasPlugin(server, "dns64");
  // After a rule with `continue`, names are already rewritten: only rules behind it are compared.
  let first = 0;
  for (const [index, ordered] of rules.entries()) {
    const { rule } = ordered;
    checkRule(checked, rule);
    const wider = rules.slice(first, index).find((other) => other.takesAll(ordered))?.rule;
    if (wider !== undefined)
      checked.warn(
        `rewrite ${rule.from}`,
        `has no effect, since rewrite ${wider.from} comes first and takes its names`,
      );
    if (isRenamed || first > 0 || checkReach(checked, rule)) checkTarget(checked, rule);
    if (rule.continue === true) first = index + 1;
  }
  checkReturns(checked);
  checkLabels(checked);
  if (!isSince(context.coredns, CNAMES_DOTTED_SINCE)) checkCnames(checked);
  checkTtls(checked);
  checkTypes(checked);
  if (!isSince(context.coredns, EMPTY_REWRITTEN_SINCE)) checkCodes(checked);
}

function checkRule(checked: CheckedServer, rule: RewritePlugin): void {
  const { match, from, answer } = rule;
  if (match !== "exact" && answer === undefined) {
    checked.warn(`rewrite ${from}`, "without `answer auto` many resolvers reject the answer's other name");
  }
  if (match === "regex") checkPattern(checked, rule);
  else checkWords(checked, rule);
  checkGroups(checked, rule);
  checkDots(checked, rule);
  if ((match === "prefix" || match === "substring") && /^[^.]*$|-$/.test(from)) {
    checked.warn(
      `rewrite ${match} ${from}`,
      "CoreDNS appends a dot, so it matches whole labels only",
      "use a regex for part of a label",
    );
  }
}

/** How a pattern treats a name, which CoreDNS passes whole, in lower case and with a trailing dot. */
function checkPattern(checked: CheckedServer, { from, to }: RewritePlugin): void {
  const why = whyNoName(from);
  if (why !== undefined) checked.warn(`rewrite ${from}`, `matches no name, ${why}`);
  if (why?.includes("dot")) return;
  const start = /^(\^|\(?\.[*+])/.test(from) ? "" : "begin it with ^";
  const end = /(\$|\.[*+]\)?)$/.test(from) ? "" : "end it with \\.$";
  const advice = [start, end].filter((part) => part !== "").join(", and ");
  if (advice !== "")
    checked.warn(
      `rewrite ${from}`,
      `matches anywhere in a name and replaces all of it by ${to}`,
      `for whole names only, ${advice}`,
    );
}

/** Numbers without a group in a new name: CoreDNS counts the groups that a name uses, and leaves `{2}` of a single group as it is. */
function checkGroups(checked: CheckedServer, { match, from, to, answer = [] }: RewritePlugin): void {
  const ofAnswers = answer.flatMap((word, index) =>
    word === "name" || word === "value" ? [[answer[index + 1] ?? "", answer[index + 2] ?? ""] as const] : [],
  );
  for (const [pattern, name] of match === "regex" ? [[from, to] as const, ...ofAnswers] : ofAnswers) {
    const count = groupsOf(pattern);
    const missing = [...name.matchAll(/\{(\d{1,3})\}/g)].find(([, digits]) => Number(digits) > count);
    if (missing === undefined || hasVariable(pattern)) continue;
    checked.warn(
      `rewrite ${from}`,
      `${missing[0]} in ${name} is not replaced, since ${pattern} has ${count === 1 ? "one group" : `${count} groups`}`,
    );
  }
}

/** Pattern syntax in a rule that is not a regex. */
function checkWords(checked: CheckedServer, { match, from, to }: RewritePlugin): void {
  if (hasVariable(from) || hasVariable(to)) return;
  if (from.startsWith("*."))
    checked.warn(
      `rewrite ${from}`,
      "matches no name, since only a regex has wildcards",
      `use suffix ${from.slice(1)}, which takes all names below it`,
    );
  else if (match === "exact" && from.length > 1 && from.startsWith("."))
    checked.warn(
      `rewrite ${from}`,
      "matches no name, since none begins with a dot",
      `use suffix ${from}, which takes all names below it`,
    );
  else if (/[\\^$()[\]|+*?]/.test(from))
    checked.warn(`rewrite ${from}`, `matches no name, since ${match} compares it literally`, "write regex before it");
  const [group] = /\{\d+\}/.exec(to) ?? [];
  if (group !== undefined)
    checked.warn(
      `rewrite ${match} ${from}`,
      `${group} in ${to} is not replaced, since only a regex has groups`,
      "leave it out, or use a regex",
    );
}

/**
 * Rules that no client's name reaches, since it is not in the block's zones.
 * @returns whether names may come from the block's own zones.
 */
function checkReach(checked: CheckedServer, { match, from }: RewritePlugin): boolean {
  const { server, servers } = checked;
  const zones = servedZones(server).map(({ zone }) => zone);
  if (zones.length === 0 || (match !== "exact" && match !== "suffix")) return true;
  // The leading dots make the comparison respect label boundaries.
  const name = dotted(match === "exact" && !from.startsWith(".") ? `.${from}` : from);
  const fits = zones.some((zone) => {
    const ending = zone === "." ? zone : `.${zone}`;
    return name.endsWith(ending) || (match === "suffix" && ending.endsWith(name));
  });
  if (!fits) {
    checked.warn(
      `rewrite ${from}`,
      `has no effect, since names of ${from} do not reach a block for ${server.zones.join(" ")}`,
    );
    return false;
  }
  // Without a leading dot, a suffix also matches the end of longer labels.
  const owner = name.startsWith(".") && name.length > 1 ? takenBy(name.slice(1), server, servers) : undefined;
  if (owner === undefined) return true;
  checked.warn(
    `rewrite ${from}`,
    `has no effect, since the block for ${owner.zones.join(" ")} takes these names`,
    "move the line there",
  );
  return false;
}

/** A rule, and whether it hides a later one from all names if it stops processing, by its text. */
interface Ordered {
  readonly rule: RewritePlugin;
  readonly name: string;
  readonly takesAll: (later: Ordered) => boolean;
}

function ordered(rule: RewritePlugin): Ordered {
  const { match, from } = rule;
  const wide = dotted(from);
  const fits = matcherOf(rule);
  const takesAll = ({ rule: later, name }: Ordered) => {
    if (later.match === "exact") return fits(name);
    // Whatever matches a longer text has this part of it.
    if (match === "substring" && later.match !== "regex") return fits(name);
    if (later.match !== match) return false;
    return later.from === from || (match !== "regex" && fits(name));
  };
  return { rule, name: wide, takesAll };
}

interface CnameRule {
  readonly line: Directive;
  readonly goesOn: boolean;
  readonly match: string;
  readonly from: string;
  readonly to: string;
}

function cnameRule(plugin: Plugin): CnameRule | undefined {
  const rule = otherRule(plugin);
  if (rule?.field !== "cname") return undefined;
  const { line, goesOn, words } = rule;
  if (words.length < 2 || words.length > 3) return undefined;
  const [match = "", from = "", to = ""] = words.length === 2 ? ["exact", ...words] : words;
  return { line, goesOn, match: match.toLowerCase(), from, to };
}

/** A rule that does not rewrite a name. */
interface OtherRule {
  readonly line: Directive;
  readonly goesOn: boolean;
  readonly field: string;
  readonly words: readonly string[];
}

function otherRule(plugin: Plugin): OtherRule | undefined {
  if (plugin.plugin !== "other" || plugin.line.name !== "rewrite") return undefined;
  const { args, block = [] } = plugin.line;
  // As CoreDNS does, with braces around the rule too.
  const all = args.length < 2 ? [...args, ...block.flatMap(({ name, args: more }) => [name, ...more])] : args;
  const [first = "", ...others] = all;
  const mode = first.toLowerCase();
  const [field = "", ...words] = mode === "continue" || mode === "stop" ? others : all;
  return { line: plugin.line, goesOn: mode === "continue", field: field.toLowerCase(), words };
}

/** A label of metadata in a new name, such as `{kubernetes/client-namespace}`. */
const LABEL = /\{[^{}/]+\/[^{}]+\}/;

/**
 * Labels of metadata in new names: CoreDNS replaces them from 1.15.0 in a regex with the word metadata, and only beside the plugin metadata.
 * @see https://github.com/coredns/coredns/issues/6936
 */
function checkLabels(checked: CheckedServer): void {
  const { server } = checked;
  for (const plugin of server.plugins) {
    if (plugin.plugin === "rewrite") {
      const [label] = LABEL.exec(plugin.to) ?? [];
      if (label === undefined) continue;
      const advice = "from CoreDNS 1.15.0 write metadata behind the new name of a regex; leave it out before";
      checked.warn(`rewrite ${plugin.from}`, `${label} in ${plugin.to} is not replaced`, advice);
      continue;
    }
    const rule = otherRule(plugin);
    const [, from = "", to = "", last] = rule?.field === "name" ? rule.words : [];
    if (last !== "metadata" || hasPlugin(server, "metadata")) continue;
    const [label] = LABEL.exec(to) ?? [];
    if (label !== undefined)
      checked.warn(
        `rewrite ${from}`,
        `matches no name, since ${label} has no value in a block without metadata`,
        "add a line metadata",
      );
  }
}

/** Response codes of answers with records, at least the SOA. */
const WITH_RECORDS: readonly string[] = ["NOERROR", "0", "NXDOMAIN", "3"];

/** An rcode rule is applied per record, and a failure has none except EDNS's. */
function checkCodes(checked: CheckedServer): void {
  const { server } = checked;
  for (const plugin of server.plugins) {
    const rule = otherRule(plugin);
    const [code] = rule?.field === "rcode" ? rule.words.slice(-2) : [];
    if (rule === undefined || code === undefined || hasVariable(code)) continue;
    if (WITH_RECORDS.includes(code.toUpperCase())) continue;
    checked.warn(
      `rewrite rcode ${rule.words.join(" ")}`,
      `has no effect until CoreDNS 1.14.7 for clients without EDNS, such as glibc and musl, since their answer ${code} has no record`,
    );
  }
}

/**
 * Queries for one type that get records of another. nginx 1.22 then asks every 5 s for 30 s, and answers 502.
 * @see https://github.com/linz/topo-workflows/pull/206
 */
function checkTypes(checked: CheckedServer): void {
  for (const plugin of checked.server.plugins) {
    const rule = otherRule(plugin);
    const [from = "", to = ""] = rule?.field === "type" ? rule.words.map((word) => word.toUpperCase()) : [];
    if (rule === undefined || from === to || from === "ANY" || rule.words.some(hasVariable)) continue;
    checked.warn(
      `rewrite type ${from} ${to}`,
      `answers queries for ${from} with ${to} records, which clients such as nginx reject, so that they ask again until they time out`,
      from === "AAAA"
        ? "use template IN AAAA with rcode NOERROR, the answer of a name without such records"
        : undefined,
    );
  }
}

/** Default maximum TTL of the cache, in seconds. */
const CACHE_TTL = 3600;

/**
 * A cache behind rewrite stores answers with their original TTL: only clients see the rewritten one. A cache before rewrite stores the
 * rewritten answer, but no longer than its own maximum.
 * @see https://github.com/coredns/coredns/pull/8289
 */
function checkTtls(checked: CheckedServer): void {
  const { server } = checked;
  const { coredns } = checked.context;
  const release = releaseFor(coredns);
  const isBehind = (rankOf("cache", release) ?? 0) > (rankOf("rewrite", release) ?? 0);
  const [kept] = server.plugins.flatMap((plugin) =>
    plugin.plugin === "cache" && (plugin.zones ?? []).length === 0
      ? [plugin.success?.ttl ?? plugin.ttl ?? CACHE_TTL]
      : [],
  );
  if (kept === undefined) return;
  for (const plugin of server.plugins) {
    const rule = otherRule(plugin);
    if (rule?.field !== "ttl") continue;
    const words = rule.words.join(" ");
    const [range = ""] = rule.words.slice(-1);
    const [shortest = Number.NaN, longest = shortest] = range.split("-").map((text) => Number(text || Number.NaN));
    if (isBehind && longest < kept)
      checked.warn(
        `rewrite ttl ${words}`,
        `clients ask again, but the cache, which is behind rewrite from CoreDNS 1.14.7 on, keeps the answer for its own TTL, up to ${kept} s`,
        "shorten cache instead",
      );
    if (!isBehind && shortest > kept)
      checked.warn(
        `rewrite ttl ${words}`,
        `clients get ${kept} s at most, since the cache is before rewrite until CoreDNS 1.14.7`,
        "lengthen cache too",
      );
  }
}

/**
 * A cname rule compares and writes names literally, with their trailing dot, and stops processing whether it matches or not.
 * @see https://github.com/coredns/coredns/issues/6922
 */
function checkCnames(checked: CheckedServer): void {
  const { server } = checked;
  const rules = server.plugins.filter((plugin) => pluginName(plugin) === "rewrite");
  for (const [index, plugin] of rules.entries()) {
    const rule = cnameRule(plugin);
    if (rule === undefined) continue;
    const { match, from, to, goesOn } = rule;
    const whole = match === "exact" || match === "suffix";
    if (whole && !from.endsWith("."))
      checked.warn(`rewrite cname ${from}`, "matches no name, since names are compared with the dot at their end");
    else if ((whole || match === "regex") && !to.endsWith("."))
      checked.warn(`rewrite cname ${from}`, `without a dot at the end of ${to} no answer is sent at all`);
    if (!goesOn && index < rules.length - 1)
      checked.warn(
        `rewrite cname ${from}`,
        "the rules after it have no effect, even if it does not match",
        "begin it with continue",
      );
  }
}
