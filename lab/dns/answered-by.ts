import { parseCorefile } from "eks-dns-logging-corefile";
import type { Answer } from "./message.ts";

/** What CoreDNS's Corefile says about the answers that it makes itself. */
export interface OwnZones {
  /** Zones of the kubernetes plugin. */
  readonly zones: readonly string[];
  /** Seconds that its fresh answers have. */
  readonly ttl: number;
}

/** CoreDNS's own. @see https://coredns.io/plugins/kubernetes/ */
const DEFAULT_TTL = 5;

/** The kubernetes plugin's zones and time to live; undefined where the text is no Corefile, or has no such plugin. */
export function ownZones(corefile: string): OwnZones | undefined {
  try {
    for (const server of parseCorefile(corefile).servers) {
      for (const plugin of server.plugins) {
        if (plugin.plugin !== "kubernetes") continue;
        return { zones: plugin.zones.length > 0 ? plugin.zones : server.zones, ttl: plugin.ttl ?? DEFAULT_TTL };
      }
    }
  } catch {
    // Someone else's Corefile, or none: then less can be told.
  }
  return undefined;
}

/**
 * Who gave an answer, as far as the server tells. CoreDNS does not name its plugins, but its cache counts the time to live down,
 * sets AA on whatever it holds, and passes RA on from the upstream. Within its first second a cached answer of the kubernetes
 * plugin looks like a fresh one.
 * @see https://github.com/coredns/coredns/blob/master/plugin/cache/item.go
 */
export function answeredBy(name: string, answer: Answer | undefined, own: OwnZones | undefined): string {
  if (answer === undefined) return "nobody";
  if (own === undefined) return answer.authoritative ? "a server of that zone, or a cache" : "a resolver";
  const failed = answer.code === "SERVFAIL" || answer.code === "REFUSED";
  if (isWithin(name, own.zones)) {
    if (answer.ttl !== undefined && answer.ttl < own.ttl) return `cache, ${answer.ttl} s left`;
    return failed && answer.authoritative ? "cache" : "kubernetes";
  }
  if (failed) return answer.authoritative ? "cached failure" : "upstream, failed";
  if (!answer.authoritative) return "upstream";
  return answer.recursion ? `cache${answer.ttl === undefined ? "" : `, ${answer.ttl} s left`}` : "CoreDNS itself";
}

function isWithin(name: string, zones: readonly string[]): boolean {
  const asked = `.${name.toLowerCase().replace(/\.$/, "")}`;
  return zones.some((zone) => asked.endsWith(`.${zone.toLowerCase().replace(/\.$/, "")}`));
}
