import { type Corefile, parseCorefile } from "./model.ts";
import { CorefileSyntaxError } from "./syntax/syntax.ts";

/** What one line of kubernetes answers. */
export interface ClusterZones {
  /** In lower case, without the dot at the end; the root is `.`. */
  readonly zones: readonly string[];
  /** Seconds that an answer may be kept; undefined where the line names none. */
  readonly ttl: number | undefined;
}

/** The zones of each line of kubernetes, which are those of its block where it names none. */
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
 * The domain of a cluster that is not EKS's, as a whole Corefile tells: the first zone of kubernetes that is none of addresses.
 * @returns undefined where nothing tells another one than cluster.local.
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
