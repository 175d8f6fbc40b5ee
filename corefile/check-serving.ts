import type { CheckContext, Findings } from "./check.ts";
import { seconds } from "./duration.ts";
import { type Plugin, pluginName, type Server } from "./model.ts";
import type { RewritePlugin } from "./plugins/rewrite.ts";
import { isBefore } from "./version.ts";

const TERMINATION_GRACE = 30;
/** What CoreDNS needs after its lame duck to close connections. */
const SHUTDOWN_RESERVE = 5;
/** Ports of the add-on's probes, and what follows when nobody answers there. */
const PROBES = [
  { plugin: "health", port: ":8080", consequence: "Kubernetes restarts the pod again and again" },
  { plugin: "ready", port: ":8181", consequence: "the pod gets no queries" },
] as const;

/** What it costs where the block for all names does not have a plugin. */
const WANTED: readonly (readonly [name: string, why: string])[] = [
  ["errors", "errors are not logged"],
  ["forward", "names outside the cluster get no answer"],
  ["cache", "every query goes to its source"],
  ["loop", "a loop through the upstreams is not noticed until memory is used up"],
];

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
  }
  if (root !== undefined && !hasFileImport(root)) {
    for (const [name, why] of WANTED) if (!hasPlugin(root, name)) findings.warn(root, `no ${name}: ${why}`);
  }
  if (!hasImports && !servers.some(hasFileImport)) checkProcess(servers, findings);
  for (const server of servers) {
    for (const plugin of server.plugins) checkPlugin(server, plugin, context, findings);
  }
}

/** What one block does for the whole process, whichever it is. */
function checkProcess(servers: readonly Server[], findings: Findings): void {
  if (!servers.some((server) => hasPlugin(server, "kubernetes"))) {
    findings.errors.push("no kubernetes: the cluster's own names get no answer");
  }
  if (!servers.some((server) => hasPlugin(server, "reload"))) {
    findings.warnings.push("no reload: a changed Corefile is taken over at the next restart only");
  }
  const plugins = servers.flatMap((server) => server.plugins);
  for (const { plugin: name, port, consequence } of PROBES) {
    const addresses = plugins.flatMap((plugin) =>
      (plugin.plugin === "health" || plugin.plugin === "ready") && plugin.plugin === name
        ? [plugin.address ?? port]
        : [],
    );
    if (addresses.includes(port)) continue;
    const what = addresses.length === 0 ? `no ${name}` : `${name} elsewhere`;
    findings.errors.push(`${what}: the add-on's probe asks it on ${port}, and ${consequence}`);
  }
}

function hasPlugin(server: Server, name: string): boolean {
  return server.plugins.some((plugin) => pluginName(plugin) === name);
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

function checkPlugin(server: Server, plugin: Plugin, context: CheckContext, findings: Findings): void {
  switch (plugin.plugin) {
    case "health":
      checkLameduck(server, plugin.lameduck, context.terminationGrace ?? TERMINATION_GRACE, findings);
      break;
    case "autopath":
      checkAutopath(server, plugin.source, findings);
      break;
    case "prometheus":
      if (/^(localhost|127\.|\[::1\])/.test(plugin.address ?? "localhost")) {
        findings.warn(
          server,
          "prometheus listens on localhost, where no collector reaches it; the Service names :9153",
        );
      }
      break;
    case "rewrite":
      checkRewrite(server, plugin, findings);
      break;
    case "multisocket":
      if (context.coredns !== undefined && isBefore(context.coredns, MULTISOCKET_SINCE)) {
        const [since, version] = [MULTISOCKET_SINCE, context.coredns].map((parts) => parts.join("."));
        findings.error(server, `multisocket: CoreDNS has it from ${since}, and this is ${version}`);
      }
      break;
  }
}

const MULTISOCKET_SINCE = [1, 12, 0] as const;

function checkAutopath(server: Server, source: string, findings: Findings): void {
  if (source === "@kubernetes") {
    if (watchesPods(server)) return;
    findings.warn(
      server,
      "autopath has no effect without `pods verified` in kubernetes: it cannot tell a client's namespace",
    );
  } else if (source.startsWith("@") && !hasPlugin(server, source.slice(1))) {
    findings.warn(server, `autopath ${source} has no effect: this block has no plugin ${source.slice(1)}`);
  }
}

function checkRewrite(server: Server, { match, from, answer }: RewritePlugin, findings: Findings): void {
  if (match !== "exact" && answer === undefined) {
    findings.warn(server, `rewrite ${from}: without \`answer auto\` many resolvers reject the answer's other name`);
  }
  if ((match === "prefix" || match === "substring") && /^[^.]*$|-$/.test(from)) {
    findings.warn(
      server,
      `rewrite ${match} ${from}: CoreDNS puts a dot behind it, so that it fits whole labels only; a part of a label needs a regex`,
    );
  }
}

function checkLameduck(server: Server, lameduck: string | undefined, grace: number, findings: Findings): void {
  const most = grace - SHUTDOWN_RESERVE;
  if (lameduck === undefined || (seconds(lameduck) ?? 0) <= most) return;
  findings.error(server, `lameduck ${lameduck}: at most ${most}s, since the pod is killed after ${grace}s`);
}

function watchesPods(server: Server): boolean {
  return server.plugins.some((plugin) => plugin.plugin === "kubernetes" && plugin.pods === "verified");
}
