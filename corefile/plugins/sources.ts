import { groupsOf, isAddress, isGoRegexp, seconds, usedGroups } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";
import { directive, expect, OptionReader, option } from "./options.ts";

export const POD_MODES = ["disabled", "insecure", "verified"] as const;

/** @see https://coredns.io/plugins/kubernetes/ */
export interface KubernetesPlugin {
  readonly plugin: "kubernetes";
  /** Zones to answer for; default: those of the server. */
  readonly zones: readonly string[];
  /** Names derived from pod IPs; CoreDNS's default is `disabled`. `verified` keeps all pods in memory. */
  readonly pods?: (typeof POD_MODES)[number] | undefined;
  /** Zones whose unknown names go to the next plugin; an empty list means all. */
  readonly fallthrough?: readonly string[] | undefined;
  /** TTL in seconds, up to 3600; CoreDNS's default is 5. */
  readonly ttl?: number | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readKubernetes(line: Directive): KubernetesPlugin {
  const options = new OptionReader(line);
  return {
    plugin: "kubernetes",
    zones: line.args,
    pods: options.oneOf("pods", POD_MODES),
    fallthrough: options.words("fallthrough", 0),
    ttl: options.integer("ttl", 0, 3600),
    more: options.rest(),
  };
}

export function writeKubernetes(kubernetes: KubernetesPlugin): Directive {
  return directive(
    "kubernetes",
    kubernetes.zones,
    option("pods", kubernetes.pods),
    option("fallthrough", kubernetes.fallthrough),
    option("ttl", kubernetes.ttl),
    kubernetes.more,
  );
}

/** @see https://coredns.io/plugins/autopath/ */
export interface AutopathPlugin {
  readonly plugin: "autopath";
  /** Zones whose search lists are walked; default: those of the server. */
  readonly zones?: readonly string[] | undefined;
  /** `@kubernetes`, or a resolv.conf file. */
  readonly source: string;
}

export function readAutopath(line: Directive): AutopathPlugin {
  const source = line.args.at(-1);
  expect(source !== undefined && line.block === undefined);
  return { plugin: "autopath", zones: line.args.length > 1 ? line.args.slice(0, -1) : undefined, source };
}

export function writeAutopath(autopath: AutopathPlugin): Directive {
  return directive("autopath", [...(autopath.zones ?? []), autopath.source]);
}

/** @see https://coredns.io/plugins/hosts/ */
export interface HostsPlugin {
  readonly plugin: "hosts";
  /** A hosts file and the zones it answers for. */
  readonly file?: readonly string[] | undefined;
  readonly entries: readonly HostEntry[];
  /** TTL in seconds; CoreDNS's default is 3600. */
  readonly ttl?: number | undefined;
  readonly noReverse?: boolean | undefined;
  readonly reload?: string | undefined;
  /** Zones whose unknown names go to the next plugin; an empty list means all. */
  readonly fallthrough?: readonly string[] | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

export function readHosts(line: Directive): HostsPlugin {
  const block = line.block ?? [];
  const isEntry = ({ name, args }: Directive) => isAddress(name) && args.length > 0;
  const end = block.findIndex(({ name }) => name === "fallthrough");
  // CoreDNS takes no addresses below fallthrough.
  expect(end === -1 || !block.slice(end).some(isEntry));
  const options = new OptionReader({ ...line, block: block.filter((inner) => !isEntry(inner)) });
  return {
    plugin: "hosts",
    file: line.args.length > 0 ? line.args : undefined,
    entries: block.filter(isEntry).map(({ name, args }) => ({ address: name, names: args })),
    ttl: options.integer("ttl", 1, 65_535),
    noReverse: options.flag("no_reverse"),
    reload: options.duration("reload"),
    fallthrough: options.words("fallthrough", 0),
    more: options.rest(),
  };
}

export function writeHosts(hosts: HostsPlugin): Directive {
  return directive(
    "hosts",
    hosts.file ?? [],
    hosts.entries.map(({ address, names }) => ({ name: address, args: names })),
    option("ttl", hosts.ttl),
    option("no_reverse", hosts.noReverse),
    option("reload", hosts.reload),
    // CoreDNS accepts no entries after this line.
    hosts.more,
    option("fallthrough", hosts.fallthrough),
  );
}

/** Fields that a rule may rewrite. */
const FIELDS: readonly string[] = ["name", "type", "class", "edns0", "ttl", "cname", "rcode"];
export const MATCHES = ["exact", "prefix", "suffix", "substring", "regex"] as const;

/**
 * A rule for the queried name. Rules for types, classes, TTLs and other fields are kept as written.
 * @see https://coredns.io/plugins/rewrite/
 */
export interface RewritePlugin {
  readonly plugin: "rewrite";
  readonly match: (typeof MATCHES)[number];
  readonly from: string;
  readonly to: string;
  /** Words after the names, such as `answer auto`. */
  readonly answer?: readonly string[] | undefined;
  /** Whether later rules apply too. */
  readonly continue?: boolean | undefined;
}

/** Undefined if the rule is not about a name. */
export function readRewrite(line: Directive): RewritePlugin | undefined {
  // CoreDNS also takes a rule's words from braces, if the line has fewer than two.
  const inner = line.args.length < 2 ? (line.block ?? []).flatMap(({ name, args }) => [name, ...args]) : [];
  const [first = "", ...others] = [...line.args, ...inner];
  const mode = first.toLowerCase();
  const [field = "", ...words] = mode === "continue" || mode === "stop" ? others : [first, ...others];
  expect(FIELDS.includes(field.toLowerCase()));
  if (field.toLowerCase() !== "name") return undefined;
  const match = words.length === 2 ? "exact" : MATCHES.find((value) => value === words[0]?.toLowerCase());
  const [from, to, ...answer] = words.length === 2 ? words : words.slice(1);
  expect(match !== undefined && from !== undefined && to !== undefined);
  expect(match !== "regex" || (isGoRegexp(from) && usedGroups(to) <= groupsOf(from)));
  expect(answer.length === 0 || (answer[0] === "answer" && answer.length > 1));
  return {
    plugin: "rewrite",
    match,
    from,
    to,
    answer: answer.length > 0 ? answer : undefined,
    continue: mode === "continue" ? true : undefined,
  };
}

export function writeRewrite({ match, from, to, answer, continue: appliesNext }: RewritePlugin): Directive {
  return directive("rewrite", [appliesNext ? "continue" : "stop", "name", match, from, to, ...(answer ?? [])]);
}

export const POLICIES = ["random", "round_robin", "sequential"] as const;

/** @see https://coredns.io/plugins/forward/ */
export interface ForwardPlugin {
  readonly plugin: "forward";
  /** Domain whose names are forwarded; `.` for all. */
  readonly from: string;
  /** Addresses, `tls://` addresses or resolv.conf files; at most 15. */
  readonly upstreams: readonly string[];
  readonly except?: readonly string[] | undefined;
  readonly forceTcp?: boolean | undefined;
  readonly preferUdp?: boolean | undefined;
  /** How long an idle connection is kept; CoreDNS's default is 10s. */
  readonly expire?: string | undefined;
  /** Failed health checks until an upstream counts as down; CoreDNS's default is 2. */
  readonly maxFails?: number | undefined;
  /** Certificate, key and CA, as files in the pod. */
  readonly tls?: readonly string[] | undefined;
  readonly tlsServerName?: string | undefined;
  readonly policy?: (typeof POLICIES)[number] | undefined;
  readonly healthCheck?: HealthCheck | undefined;
  /** Maximum concurrent queries; more are refused. */
  readonly maxConcurrent?: number | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export interface HealthCheck {
  readonly interval: string;
  /** Whether to query without recursion. */
  readonly noRecursion?: boolean | undefined;
  readonly domain?: string | undefined;
}

export function readForward(line: Directive): ForwardPlugin {
  const [from, ...upstreams] = line.args;
  expect(from !== undefined && upstreams.length > 0);
  const options = new OptionReader(line);
  return {
    plugin: "forward",
    from,
    upstreams,
    except: options.words("except"),
    forceTcp: options.flag("force_tcp"),
    preferUdp: options.flag("prefer_udp"),
    expire: options.duration("expire"),
    maxFails: options.integer("max_fails"),
    tls: options.words("tls", 0, 3),
    tlsServerName: options.word("tls_servername"),
    policy: options.oneOf("policy", POLICIES),
    healthCheck: healthCheck(options),
    maxConcurrent: options.integer("max_concurrent"),
    more: options.rest(),
  };
}

function healthCheck(options: OptionReader): HealthCheck | undefined {
  const words = options.words("health_check");
  if (words === undefined) return undefined;
  const [interval = "", ...others] = words;
  expect(seconds(interval) !== undefined);
  let noRecursion: true | undefined;
  let domain: string | undefined;
  for (let index = 0; index < others.length; index += 1) {
    const word = others[index];
    if (word === "no_rec") noRecursion = true;
    else {
      index += 1;
      domain = others[index];
      expect(word === "domain" && domain !== undefined);
    }
  }
  return { interval, noRecursion, domain };
}

export function writeForward(forward: ForwardPlugin): Directive {
  const check = forward.healthCheck;
  return directive(
    "forward",
    [forward.from, ...forward.upstreams],
    option("except", forward.except),
    option("force_tcp", forward.forceTcp),
    option("prefer_udp", forward.preferUdp),
    option("expire", forward.expire),
    option("max_fails", forward.maxFails),
    option("tls", forward.tls),
    option("tls_servername", forward.tlsServerName),
    option("policy", forward.policy),
    option("health_check", check && [check.interval, ...(check.noRecursion ? ["no_rec"] : []), ...domainWords(check)]),
    option("max_concurrent", forward.maxConcurrent),
    forward.more,
  );
}

function domainWords({ domain }: HealthCheck): string[] {
  return domain === undefined ? [] : ["domain", domain];
}
