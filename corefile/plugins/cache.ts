import { seconds } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";
import { directive, expect, integer, OptionReader, option } from "./options.ts";

/** One part of the cache: answers with records, or denials. */
export interface CacheSide {
  /** Number of answers; CoreDNS rounds down to a multiple of 256, with a minimum of 1024. */
  readonly capacity: number;
  /** Maximum TTL, in seconds. */
  readonly ttl?: number | undefined;
  /** Minimum TTL, in seconds. */
  readonly minTtl?: number | undefined;
}

/** @see https://coredns.io/plugins/cache/ */
export interface CachePlugin {
  readonly plugin: "cache";
  /** Maximum TTL, in seconds; CoreDNS's default is 3600 for answers, 1800 for denials. */
  readonly ttl?: number | undefined;
  /** Zones to cache; default: all of the server. */
  readonly zones?: readonly string[] | undefined;
  readonly success?: CacheSide | undefined;
  readonly denial?: CacheSide | undefined;
  readonly prefetch?: Prefetch | undefined;
  readonly serveStale?: ServeStale | undefined;
  /** TTL of a SERVFAIL; CoreDNS's default is 5s. */
  readonly servfail?: string | undefined;
  /** Options that this model does not know, as written. */
  readonly more?: readonly Directive[] | undefined;
}

export interface Prefetch {
  readonly amount: number;
  readonly duration?: string | undefined;
  /** 10 to 90. */
  readonly percentage?: number | undefined;
}

export interface ServeStale {
  readonly duration?: string | undefined;
  readonly refresh?: "immediate" | "verify" | undefined;
  /** Further words, from a newer CoreDNS. */
  readonly further?: readonly string[] | undefined;
}

export function readCache(line: Directive): CachePlugin {
  const options = new OptionReader(line);
  const [first, ...others] = line.args;
  const hasTtl = first !== undefined && /^[+-]?\d+$/.test(first);
  const zones = hasTtl ? others : line.args;
  const servfail = options.duration("servfail");
  expect(servfail === undefined || (seconds(servfail) ?? 0) <= 300);
  return {
    plugin: "cache",
    ttl: hasTtl ? integer(first, 1) : undefined,
    zones: zones.length > 0 ? zones : undefined,
    success: side(options, "success"),
    denial: side(options, "denial"),
    prefetch: prefetch(options),
    serveStale: serveStale(options),
    servfail,
    more: options.rest(),
  };
}

function side(options: OptionReader, name: "success" | "denial"): CacheSide | undefined {
  const words = options.words(name);
  if (words === undefined) return undefined;
  // CoreDNS ignores further words.
  const [capacity, ttl, minTtl] = words;
  return {
    capacity: integer(capacity, 1),
    ttl: ttl === undefined ? undefined : integer(ttl, 1),
    minTtl: minTtl === undefined ? undefined : integer(minTtl),
  };
}

function prefetch(options: OptionReader): Prefetch | undefined {
  const words = options.words("prefetch");
  if (words === undefined) return undefined;
  const [amount, duration, percentage, ...more] = words;
  expect((duration === undefined || seconds(duration) !== undefined) && more.length === 0);
  expect(percentage === undefined || percentage.endsWith("%"));
  return {
    amount: integer(amount),
    duration,
    percentage: percentage === undefined ? undefined : integer(percentage.slice(0, -1), 10, 90),
  };
}

const REFRESH = ["immediate", "verify"] as const;

function serveStale(options: OptionReader): ServeStale | undefined {
  const words = options.words("serve_stale", 0);
  if (words === undefined) return undefined;
  const [duration, mode, ...further] = words;
  const refresh = REFRESH.find((value) => value === mode?.toLowerCase());
  expect(duration === undefined || seconds(duration) !== undefined);
  expect(mode === undefined || refresh !== undefined);
  return { duration, refresh, further: further.length > 0 ? further : undefined };
}

export function writeCache(cache: CachePlugin): Directive {
  const { success, denial, prefetch: fetch, serveStale: stale } = cache;
  return directive(
    "cache",
    [cache.ttl, ...(cache.zones ?? [])],
    option("success", success && [success.capacity, ...times(success, cache.ttl ?? 3600)]),
    option("denial", denial && [denial.capacity, ...times(denial, cache.ttl ?? 1800)]),
    option("prefetch", fetch && [fetch.amount, ...popularity(fetch)]),
    option("serve_stale", stale && staleness(stale)),
    option("servfail", cache.servfail),
    cache.more,
  );
}

/** The words are positional, so a later one requires the earlier ones. */
function times({ ttl, minTtl }: CacheSide, inherited: number): (number | undefined)[] {
  return minTtl === undefined ? [ttl] : [ttl ?? inherited, minTtl];
}

function popularity({ duration, percentage }: Prefetch): (string | undefined)[] {
  return percentage === undefined ? [duration] : [duration ?? "1m", `${percentage}%`];
}

function staleness({ duration, refresh, further }: ServeStale): (string | undefined)[] {
  if (further !== undefined) return [duration ?? "1h", refresh ?? "immediate", ...further];
  return refresh === undefined ? [duration] : [duration ?? "1h", refresh];
}
