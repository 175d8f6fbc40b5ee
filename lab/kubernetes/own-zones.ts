import { clusterZones, parseCorefile } from "eks-dns-logging-corefile";

/** What a Corefile says about CoreDNS's own answers. */
export interface OwnZones {
  /** Zones of the kubernetes plugin. */
  readonly zones: readonly string[];
  /** TTL of its fresh answers, in seconds. */
  readonly ttl: number;
}

/** CoreDNS's default. @see https://coredns.io/plugins/kubernetes/ */
const DEFAULT_TTL = 5;

/** The zones of all lines of kubernetes; undefined if the text is not a Corefile, or lacks the plugin. */
export function ownZones(corefile: string): OwnZones | undefined {
  try {
    const found = clusterZones(parseCorefile(corefile));
    if (found.length === 0) return undefined;
    // Separate lines for names and addresses usually have the same TTL; the line for names comes first.
    return { zones: found.flatMap(({ zones }) => zones), ttl: found[0]?.ttl ?? DEFAULT_TTL };
  } catch {
    // Without a readable Corefile, explanations are less specific.
  }
  return undefined;
}
