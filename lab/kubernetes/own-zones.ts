import { clusterZones, parseCorefile } from "eks-dns-logging-corefile";

/** What CoreDNS's Corefile says about the answers that it makes itself. */
export interface OwnZones {
  /** Zones of the kubernetes plugin. */
  readonly zones: readonly string[];
  /** Seconds that its fresh answers have. */
  readonly ttl: number;
}

/** CoreDNS's own. @see https://coredns.io/plugins/kubernetes/ */
const DEFAULT_TTL = 5;

/** The zones of all lines of kubernetes; undefined where the text is no Corefile, or has no such plugin. */
export function ownZones(corefile: string): OwnZones | undefined {
  try {
    const found = clusterZones(parseCorefile(corefile));
    if (found.length === 0) return undefined;
    // Lines of their own for names and addresses have the same time in most cases; that of names is the first.
    return { zones: found.flatMap(({ zones }) => zones), ttl: found[0]?.ttl ?? DEFAULT_TTL };
  } catch {
    // Someone else's Corefile, or none: then less can be told.
  }
  return undefined;
}
