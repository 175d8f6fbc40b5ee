import { CLUSTER_DOMAIN, domainOf } from "eks-dns-logging-corefile";
import { z } from "zod";
import { Address } from "./corefile-settings.ts";
import type { DnsSettings } from "./settings.ts";

/** The resolver settings in a pod's `/etc/resolv.conf`. */
export interface ResolverConfig {
  /** Servers to query, in order. */
  readonly nameservers: readonly string[];
  /** Domains to append to a name, in order. */
  readonly search: readonly string[];
  /** Names with at least as many dots are first tried as is. The resolver's default is 1; Kubernetes sets 5. */
  readonly ndots: number;
}

/** The querying C library: glibc (Debian, Ubuntu, Amazon Linux), or musl (Alpine, and so the curl image). */
export type Libc = "glibc" | "musl";

const MAX_NDOTS = 15;
/** The lowest ndots to advise: with a lower one, `name.ns.svc` goes to the outside resolver first. */
const MIN_NDOTS = 3;
const MAX_NAMESERVERS = 3;
/** musl reads a line into 256 bytes, including newline and NUL, and ignores longer lines. */
const MAX_MUSL_LINE = 254;

/**
 * Parses a resolv.conf like a C library: the last `search` or `domain` line and the last `ndots` win, and only the first three name servers
 * count.
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
 * The names that a resolver tries for a name until one exists, in order and with trailing dots. With enough dots, the name itself is
 * first: glibc then walks the search list, musl does not. With fewer, the search list is first.
 */
export function candidateNames(
  name: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  libc: Libc = "glibc",
): string[] {
  if (name.endsWith(".")) return [name];
  const asWritten = `${name}.`;
  const searched = config.search.map((domain) =>
    domain === "." ? asWritten : `${name}.${domain.replace(/\.$/, "")}.`,
  );
  const dots = name.split(".").length - 1;
  const list =
    dots < config.ndots ? [...searched, asWritten] : libc === "musl" ? [asWritten] : [asWritten, ...searched];
  return [...new Set(list)];
}

/** A query for a name. */
export interface Query {
  /** Fully qualified, with its trailing dot. */
  readonly name: string;
  readonly type: "A" | "AAAA";
}

/** A resolver's queries for a name, in both address families, up to the first name that exists. */
export function queriesOf(
  name: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  exists: (name: string) => boolean,
  libc: Libc = "glibc",
): Query[] {
  const names = candidateNames(name, config, libc);
  const answered = names.findIndex(exists);
  return names.slice(0, answered === -1 ? names.length : answered + 1).flatMap((candidate): Query[] => [
    { name: candidate, type: "A" },
    { name: candidate, type: "AAAA" },
  ]);
}

/** A way to resolve a name with fewer queries. */
export interface Saving {
  /** What to change. */
  readonly change: string;
  readonly queries: number;
}

/** Changes that save queries, best first: a trailing dot, or a lower ndots. */
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

/** A pod's DNS configuration, in place of what the kubelet would write into its resolv.conf. */
export interface PodDns {
  /** Servers, in query order. */
  readonly nameservers: readonly string[];
  /** The cluster's domain, in which the search list ends. */
  readonly clusterDomain: string;
}

/** Checks a {@link PodDns} that another program passes. */
export const PodDnsSettings = z.strictObject({
  nameservers: z.array(Address).min(1),
  clusterDomain: z.string().min(1),
});

/**
 * DNS configuration of this stack's pods: in kubelet mode the node's cache, which a kubelet only names if its owner configures it;
 * undefined if the kubelet's is right, which in iptables mode leads to the cache too.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
 */
export function podDns({ nodeLocalCache: cache, corefile }: DnsSettings): PodDns | undefined {
  if (cache?.mode !== "kubelet") return undefined;
  return { nameservers: [cache.address], clusterDomain: clusterDomainOf({ corefile }) ?? CLUSTER_DOMAIN };
}

/**
 * The domain of the cluster's names, in lower case without trailing dot: from the settings, else from their complete Corefile.
 * @returns undefined if neither states one; cluster.local in a Corefile does not count.
 */
export function clusterDomainOf(dns: Pick<DnsSettings, "corefile"> | undefined): string | undefined {
  const { options, text } = dns?.corefile ?? {};
  const stated = options?.clusterDomain ?? (text === undefined ? undefined : domainOf(text));
  return stated?.toLowerCase().replace(/\.$/, "");
}
