import { domainOf } from "eks-dns-logging-corefile";
import type { DnsSettings } from "./settings.ts";

/** What a pod's `/etc/resolv.conf` sets for its resolver. */
export interface ResolverConfig {
  /** Servers that are asked, in order. */
  readonly nameservers: readonly string[];
  /** Domains that are tried after a name, in order. */
  readonly search: readonly string[];
  /** Names with at least as many dots are tried as they are first. The resolver's own default is 1; Kubernetes writes 5. */
  readonly ndots: number;
}

/** Which C library asks: glibc (Debian, Ubuntu, Amazon Linux), or musl (Alpine, and so the curl image). */
export type Libc = "glibc" | "musl";

const MAX_NDOTS = 15;
const MAX_NAMESERVERS = 3;
/** musl reads a line into 256 bytes, its end and a NUL among them, and ignores a longer one as a whole. */
const MAX_MUSL_LINE = 254;

/**
 * Reads a resolv.conf as a C library does. The last `search` or `domain` line holds, as does the last `ndots`; of the name servers the
 * first three are asked.
 * @see https://man7.org/linux/man-pages/man5/resolv.conf.5.html
 * @see https://git.musl-libc.org/cgit/musl/tree/src/network/resolvconf.c
 */
export function parseResolvConf(text: string, libc: Libc = "glibc"): ResolverConfig {
  const nameservers: string[] = [];
  let search: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    if (libc === "musl" && isIgnoredByMusl(line)) continue;
    const [keyword = "", ...values] = line.split(/[#;]/, 1).join("").trim().split(/\s+/);
    if (keyword === "nameserver") nameservers.push(...values.slice(0, 1));
    if (keyword === "search" || keyword === "domain") search = values;
    if (keyword !== "options") continue;
    for (const value of values) {
      const number = /^ndots:(\d+)$/.exec(value)?.[1];
      if (number !== undefined) ndots = Math.min(MAX_NDOTS, Number(number));
    }
  }
  return { nameservers: nameservers.slice(0, MAX_NAMESERVERS), search, ndots };
}

/** Whether a line of resolv.conf is too long for musl. Kubernetes itself allows search lists of 2,048 characters. */
export function isIgnoredByMusl(line: string): boolean {
  return Buffer.byteLength(line) > MAX_MUSL_LINE;
}

/**
 * The names that a resolver tries for a name, in order and with their trailing dot, until one exists. With enough dots the name
 * itself is first: glibc walks the search list after it, musl does not. With too few dots the search list is first.
 */
export function candidateNames(
  name: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  libc: Libc = "glibc",
): string[] {
  if (name.endsWith(".")) return [name];
  const own = `${name}.`;
  const searched = config.search.map((domain) => (domain === "." ? own : `${name}.${domain.replace(/\.$/, "")}.`));
  const dots = name.split(".").length - 1;
  const list = dots < config.ndots ? [...searched, own] : libc === "musl" ? [own] : [own, ...searched];
  return [...new Set(list)];
}

/** One query that a name costs. */
export interface Query {
  /** Fully qualified, with its trailing dot. */
  readonly name: string;
  readonly type: "A" | "AAAA";
}

/** The queries that a name costs a resolver that wants both address families, up to the first name that exists. */
export function queriesOf(
  name: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  exists: (name: string) => boolean,
  libc: Libc = "glibc",
): Query[] {
  const names = candidateNames(name, config, libc);
  const found = names.findIndex(exists);
  return names.slice(0, found === -1 ? names.length : found + 1).flatMap((one): Query[] => [
    { name: one, type: "A" },
    { name: one, type: "AAAA" },
  ]);
}

/** A way to ask for the same name with fewer queries. */
export interface Saving {
  /** What to write or set. */
  readonly change: string;
  readonly queries: number;
}

/**
 * What would cost fewer queries, best first: a trailing dot, or fewer ndots. Fewer than 3 is never advised: `name.ns.svc` then
 * goes to the outside resolver first.
 */
export function savings(
  name: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  exists: (name: string) => boolean,
  libc: Libc = "glibc",
): Saving[] {
  const now = queriesOf(name, config, exists, libc);
  const reached = now.at(-1)?.name;
  if (reached === undefined || !exists(reached)) return [];
  const changes: { readonly change: string; readonly name: string; readonly ndots: number }[] = [
    { change: `the name ${reached} with its trailing dot`, name: reached, ndots: config.ndots },
  ];
  if (config.ndots > MIN_NDOTS) changes.push({ change: `ndots ${MIN_NDOTS} in dnsConfig`, name, ndots: MIN_NDOTS });
  return changes
    .map(({ change, name: other, ndots }) => ({
      change,
      queries: queriesOf(other, { ...config, ndots }, exists, libc).length,
    }))
    .filter(({ queries }) => queries < now.length)
    .sort((a, b) => a.queries - b.queries);
}

const MIN_NDOTS = 3;

/** Where a pod asks for names, in place of what its node's kubelet would write into its resolv.conf. */
export interface PodDns {
  /** Servers, in the order in which they are asked. */
  readonly nameservers: readonly string[];
  /** The cluster's domain, which the search list ends in. */
  readonly clusterDomain: string;
}

/**
 * Where this stack's own pods ask: in kubelet mode the node's cache, which no kubelet names until its owner says so; undefined
 * where the kubelet's answer is right, which in iptables mode leads to the cache too.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export function podDns({ nodeLocalCache: cache, corefile }: DnsSettings): PodDns | undefined {
  if (cache?.mode !== "kubelet") return undefined;
  return { nameservers: [cache.address], clusterDomain: clusterDomainOf({ corefile }) ?? "cluster.local" };
}

/**
 * The domain of the cluster's names, in lower case and without a dot at the end: that of the settings, else the one that their whole Corefile
 * serves.
 * @returns undefined where neither tells another one than cluster.local.
 */
export function clusterDomainOf(dns: Pick<DnsSettings, "corefile"> | undefined): string | undefined {
  const { options, text } = dns?.corefile ?? {};
  const stated = options?.clusterDomain ?? (text === undefined ? undefined : domainOf(text));
  return stated?.toLowerCase().replace(/\.$/, "");
}
