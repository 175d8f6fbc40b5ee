import type { CheckContext, Findings } from "./check.ts";
import { seconds } from "./duration.ts";
import { type Plugin, pluginName, type Server } from "./model.ts";

const TERMINATION_GRACE = 30;
/** What CoreDNS needs after its lame duck to close connections. */
const SHUTDOWN_RESERVE = 5;
const PROBES = { health: 8080, ready: 8181 } as const;

/** What missing plugins cost in the server for all names. */
const WANTED: readonly (readonly [name: string, why: string])[] = [
  ["errors", "errors are not logged"],
  ["kubernetes", "the cluster's own names get no answer"],
  ["forward", "names outside the cluster get no answer"],
  ["cache", "every query goes to its source"],
  ["loop", "a loop through the upstreams is not noticed until memory is used up"],
  ["reload", "a changed Corefile is taken over at the next restart only"],
];
/** Without these DNS is down, not worse. */
const VITAL: ReadonlySet<string> = new Set(["kubernetes", "forward"]);

/** Checks that need all servers: who answers for what, and whether the pod's probes find an answer. */
export function checkServing(
  servers: readonly Server[],
  hasImports: boolean,
  context: CheckContext,
  findings: Findings,
): void {
  checkZones(servers, findings);
  const root = servers.find((server) => server.zones.some((zone) => zoneAndPort(zone) === ".:53"));
  if (root === undefined && !hasImports) {
    findings.errors.push("no block for .:53: names outside the other blocks are refused");
  } else if (root !== undefined && !hasFileImport(root)) {
    for (const [name, why] of WANTED) {
      if (root.plugins.some((plugin) => pluginName(plugin) === name)) continue;
      if (VITAL.has(name)) findings.error(root, `no ${name}: ${why}`);
      else findings.warn(root, `no ${name}: ${why}`);
    }
  }
  if (!hasImports && !servers.some(hasFileImport)) checkProbes(servers, findings);
  for (const server of servers) {
    for (const plugin of server.plugins) checkPlugin(server, plugin, context, findings);
  }
}

function hasFileImport(server: Server): boolean {
  return server.plugins.some((plugin) => pluginName(plugin) === "import");
}

/** `.` and `dns://.:53` as `.:53`. */
function zoneAndPort(zone: string): string {
  const bare = zone.toLowerCase().replace(/^dns:\/\//, "");
  const [, name = bare, port = "53"] = /^(.*):(\d+)$/.exec(bare) ?? [];
  const dotted = name.endsWith(".") || name.includes("/") ? name : `${name}.`;
  return `${dotted}:${port}`;
}

function checkZones(servers: readonly Server[], findings: Findings): void {
  const seen = new Set<string>();
  for (const server of servers) {
    // Blocks on different addresses, or told apart by a view, may share a zone.
    if (server.plugins.some((plugin) => ["bind", "view"].includes(pluginName(plugin)))) continue;
    for (const zone of server.zones.map(zoneAndPort)) {
      if (seen.has(zone)) findings.error(server, `${zone} has a block already, and CoreDNS does not start`);
      seen.add(zone);
    }
  }
}

/** The add-on's probes are fixed: one answer from any block is enough. */
function checkProbes(servers: readonly Server[], findings: Findings): void {
  const plugins = servers.flatMap((server) => server.plugins);
  for (const [name, port] of Object.entries(PROBES)) {
    const found = plugins.filter((plugin) => plugin.plugin === name);
    const answers = found.some((plugin) => "address" in plugin && (plugin.address ?? `:${port}`) === `:${port}`);
    if (answers) continue;
    const consequence = name === "health" ? "Kubernetes restarts the pod again and again" : "the pod gets no queries";
    findings.errors.push(
      `${found.length === 0 ? `no ${name}` : `${name} elsewhere`}: the add-on's probe asks it on :${port}, and ${consequence}`,
    );
  }
}

function checkPlugin(server: Server, plugin: Plugin, context: CheckContext, findings: Findings): void {
  if (plugin.plugin === "health" && plugin.lameduck !== undefined) {
    const grace = context.terminationGrace ?? TERMINATION_GRACE;
    if ((seconds(plugin.lameduck) ?? 0) > grace - SHUTDOWN_RESERVE) {
      findings.error(
        server,
        `lameduck ${plugin.lameduck}: at most ${grace - SHUTDOWN_RESERVE}s, since the pod is killed after ${grace}s`,
      );
    }
  }
  if (plugin.plugin === "autopath" && plugin.source === "@kubernetes") {
    const kubernetes = server.plugins.find((other) => other.plugin === "kubernetes");
    if (kubernetes?.plugin !== "kubernetes" || kubernetes.pods !== "verified") {
      findings.warn(
        server,
        "autopath has no effect without `pods verified` in kubernetes: it cannot tell a client's namespace",
      );
    }
  }
  if (plugin.plugin === "prometheus" && (plugin.address ?? "localhost").startsWith("localhost")) {
    findings.warn(
      server,
      "prometheus listens on localhost, where no collector reaches it; :9153 is what the Service names",
    );
  }
  if (plugin.plugin === "rewrite" && plugin.match !== "exact" && plugin.answer === undefined) {
    findings.warn(
      server,
      `rewrite ${plugin.from}: without \`answer auto\` many resolvers reject the answer's other name`,
    );
  }
  const [major, minor] = context.coredns ?? [1, 99];
  if (plugin.plugin === "multisocket" && major === 1 && minor < 12) {
    findings.error(server, `multisocket: CoreDNS has it from 1.12.0, and this is 1.${minor}`);
  }
}
