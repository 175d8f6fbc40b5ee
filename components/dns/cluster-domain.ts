import { CorefileSyntaxError, parseCorefile } from "eks-dns-logging-corefile";
import type { CorefileSettings } from "./corefile-settings.ts";

const DOMAIN = /^[a-z0-9_]([-a-z0-9_.]*[a-z0-9_])?$/;

/**
 * The domain of a cluster that is not EKS's, as its Corefile tells: the option, or in a whole text the first zone of kubernetes that is
 * none of addresses.
 * @returns undefined where nothing tells another one than cluster.local.
 */
export function domainOf({ options, text }: CorefileSettings): string | undefined {
  if (text === undefined) return options?.clusterDomain;
  const zones = zonesOf(text)
    .map((zone) => zone.toLowerCase().replace(/\.$/, ""))
    .filter((zone) => DOMAIN.test(zone) && !/(^|\.)arpa$/.test(zone));
  return zones.some((zone) => ".cluster.local".endsWith(`.${zone}`)) ? undefined : zones[0];
}

function zonesOf(text: string): readonly string[] {
  try {
    const { servers } = parseCorefile(text);
    return servers.flatMap((server) =>
      server.plugins.flatMap((plugin) =>
        plugin.plugin !== "kubernetes" ? [] : plugin.zones.length > 0 ? plugin.zones : server.zones.map(withoutPort),
      ),
    );
  } catch (error) {
    if (error instanceof CorefileSyntaxError) return [];
    throw error;
  }
}

function withoutPort(zone: string): string {
  return zone.replace(/^dns:\/\//, "").replace(/:\d+$/, "");
}
