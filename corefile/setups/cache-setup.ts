import { integer, isDomainName } from "../go-values.ts";
import type { Setup } from "../setup.ts";

/** What CoreDNS keeps at most of an answer with a longer time. */
const MAX_TTL = 3600;

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/cache/setup.go */
export function cache(setup: Setup): void {
  const side = (name: string) => () => {
    const [capacity = "", ttl, least] = setup.words(name, 1);
    setup.int(name, capacity);
    if (ttl !== undefined) setup.int(`the TTL of ${name}`, ttl, 1);
    if (ttl !== undefined && least !== undefined) setup.int(`the shortest TTL of ${name}`, least, 0);
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

export { MAX_TTL as MAX_CACHE_TTL };
