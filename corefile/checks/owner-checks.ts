import { type Server, writePlugin } from "../model.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { bare, type Findings, renames, takenBy } from "./findings.ts";

/** Plugins whose line names zones, and where the first of them stands. */
const FIRST_ZONE: Readonly<Record<string, number>> = {
  acl: 0,
  auto: 0,
  etcd: 0,
  file: 1,
  forward: 0,
  k8s_external: 0,
  secondary: 0,
  template: 2,
};

/** Names that a line of a block is for, and which another block takes: CoreDNS gives a query to the block of the longest zone. */
export function checkOwners(server: Server, servers: readonly Server[], findings: Findings): void {
  if (renames(server)) return;
  for (const plugin of server.plugins) {
    if (plugin.plugin === "hosts") checkHosts(server, servers, plugin.entries, findings);
    const { name, args } = writePlugin(plugin);
    const first = FIRST_ZONE[name];
    if (first === undefined) continue;
    const zones = args.slice(first, name === "forward" ? 1 : undefined).filter((zone) => !hasVariable(zone));
    for (const zone of zones) {
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
