import { POLICIES } from "../plugins/sources.ts";
import type { Version } from "../releases.ts";
import { hostAndPort, integer, isAddress, isDomainName, RCODES, unsigned } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Handlers, type Setup, shown, zonesOf } from "./setup.ts";

const MAX_UPSTREAMS = 15;
const TRANSPORTS = /^(dns|tls|quic|grpc|https3|https|unix):\/\/(.*)$/s;
/** The file of name servers that `forward` reads. */
const RESOLV_CONF = "/etc/resolv.conf";

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/forward/setup.go */
export function forward(setup: Setup): void {
  const limit = () => setup.int("max_concurrent", setup.word("max_concurrent"), 0);
  setup.lines(() => {
    const upstreams = fromAndTo(setup, setup.since(1, 14, 4));
    let serverName: string | undefined;
    let [age, expire] = [0, 10];
    setup.block({
      ...shared(setup, (name) => {
        serverName = name;
      }),
      max_fails: (option) => count(setup, option),
      max_connect_attempts: (option) => count(setup, option),
      health_check: () => healthCheck(setup),
      force_tcp: (option) => setup.noWord(option),
      prefer_udp: (option) => setup.noWord(option),
      expire: (option) => {
        expire = setup.time(option, setup.word(option), 0);
      },
      max_age: (option) => {
        age = setup.time(option, setup.word(option), 0);
      },
      max_idle_conns: (option) => setup.int(option, setup.word(option), 0),
      max_concurrent: limit,
      read_timeout: (option) => setup.period(option, setup.word(option)),
      doh_method: (option) => setup.oneOf(option, setup.word(option), ["POST", "GET"]),
      resolver: (option) => {
        for (const text of setup.words(option, 1)) setup.ipAndPort(option, text);
      },
      source_address: (option) => setup.ip(option, setup.word(option)),
      next: (option) => codes(setup, option),
      next_on_nodata: (option) => setup.noWord(option),
      failover: (option) => {
        const words = codes(setup, option);
        if (words.some((word) => word.toUpperCase() === "NOERROR")) setup.refuse("failover does not take NOERROR");
      },
      failfast_all_unhealthy_upstreams: (option) => setup.none(option),
    });
    if (age > 0 && age < expire) setup.refuse(`max_age (${age}s) must not be less than expire (${expire}s)`);
    for (const upstream of upstreams) checkTransport(setup, upstream, serverName);
    if (upstreams.length > MAX_UPSTREAMS)
      setup.refuse(`takes at most ${MAX_UPSTREAMS} upstreams (found ${upstreams.length})`);
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/grpc/setup.go */
export function grpc(setup: Setup): void {
  setup.lines(() => {
    const upstreams = fromAndTo(setup);
    setup.block({ ...shared(setup), fallthrough: () => setup.zones(setup.remaining()) }, (name) => {
      if (name !== "}") setup.unknown(name);
    });
    if (upstreams.length > MAX_UPSTREAMS)
      setup.refuse(`takes at most ${MAX_UPSTREAMS} upstreams (found ${upstreams.length})`);
  }, 1);
}

/** The domain and the upstreams of a line; `named` allows host names. */
function fromAndTo(setup: Setup, named = false): readonly string[] {
  if (!setup.nextArgument()) setup.refuse("takes a domain and at least one upstream, such as . /etc/resolv.conf");
  const from = setup.value;
  if (!hasVariable(from) && zonesOf(from).length === 0) setup.refuse(`${shown(from)} is not a domain`);
  if (zonesOf(from).length > 1)
    setup.warn(`${from} is several reverse zones, and CoreDNS uses only ${zonesOf(from)[0]}`);
  const upstreams = setup.remaining();
  if (upstreams.length === 0)
    setup.refuse(isAddress(from) ? `takes a domain before ${from}, such as .` : `${from} takes at least one upstream`);
  const asked = upstreams.filter((upstream) => hasVariable(upstream) || checkUpstream(setup, upstream, named));
  if (asked.length === 0)
    setup.refuse(`${upstreams.join(" ")} has no name servers, and CoreDNS does not start without one`);
  for (const upstream of upstreams)
    if (!asked.includes(upstream)) setup.warn(`${upstream} has no name servers, so CoreDNS leaves it out`);
  return upstreams;
}

/** What an upstream may be. */
export const UPSTREAM_FORMS =
  "an IP address with an optional port (10.0.0.2, 10.0.0.2:5353, [fd00::2]:53), tls://ADDRESS, or a file";

/** @returns whether it gives at least one name server: CoreDNS reads any file or folder, and may find none. */
function checkUpstream(setup: Setup, upstream: string, named: boolean): boolean {
  const [, scheme = "dns", rest = upstream] = TRANSPORTS.exec(upstream) ?? [];
  if (scheme === "https3" && !setup.since(1, 13, 0))
    setup.refuse(`an upstream is ${UPSTREAM_FORMS} (found ${shown(upstream)})`);
  if (rest === "") setup.refuse(`an upstream is ${UPSTREAM_FORMS} (found ${shown(upstream)})`);
  if (scheme === "unix") return true;
  const parts = hostAndPort(rest);
  const host = parts?.host ?? (setup.since(1, 14, 0) ? rest.replace(/^[[\]]+|[[\]]+$/g, "") : rest);
  const bare = host.includes("%") ? host.slice(0, host.lastIndexOf("%")) : host;
  if (isAddress(bare)) return true;
  const file = parts === undefined ? host : rest;
  if (file === RESOLV_CONF) return true;
  if (/^\.\.?$/.test(file) || (file.startsWith("/") && setup.context.hasFile(setup.path(file)) === true)) return false;
  if (file.startsWith("/")) setup.needFile(file, "file");
  else if (named && HOST_NAME.test(bare) && supports(setup, scheme, "named"))
    setup.warn(
      `CoreDNS looks up ${bare} only when it starts: without an address it does not start, and it does not see later changes`,
    );
  else if (named)
    setup.refuse(`an upstream is ${UPSTREAM_FORMS}, or a name such as dns.example (found ${shown(upstream)})`);
  else setup.refuse(`an upstream is ${UPSTREAM_FORMS} (found ${shown(upstream)}); names are not looked up`);
  return true;
}

/** A name that DNS can resolve: the search list does not apply, and no top-level domain starts with a digit. */
const HOST_NAME = /^([a-z\d_]([a-z\d_-]*[a-z\d_])?\.)+[a-z]([a-z\d-]*[a-z\d])?\.?$/i;

/** First releases of forward that support a scheme, and host names with it. */
const SCHEMES: Readonly<Record<string, { readonly spoken: Version; readonly named: Version }>> = {
  dns: { spoken: [1, 0, 0], named: [1, 14, 4] },
  tls: { spoken: [1, 0, 0], named: [1, 14, 4] },
  https: { spoken: [1, 14, 5], named: [1, 14, 7] },
  quic: { spoken: [1, 15, 0], named: [1, 15, 0] },
};

function supports(setup: Setup, scheme: string, what: "spoken" | "named"): boolean {
  const since = SCHEMES[scheme]?.[what];
  return since !== undefined && setup.since(...since);
}

function checkTransport(setup: Setup, upstream: string, serverName: string | undefined): void {
  const [, scheme = "dns", rest = ""] = TRANSPORTS.exec(upstream) ?? [];
  if (scheme === "https3") setup.warn(`${upstream}: forward does not speak https3, though CoreDNS starts`);
  else if (!supports(setup, scheme, "spoken")) setup.refuse(`does not speak ${scheme} (found ${shown(upstream)})`);
  if (scheme === "https" && rest.includes("/"))
    setup.refuse(`an upstream of https has no path, since /dns-query is asked (found ${shown(upstream)})`);
  const namedServer = /%([^:\]]+)/.exec(rest)?.[1];
  if (
    ["tls", "quic"].includes(scheme) &&
    setup.since(1, 13, 0) &&
    namedServer !== undefined &&
    serverName !== undefined
  )
    setup.refuse(`${upstream} names the server, and so does tls_servername: CoreDNS takes only one of them`);
}

/** Options that forward and grpc share. */
function shared(setup: Setup, named: (name: string) => void = () => {}): Handlers {
  return {
    except: (option) => setup.zones(setup.words(option, 1)),
    tls: (option) => setup.tlsFiles(option, setup.remaining()),
    tls_servername: (option) => named(setup.word(option)),
    policy: (option) => setup.oneOf(option, setup.word(option), POLICIES),
  };
}

function count(setup: Setup, option: string): void {
  const text = setup.word(option);
  setup.takes(option, text, unsigned(text, 32) !== undefined, "an integer from 0");
}

function codes(setup: Setup, option: string): readonly string[] {
  const words = setup.words(option, 1);
  for (const word of words)
    setup.takes(option, word, RCODES.has(word.toUpperCase()), "response codes, such as NXDOMAIN");
  return words;
}

function healthCheck(setup: Setup): void {
  setup.time("health_check", setup.word("health_check"), 0);
  while (setup.nextArgument()) {
    const word = setup.value;
    if (word === "domain") {
      const domain = setup.word("domain of health_check");
      setup.takes("domain of health_check", domain, isDomainName(domain), "a domain");
    } else if (word !== "no_rec")
      setup.refuse(`health_check takes no_rec and domain NAME after the duration (found ${shown(word)})`);
  }
}

/** The cache's maximum TTL for answers. */
export const MAX_CACHE_TTL = 3600;

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/cache/setup.go */
export function cache(setup: Setup): void {
  const side = (name: string) => () => {
    const [capacity = "", ttl, min] = setup.words(name, 1);
    setup.int(name, capacity);
    if (ttl !== undefined) setup.int(`the TTL of ${name}`, ttl, 1);
    if (ttl !== undefined && min !== undefined) setup.int(`the shortest TTL of ${name}`, min, 0);
  };
  setup.lines(() => {
    const words = setup.remaining();
    const [first = ""] = words;
    const hasTtl = integer(first) !== undefined;
    if (hasTtl) setup.int("the TTL", first, 1);
    setup.zones(hasTtl ? words.slice(1) : words);
    let [stale, policy] = [false, false];
    setup.block({
      success: side("success"),
      denial: side("denial"),
      prefetch: () => prefetch(setup),
      serve_stale: () => {
        serveStale(setup);
        stale = true;
      },
      serve_stale_policy: (option) => {
        if (policy) setup.refuse("serve_stale_policy occurs twice");
        const text = setup.one(option);
        setup.oneOf(option, text.toLowerCase(), ["prefer_positive"]);
        policy = true;
      },
      servfail: (option) => setup.time(option, setup.one(option), 0, 300),
      disable: () => disable(setup),
      keepttl: (option) => setup.none(option),
    });
    if (policy && !stale) setup.refuse("serve_stale_policy only takes effect with serve_stale");
  }, 1);
}

function prefetch(setup: Setup): void {
  const [amount = "", gap, percentage] = setup.words("prefetch", 1, 3);
  setup.int("prefetch", amount, 0);
  if (gap !== undefined) setup.time("prefetch", gap);
  if (percentage === undefined) return;
  if (!percentage.endsWith("%")) setup.refuse(`prefetch takes a percentage, such as 10% (found ${percentage})`);
  setup.int("the percentage of prefetch", percentage.slice(0, -1), 10, 90);
}

/** Longest wait before a failed upstream is tried again. */
const MAX_RECHECK = 300;

function serveStale(setup: Setup): void {
  const max = setup.since(1, 14, 7) ? 5 : setup.since(1, 14, 4) ? 3 : 2;
  const [age, mode, ...times] = setup.words("serve_stale", 0, max);
  if (age !== undefined) setup.time("serve_stale", age, 0);
  if (mode !== undefined) setup.oneOf("the mode of serve_stale", mode.toLowerCase(), ["immediate", "verify"]);
  const verifies = mode?.toLowerCase() === "verify";
  const read = [
    (text: string) => setup.time("the timeout of serve_stale", text, 0),
    (text: string) => {
      const ttl = setup.time("the TTL of serve_stale", text, 0, 2 ** 32 - 1);
      if (!Number.isNaN(ttl) && !Number.isInteger(ttl))
        setup.refuse(`the TTL of serve_stale takes whole seconds (found ${shown(text)})`);
    },
    (text: string) => setup.time("the recheck of serve_stale", text, 0, MAX_RECHECK),
  ].slice(...(max === 3 ? [0, verifies ? 1 : 0] : [verifies ? 0 : 1]));
  if (times.length > read.length) setup.refuse(`serve_stale takes at most ${read.length + 2} words with ${mode}`);
  for (const [index, text] of times.entries()) read[index]?.(text);
}

function disable(setup: Setup): void {
  const [kind = "", ...zones] = setup.words("disable", 1);
  setup.oneOf("disable", kind, ["success", "denial"]);
  for (const zone of zones)
    if (!isDomainName(zone)) setup.warn(`disable: ${zone} is not a zone, so nothing is kept out of the cache for it`);
}
