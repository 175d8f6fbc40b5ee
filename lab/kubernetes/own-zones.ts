import { parseCorefile } from "eks-dns-logging-corefile";

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
