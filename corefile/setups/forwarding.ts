import { hostAndPort, integer, isAddress, isDomainName, RCODES, unsigned } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Setup, shown, zonesOf } from "./setup.ts";

const MAX_UPSTREAMS = 15;
const POLICIES = ["random", "round_robin", "sequential"];
const TRANSPORTS = /^(dns|tls|quic|grpc|https3|https|unix):\/\/(.*)$/s;
/** Files that hold name servers, as `forward` reads them. */
const RESOLV_CONF = "/etc/resolv.conf";

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/forward/setup.go */
export function forward(setup: Setup): void {
  const limit = () => setup.int("max_concurrent", setup.word("max_concurrent"), 0);
  setup.lines(() => {
    const upstreams = fromAndTo(setup);
    let serverName: string | undefined;
    let [age, expire] = [0, 10];
    setup.block({
      ...shared(setup, (name) => {
        serverName = name;
      }),
      max_fails: () => count(setup, "max_fails"),
      max_connect_attempts: () => count(setup, "max_connect_attempts"),
      health_check: () => healthCheck(setup),
      force_tcp: () => setup.noWord("force_tcp"),
      prefer_udp: () => setup.noWord("prefer_udp"),
      expire: () => {
        expire = setup.time("expire", setup.word("expire"), 0);
      },
      max_age: () => {
        age = setup.time("max_age", setup.word("max_age"), 0);
      },
      max_idle_conns: () => setup.int("max_idle_conns", setup.word("max_idle_conns"), 0),
      max_concurrent: limit,
      next: () => codes(setup, "next"),
      failover: () => {
        const words = codes(setup, "failover");
        if (words.some((word) => word.toUpperCase() === "NOERROR")) setup.refuse("failover does not take NOERROR");
      },
      failfast_all_unhealthy_upstreams: () => setup.words("failfast_all_unhealthy_upstreams", 0, 0),
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

/** The domain and the upstreams of a line. */
function fromAndTo(setup: Setup): readonly string[] {
  if (!setup.nextArgument()) setup.refuse("takes a domain and at least one upstream, such as . /etc/resolv.conf");
  const from = setup.value;
  if (!hasVariable(from) && zonesOf(from).length === 0) setup.refuse(`${shown(from)} is not a domain`);
  if (zonesOf(from).length > 1)
    setup.warn(`${from} is several reverse zones, and CoreDNS uses only ${zonesOf(from)[0]}`);
  const upstreams = setup.remaining();
  if (upstreams.length === 0) setup.refuse(`${from} takes at least one upstream`);
  for (const upstream of upstreams) if (!hasVariable(upstream)) checkUpstream(setup, upstream);
  return upstreams;
}

const FORMS = "an IP address with an optional port (10.0.0.2, 10.0.0.2:5353, [fd00::2]:53), tls://ADDRESS, or a file";

function checkUpstream(setup: Setup, upstream: string): void {
  const [, scheme = "dns", rest = upstream] = TRANSPORTS.exec(upstream) ?? [];
  if (scheme === "https3" && !setup.since(1, 13, 0)) setup.refuse(`an upstream is ${FORMS} (found ${shown(upstream)})`);
  if (rest === "") setup.refuse(`an upstream is ${FORMS} (found ${shown(upstream)})`);
  if (scheme === "unix") return;
  const parts = hostAndPort(rest);
  const host = parts?.host ?? (setup.since(1, 14, 0) ? rest.replace(/^[[\]]+|[[\]]+$/g, "") : rest);
  const bare = host.includes("%") ? host.slice(0, host.lastIndexOf("%")) : host;
  if (isAddress(bare)) return;
  const file = parts === undefined ? host : rest;
  if (file === RESOLV_CONF) return;
  if (file.startsWith("/")) setup.needFile(file, "file");
  else setup.refuse(`an upstream is ${FORMS} (found ${shown(upstream)}); names are not looked up`);
}

function checkTransport(setup: Setup, upstream: string, serverName: string | undefined): void {
  const [, scheme = "dns", rest = ""] = TRANSPORTS.exec(upstream) ?? [];
  if (scheme === "https3") setup.warn(`${upstream}: forward does not speak https3, though CoreDNS starts`);
  else if (scheme !== "dns" && scheme !== "tls") setup.refuse(`does not speak ${scheme} (found ${shown(upstream)})`);
  const own = /%([^:\]]+)/.exec(rest)?.[1];
  if (scheme === "tls" && setup.since(1, 13, 0) && own !== undefined && serverName !== undefined)
    setup.refuse(`${upstream} names the server as tls_servername does, and CoreDNS takes one of both`);
}

/** Options that forward and grpc share. */
function shared(setup: Setup, named: (name: string) => void = () => {}): Readonly<Record<string, () => void>> {
  return {
    except: () => setup.zones(setup.words("except", 1)),
    tls: () => setup.tlsFiles("tls", setup.remaining()),
    tls_servername: () => named(setup.word("tls_servername")),
    policy: () => setup.oneOf("policy", setup.word("policy"), POLICIES),
  };
}

function count(setup: Setup, option: string): void {
  const text = setup.word(option);
  if (!hasVariable(text) && unsigned(text, 32) === undefined)
    setup.refuse(`${option} takes an integer from 0 (found ${shown(text)})`);
}

function codes(setup: Setup, option: string): readonly string[] {
  const words = setup.words(option, 1);
  for (const word of words)
    if (!hasVariable(word) && !RCODES.has(word.toUpperCase()))
      setup.refuse(`${option} takes response codes, such as NXDOMAIN (found ${shown(word)})`);
  return words;
}

function healthCheck(setup: Setup): void {
  setup.time("health_check", setup.word("health_check"), 0);
  while (setup.nextArgument()) {
    const word = setup.value;
    if (word === "domain") {
      const domain = setup.word("domain of health_check");
      if (!hasVariable(domain) && !isDomainName(domain))
        setup.refuse(`domain of health_check takes a domain (found ${shown(domain)})`);
    } else if (word !== "no_rec")
      setup.refuse(`health_check takes no_rec and domain NAME after the duration (found ${shown(word)})`);
  }
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/transfer/setup.go */
export function transfer(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    let targets = 0;
    setup.block({
      to: () => {
        for (const word of setup.words("to", 1)) if (word !== "*") checkHost(setup, "to", word);
        targets += 1;
      },
    });
    if (targets === 0) setup.refuse("takes at least one line `to`");
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/secondary/setup.go */
export function secondary(setup: Setup): void {
  setup.lines(() => {
    if (setup.value !== "secondary") return;
    setup.zones(setup.remaining());
    let transfers = 0;
    setup.block({
      transfer: () => {
        setup.oneOf("transfer", setup.word("transfer"), ["from"]);
        for (const word of setup.words("transfer from", 1)) {
          if (word === "*") setup.refuse("transfer from takes addresses (found *)");
          checkHost(setup, "transfer from", word);
        }
        transfers += 1;
      },
    });
    if (transfers === 0) setup.refuse("takes at least one line `transfer from`");
  });
}

function checkHost(setup: Setup, option: string, text: string): void {
  if (hasVariable(text)) return;
  if (!isAddress(hostAndPort(text)?.host ?? text))
    setup.refuse(`${option} takes an IP address with an optional port (found ${shown(text)})`);
}

/** What CoreDNS keeps at most of an answer with a longer time. */
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
    setup.block({
      success: side("success"),
      denial: side("denial"),
      prefetch: () => prefetch(setup),
      serve_stale: () => serveStale(setup),
      servfail: () => setup.time("servfail", setup.words("servfail", 1, 1)[0] ?? "", 0, 300),
      disable: () => disable(setup),
      keepttl: () => setup.words("keepttl", 0, 0),
    });
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

function serveStale(setup: Setup): void {
  const [age, mode] = setup.words("serve_stale", 0, 2);
  if (age !== undefined) setup.time("serve_stale", age, 0);
  if (mode !== undefined) setup.oneOf("the mode of serve_stale", mode.toLowerCase(), ["immediate", "verify"]);
}

function disable(setup: Setup): void {
  const [kind = "", ...zones] = setup.words("disable", 1);
  setup.oneOf("disable", kind, ["success", "denial"]);
  for (const zone of zones)
    if (!isDomainName(zone)) setup.warn(`disable: ${zone} is not a zone, so nothing is kept out of the cache for it`);
}
