import { hasPlugin, linesOf, type OtherPlugin, type Plugin, pluginName, type Server, writePlugin } from "../model.ts";
import type { HostsPlugin, KubernetesPlugin } from "../plugins/sources.ts";
import { isSince, type Version } from "../releases.ts";
import { whyNoName } from "../syntax/go-pattern.ts";
import { templateActions, templateProblem, withoutActions } from "../syntax/go-template.ts";
import { dotted, groupKeys, groupsOf, isAddress, TYPES } from "../syntax/go-values.ts";
import { type Directive, hasVariable } from "../syntax/syntax.ts";
import {
  bare,
  CLUSTER_DOMAIN,
  DNS_PORT,
  hasView,
  haveCommonNames,
  isWithin,
  lineZones,
  reaches,
  servedZones,
  serverFor,
  zonesOr,
} from "../zones.ts";
import type { CheckedServer } from "./findings.ts";

/** Answers of a block that differ from what its lines suggest; each was observed in the real CoreDNS. */
export function checkAnswers(checked: CheckedServer): void {
  const { server } = checked;
  for (const plugin of server.plugins) checkPlugin(checked, plugin);
  checkTranslation(checked);
  checkStubBlocks(checked);
  checkShadow(checked);
  for (const plugin of server.plugins) if (plugin.plugin === "kubernetes") checkReverse(checked, plugin);
}

/** The zones of all reverse names. */
const ALL_ADDRESSES: readonly string[] = ["in-addr.arpa.", "ip6.arpa."];

/** Reverse zones of kubernetes that no query reaches, or in which addresses outside the cluster get no name. */
function checkReverse(checked: CheckedServer, { zones, fallthrough }: KubernetesPlugin): void {
  const { server, servers } = checked;
  const reverse = zones.map(dotted).filter((zone) => isWithin(zone, "arpa"));
  const owners = hasView(server) || servedZones(server).length === 0 ? [] : [server, ...servers];
  const lost = reverse.filter((zone) => {
    const owner = serverFor(zone, DNS_PORT, owners);
    return owners.length > 0 && owner !== server && !(owner !== undefined && hasPlugin(owner, "kubernetes"));
  });
  if (lost.length > 0) {
    const names = lost.map(bare).join(" ");
    checked.warn(
      `kubernetes ${names}`,
      "no query for these names reaches this block, so the addresses of Services have no names",
      `add ${names} to its zones`,
    );
  }
  if (fallthrough?.length === 0) return;
  const ended = reverse.filter(
    (zone) =>
      ALL_ADDRESSES.includes(zone) && !lost.includes(zone) && !fallthrough?.some((passed) => isWithin(zone, passed)),
  );
  // Most clusters are IPv4-only, where nobody looks up IPv6 reverse names.
  if (ended.length === 0 || (reverse.includes("in-addr.arpa.") && !ended.includes("in-addr.arpa."))) return;
  const names = ended.map(bare).join(" ");
  const forward = hasPlugin(server, "forward") ? "" : " and a forward behind it";
  checked.warn(
    `kubernetes ${names}`,
    "without fallthrough every address outside the cluster has no name (NXDOMAIN)",
    `add fallthrough ${names}${forward}`,
  );
}

function checkPlugin(checked: CheckedServer, plugin: Plugin): void {
  const { server } = checked;
  if (plugin.plugin === "hosts") checkHosts(checked, plugin);
  // The reverse zones of kubernetes have a check of their own, and its domain too.
  for (const zone of plugin.plugin === "kubernetes" ? [] : lineZones(plugin))
    if (!reaches(server, zone))
      checked.warn(
        `${pluginName(plugin)} ${bare(zone)}`,
        `is never used, since names of ${bare(zone)} do not reach a block for ${server.zones.join(" ")}`,
      );
  if (plugin.plugin === "other" && plugin.line.name === "template") checkTemplate(checked, plugin);
}

/** First release in which a leading `*` label is a wildcard. */
const WILDCARDS_SINCE: Version = [1, 14, 5];

/** @see https://github.com/coredns/coredns/issues/4545 */
function checkHosts(checked: CheckedServer, { file = [], entries }: HostsPlugin): void {
  const { server } = checked;
  const { coredns } = checked.context;
  const names = new Set(entries.flatMap((entry) => entry.names));
  const hasWildcards = isSince(coredns, WILDCARDS_SINCE);
  for (const name of names)
    if (hasWildcards ? /.\*|^\*[^.]/.test(name) : name.includes("*"))
      checked.warn(`hosts ${name}`, "matches no name below it, since hosts has no wildcards", "use template");
  const zones = file.length > 1 ? file.slice(1) : servedZones(server).map(({ zone }) => zone);
  // In a block for reverse names, a name is an answer.
  if (zones.length === 0 || zones.some((zone) => isWithin(zone, "arpa")) || hasPlugin(server, "rewrite")) return;
  const [first, ...more] = [...names].filter(
    (name) => name !== "fallthrough" && !name.includes("*") && !zones.some((zone) => isWithin(name, zone)),
  );
  if (first === undefined) return;
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  checked.warn(
    `hosts ${first}${others}`,
    `is never queried here, since this block is for names of ${zones.map(bare).join(" ")}`,
  );
}

/**
 * dns64 depends on the client's address family, and with translate_all it drops all AAAA records.
 * @see https://coredns.io/plugins/dns64/
 * @see https://github.com/coredns/coredns/issues/7246
 */
function checkTranslation(checked: CheckedServer): void {
  const { server, servers } = checked;
  const { clusterDns = [], clusterDomain: domain = CLUSTER_DOMAIN } = checked.context;
  const lines = server.plugins.map(writePlugin).filter(({ name }) => name === "dns64");
  const isForAllNames = lines.some(({ block = [] }) => block.some(({ name }) => name === "translate_all"));
  const isIpv6 = clusterDns.length > 0 && clusterDns.every((address) => address.includes(":"));
  if (isForAllNames && isIpv6 && hasPlugin(server, "kubernetes") && serverFor(domain, DNS_PORT, servers) === server)
    checked.error(
      "dns64",
      "translate_all only gives names their translated IPv4 addresses, and Services of this IPv6 cluster have none",
      "leave it out, or give kubernetes a block of its own",
    );
  const isForAll = lines.some(({ block = [] }) => block.some(({ name }) => name === "allow_ipv4"));
  if (lines.length === 0 || isForAll || clusterDns.length === 0 || clusterDns.some((address) => address.includes(":")))
    return;
  checked.warn(
    "dns64",
    "has no effect, since it is for queries over IPv6, and pods of this cluster ask over IPv4",
    "add allow_ipv4",
  );
}

/** autopath queries its own block for the name without a search domain. @see https://github.com/coredns/coredns/issues/2539 */
function checkStubBlocks(checked: CheckedServer): void {
  const { server, servers, context } = checked;
  if (!server.plugins.some(({ plugin }) => plugin === "autopath")) return;
  const { clusterDomain: domain = CLUSTER_DOMAIN } = context;
  const ours = servedZones(server);
  const others = servers.filter((other) => other !== server).flatMap(servedZones);
  const stubs = others.filter(
    ({ zone, port }) =>
      ours.some((served) => served.port === port && isWithin(zone, served.zone)) &&
      ![domain, "arpa"].some((parent) => isWithin(zone, parent)),
  );
  for (const zone of new Set(stubs.map((stub) => bare(stub.zone))))
    checked.warn(
      "autopath",
      `asks the upstreams of this block for ${zone}, not those of the block for ${zone}`,
      `use a line forward ${zone} here instead`,
    );
}

/** Blocks for some of the cluster's names, which hide them from kubernetes. */
function checkShadow(checked: CheckedServer): void {
  const { server, servers, context } = checked;
  const { clusterDomain: domain = CLUSTER_DOMAIN } = context;
  const isKubernetes = (one: Server) => one.plugins.some(({ plugin }) => plugin === "kubernetes");
  // Before the search through all lines of all blocks, which a long Corefile has many of.
  const taken = servedZones(server).filter(
    ({ zone, port }) => port === 53 && isWithin(zone, domain) && !isWithin(domain, zone),
  );
  if (taken.length === 0 || isKubernetes(server) || !servers.some(isKubernetes)) return;
  for (const { zone } of taken)
    checked.warn(
      `zone ${bare(zone)}`,
      "Services below it are not answered, since this block takes them and has no kubernetes",
    );
}

const RECORDS: readonly string[] = ["answer", "additional", "authority"];

/**
 * Templates with a match for no name, with text that is not a record, and with NXDOMAIN for one type only, which hides the name's other
 * addresses in musl and .NET.
 */
function checkTemplate(checked: CheckedServer, { line }: OtherPlugin): void {
  const { server } = checked;
  const [, type = "ANY"] = line.args;
  const block = line.block ?? [];
  const warn = (problem: string, advice?: string) =>
    checked.warn(["template", ...line.args].join(" "), problem, advice);
  const patterns = block.flatMap(({ name, args }) => (name === "match" ? args : []));
  for (const pattern of patterns) {
    const why = whyNoName(pattern);
    if (why !== undefined) warn(`match ${pattern} matches no name, ${why}`);
  }
  const data: TemplateData = {
    groups: patterns.some(hasVariable) ? undefined : groupsIn(patterns),
    variables: block.flatMap(({ name, args: [variable = ""] }) => (name === "var" ? [variable] : [])),
  };
  const zones = line.args.slice(2);
  const isRoot = (zones.length > 0 ? zones : servedZones(server).map(({ zone }) => zone)).every((zone) => zone === ".");
  for (const { name, args } of block.filter((option) => RECORDS.includes(option.name))) {
    if (args.some((text) => hasVariable(text) || templateProblem(text) !== undefined)) continue;
    const [found] = args.flatMap(
      (text) => valueProblem(text, data) ?? (isRoot ? rootProblem(text) : undefined) ?? recordProblem(text) ?? [],
    );
    if (found !== undefined) warn(`${name} ${found.problem}`, found.advice);
  }
  if (type.toUpperCase() === "CNAME" && !hasAddresses(checked, line))
    warn(
      "is only for queries of type CNAME, and a client that needs an address asks for A or AAAA",
      "write ANY for it",
    );
  const denies = block.some(({ name, args }) => name === "rcode" && args[0]?.toUpperCase() === "NXDOMAIN");
  if (!denies || !["A", "AAAA"].includes(type.toUpperCase())) return;
  warn(
    "NXDOMAIN says that a name has no record of any type, and resolvers such as musl's give up",
    "use rcode NOERROR",
  );
}

/** Whether another template of a block answers what clients ask for names of a template. @see https://github.com/coredns/coredns/issues/1940 */
function hasAddresses({ server }: CheckedServer, line: Directive): boolean {
  const zonesOf = ({ args }: Directive) => zonesOr(args.slice(2), server);
  return linesOf(server, "template").some(
    (other) =>
      ["A", "AAAA", "ANY"].includes(other.args[1]?.toUpperCase() ?? "ANY") &&
      haveCommonNames(zonesOf(other), zonesOf(line)),
  );
}

/** What the patterns of a template capture. */
interface Groups {
  /** Numbers and names. */
  readonly keys: ReadonlySet<string>;
  /** The most of one pattern. */
  readonly count: number;
}

function groupsIn(patterns: readonly string[]): Groups {
  return { keys: new Set(["0", ...patterns.flatMap(groupKeys)]), count: Math.max(0, ...patterns.map(groupsOf)) };
}

/** What a template may read. */
interface TemplateData {
  /** Undefined if a pattern has a variable of the environment. */
  readonly groups: Groups | undefined;
  /** Names that its lines `var` set. */
  readonly variables: readonly string[];
}

const FAILS = "and CoreDNS answers SERVFAIL instead";

/** What is wrong with the text of a record. */
interface TextProblem {
  readonly problem: string;
  readonly advice?: string;
}

/**
 * Fields of a template's data, besides Var for its lines `var`; any other field makes it fail.
 * @see https://coredns.io/plugins/template/
 */
const FIELDS = "Zone Name Class Type Match Group Message Question Remote Meta Regex".split(" ");

/** A name below `.Zone`, which ends in two dots in the root zone. */
function rootProblem(text: string): TextProblem | undefined {
  const [name] = /[\w-]+\.\{\{-?\s*\.Zone\s*-?\}\}/.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { problem: `has ${name}, which ends in two dots, since .Zone is . here, ${FAILS}`, advice: "name its zones" };
}

/**
 * The first reference to a field, group or variable that does not exist. Text with actions that rebind the dot, such as `with`, is skipped.
 */
function valueProblem(text: string, data: TemplateData): TextProblem | undefined {
  const actions = templateActions(text);
  if (actions.some(([first = ""]) => ["with", "range", "define", "block"].includes(first))) return undefined;
  for (const words of actions)
    for (const index of words.keys()) {
      const unnamed = unnamedKey(words, index, data);
      // Only a text of several words is still a record.
      if (unnamed !== undefined)
        return { problem: `${unnamed}, ${/\sTXT\s/i.test(text) ? "so that the text has <no value> there" : FAILS}` };
      const problem = wordProblem(words, index, data);
      if (problem !== undefined) return { problem: `${problem}, ${FAILS}` };
    }
  return undefined;
}

/** A field of the template's data, and what it is asked for, at a word of an action such as `.Group.a` or `index .Group "a"`. */
function fieldAt(words: readonly string[], index: number) {
  const [word = "", list, key = ""] = words.slice(index);
  // The field of a result or of a template's own variable.
  if (/^(\)|\$.*)$/.test(words[index - 1] ?? "")) return {};
  const [, field, inner] = /^\.(\w+)(?:\.(\w+))?/.exec(word) ?? [];
  if (word !== "index") return { field, inner };
  const [, listed] = /^\.(\w+)$/.exec(list ?? "") ?? [];
  return { indexed: listed, inner: /^["`](\w+)["`]$/.exec(key)?.[1], position: key };
}

/** A group or variable without a name, which CoreDNS replaces by `<no value>`. */
function unnamedKey(words: readonly string[], index: number, { groups, variables }: TemplateData): string | undefined {
  const { field, indexed = field, inner } = fieldAt(words, index);
  if (inner === undefined) return undefined;
  if (indexed === "Group" && groups !== undefined && !groups.keys.has(inner))
    return `has the group ${inner}, which no match names`;
  if (indexed !== "Var" || variables.length === 0 || variables.some((name) => name === inner || hasVariable(name)))
    return undefined;
  return `has the variable ${inner}, which no line var sets`;
}

/** What is wrong with one word of an action. */
function wordProblem(words: readonly string[], index: number, { groups, variables }: TemplateData): string | undefined {
  const { field, indexed, position = "" } = fieldAt(words, index);
  const fields = variables.length > 0 ? [...FIELDS, "Var"] : FIELDS;
  if (field !== undefined && !fields.includes(field))
    return `has .${field}, which is not one of .${fields.join(", .")}`;
  if (groups === undefined || indexed !== "Match" || !/^\d+$/.test(position)) return undefined;
  return Number(position) > groups.count ? `has index .Match ${position}, but no match has so many groups` : undefined;
}

/** Placeholder for a value of a query. */
const VALUE = "\0";

/** Why a text is not a record for any query; undefined if it may be one. Text with comments, quotes or several lines is skipped. */
function recordProblem(text: string): TextProblem | undefined {
  const written = withoutActions(text, VALUE);
  if (/[;"()]/.test(written)) return undefined;
  const words = written.trim().split(/\s+/);
  const [first = "", second = ""] = words;
  const [type = "", value = ""] = words.slice(-2);
  if (words.length < 3 && !written.includes(VALUE))
    return {
      problem: `"${text}" is not a record, ${FAILS}`,
      advice: "write NAME TTL CLASS TYPE VALUE, such as {{ .Name }} 60 IN A 10.0.0.1",
    };
  if (/^\d+$/.test(first) && ["IN", ...TYPES].includes(second.toUpperCase()))
    return {
      problem: `begins with ${first}, which CoreDNS takes for the record's name`,
      advice: "begin it with {{ .Name }}",
    };
  const family = { A: "IPv4", AAAA: "IPv6" }[type.toUpperCase()];
  if (family === undefined || value.includes(VALUE)) return undefined;
  const isOfFamily = isAddress(value) && value.includes(":") === (family === "IPv6");
  return isOfFamily ? undefined : { problem: `${type} ${value} is not an ${family} address, ${FAILS}` };
}
