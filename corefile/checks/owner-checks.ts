import { pluginName, type Server } from "../model.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { bare, type Findings, renames, takenBy } from "./findings.ts";
import { lineZones } from "./line-zones.ts";

/** Plugins whose zones other checks handle. */
const CHECKED_ELSEWHERE: readonly string[] = ["hosts", "kubernetes"];

/** Names in a block's line that another block owns: CoreDNS routes a query to the block with the longest matching zone. */
export function checkOwners(server: Server, servers: readonly Server[], findings: Findings): void {
  if (renames(server)) return;
  for (const plugin of server.plugins) {
    if (plugin.plugin === "hosts") checkHosts(server, servers, plugin.entries, findings);
    const name = pluginName(plugin);
    if (CHECKED_ELSEWHERE.includes(name)) continue;
    for (const zone of lineZones(plugin).filter((one) => !hasVariable(one))) {
      const owner = takenBy(zone, server, servers);
      if (owner !== undefined)
        findings.warn(
          server,
          `${name} ${bare(zone)} is never used: the block for ${owner.zones.join(" ")} takes these names; move the line there`,
        );
    }
  }
}

function checkHosts(
  server: Server,
  servers: readonly Server[],
  entries: readonly { readonly names: readonly string[] }[],
  findings: Findings,
): void {
  for (const name of new Set(entries.flatMap((entry) => entry.names))) {
    const owner = takenBy(name, server, servers);
    if (owner !== undefined)
      findings.warn(
        server,
        `hosts ${name}: is never queried here, since the block for ${owner.zones.join(" ")} takes this name; move the line there`,
      );
  }
}
