import {
  candidateNames,
  type Libc,
  queriesOf,
  type ResolverConfig,
  type Saving,
  savings,
} from "../../components/dns/resolver.ts";

/**
 * Result of a query. `no address`: the name exists, but has no address of that type. `failed` is SERVFAIL, `refused` any other error code,
 * `silent` no answer.
 */
export type Outcome = "address" | "no address" | "no name" | "failed" | "refused" | "silent";

/** Results of the two queries for a name, which a resolver sends in parallel. */
export interface Pair {
  readonly A: Outcome;
  readonly AAAA: Outcome;
}

/** How often a resolver retries without an answer. */
export interface RetryLimits {
  /** `options attempts` of resolv.conf; both C libraries default to 2. */
  readonly attempts: number;
  /** Number of name servers in resolv.conf. */
  readonly servers: number;
}

const DEFAULT_ATTEMPTS = 2;

/**
 * Yields the names that a resolver queries, in order. The caller sends back the result of each; the walk ends when the resolver succeeds or
 * gives up.
 *
 * glibc continues after every answer without an address. If no server answers, it stops, unless the name itself was tried before the
 * search list. musl continues only after NXDOMAIN: a name without an address, or a failing server, ends its walk.
 * @see https://sourceware.org/git/?p=glibc.git;a=blob;f=resolv/res_query.c
 * @see https://git.musl-libc.org/cgit/musl/tree/src/network/lookup_name.c
 */
export function* walk(
  name: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  libc: Libc,
): Generator<string, void, Pair> {
  const names = candidateNames(name, config, libc);
  for (const [index, candidate] of names.entries()) {
    const pair = yield candidate;
    const ownNameFirst = index === 0 && candidate === `${name}.`;
    if (libc === "musl" ? endsMusl(pair) : endsGlibc(pair) && !(ownNameFirst && !has(pair, "address"))) return;
  }
}

function endsGlibc({ A, AAAA }: Pair): boolean {
  const dead = (outcome: Outcome) => outcome === "silent" || outcome === "refused";
  return A === "address" || AAAA === "address" || (dead(A) && dead(AAAA));
}

/** The A answer is checked first. */
function endsMusl({ A, AAAA }: Pair): boolean {
  for (const outcome of [A, AAAA]) {
    if (outcome === "no name") return false;
    if (outcome === "failed" || outcome === "refused" || outcome === "silent") return true;
  }
  return true;
}

/** Whether the program gets an address. In musl, one failing answer of the two spoils the other. */
export function succeeds({ A, AAAA }: Pair, libc: Libc): boolean {
  const found = A === "address" || AAAA === "address";
  const spoilt = [A, AAAA].some((outcome) => !["address", "no address"].includes(outcome));
  return found && (libc === "glibc" || !spoilt);
}

function has({ A, AAAA }: Pair, outcome: Outcome): boolean {
  return A === outcome || AAAA === outcome;
}

/**
 * Messages that a resolver sends for one name: two, and more if a server fails or is silent. glibc queries the servers in turn, `attempts`
 * times. musl queries all at once, retries SERVFAIL up to four times per attempt, and waits for its timeout.
 * @see https://git.musl-libc.org/cgit/musl/tree/src/network/res_msend.c
 */
export function messagesFor(pair: Pair, libc: Libc, { attempts, servers }: RetryLimits): number {
  const outcomes = [pair.A, pair.AAAA];
  const bad = outcomes.filter((outcome) => ["failed", "refused", "silent"].includes(outcome));
  if (libc === "glibc") return bad.length === outcomes.length ? outcomes.length * attempts * servers : outcomes.length;
  const again = bad.includes("failed") ? SERVFAIL_RETRIES : 0;
  return (outcomes.length - bad.length) * servers + attempts * (bad.length * servers + (bad.length > 0 ? again : 0));
}

const SERVFAIL_RETRIES = 4;

/** `options attempts:N` of a resolv.conf, at most 5 as in glibc. */
export function attemptsOf(resolvConf: string): number {
  const stated = [...resolvConf.matchAll(/^\s*options\b[^\n#;]*?\battempts:(\d+)/gm)].at(-1)?.[1];
  return stated === undefined ? DEFAULT_ATTEMPTS : Math.min(5, Math.max(1, Number(stated)));
}

/** Addresses of a name in `/etc/hosts`, which need no query. */
export function hostsAddresses(hosts: string, name: string): string[] {
  return hosts.split("\n").flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const listed = names.some((alias) => alias.toLowerCase() === name.toLowerCase());
    return listed && address !== undefined ? [address] : [];
  });
}

/**
 * Ways to reach the same name with fewer queries, fewest first: its full name with a trailing dot, a lower ndots, or a shorter form that
 * the search list completes. Assumes that the names tried before this one do not exist.
 */
export function cheaper(
  name: string,
  reached: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  libc: Libc,
): Saving[] {
  const exists = (candidate: string) => candidate === reached;
  const cost = (form: string) => queriesOf(form, config, exists, libc);
  const now = cost(name).length;
  const forms = config.search
    .filter((domain) => domain !== "." && reached.endsWith(`.${domain}.`))
    .map((domain) => reached.slice(0, -domain.length - 2))
    .filter((form) => form !== name)
    .map((form) => ({ form, queries: cost(form) }))
    .filter(({ queries }) => queries.at(-1)?.name === reached && queries.length < now)
    .map(({ form, queries }) => ({ change: `the form ${form}`, queries: queries.length }));
  return [...savings(name, config, exists, libc), ...forms].sort((a, b) => a.queries - b.queries);
}
