import { type Corefile, parseCorefile } from "./model.ts";
import { CorefileSyntaxError } from "./syntax/syntax.ts";

/** The zones and TTL of one line of kubernetes. */
export interface ClusterZones {
  /** In lower case, without the trailing dot; the root is `.`. */
  readonly zones: readonly string[];
  /** TTL of its answers in seconds; undefined if the line sets none. */
  readonly ttl: number | undefined;
}

/** The zones of each line of kubernetes; without zones of its own it has those of its block. */
export function clusterZones({ servers }: Corefile): readonly ClusterZones[] {
  return servers.flatMap((server) =>
    server.plugins.flatMap((plugin) => {
      if (plugin.plugin !== "kubernetes") return [];
      const zones = plugin.zones.length > 0 ? plugin.zones : server.zones.map(withoutPort);
      return [{ zones: zones.map((zone) => zone.toLowerCase().replace(/(?<=.)\.$/, "")), ttl: plugin.ttl }];
    }),
  );
}

function withoutPort(zone: string): string {
  return zone.replace(/^[a-z0-9]+:\/\//i, "").replace(/:\d+$/, "");
}

const DOMAIN = /^[a-z0-9_]([-a-z0-9_.]*[a-z0-9_])?$/;

/**
 * The cluster domain of a complete Corefile, for clusters outside EKS: the first zone of kubernetes that is not a reverse zone.
 * @returns undefined if it is cluster.local or unknown.
 */
export function domainOf(text: string): string | undefined {
  const zones = zonesIn(text).filter((zone) => DOMAIN.test(zone) && !/(^|\.)arpa$/.test(zone));
  return zones.some((zone) => ".cluster.local".endsWith(`.${zone}`)) ? undefined : zones[0];
}

function zonesIn(text: string): readonly string[] {
  try {
    return clusterZones(parseCorefile(text)).flatMap(({ zones }) => zones);
  } catch (error) {
    if (error instanceof CorefileSyntaxError) return [];
    throw error;
  }
}
