import { type Corefile, hasPlugin, type Plugin, parseCorefile, remembered, type Server, writePlugin } from "./model.ts";
import { dotted, zoneAndPort } from "./syntax/go-values.ts";
import { type Block, hasVariable, ifReadable } from "./syntax/syntax.ts";

/** The cluster domain of every EKS cluster. */
export const CLUSTER_DOMAIN = "cluster.local";

/** Port that resolvers query. */
export const DNS_PORT = 53;
/** Default ports of servers for other protocols, by the scheme in their zone. */
export const PORTS: Readonly<Record<string, number>> = { tls: 853, quic: 853, https: 443, https3: 443, grpc: 443 };

/** A zone of a server block, and its port. */
export interface ServedZone {
  /** Fully qualified and in lower case. */
  readonly zone: string;
  readonly port: number;
}

/**
 * Zones and ports of a server block; `.` and `dns://.:53` are equal. Excludes other transports, and zones with capital letters, which match
 * no name.
 * @see https://github.com/coredns/coredns/issues/6624
 */
export function servedZones(server: Server): readonly ServedZone[] {
  return remembered(SERVED, server, zonesOf);
}

const SERVED = new WeakMap<Server, readonly ServedZone[]>();

function zonesOf(server: Server): readonly ServedZone[] {
  return server.zones.flatMap((text): ServedZone[] => {
    const bare = text.replace(/^dns:\/\//, "");
    if (bare.includes("://")) return [];
    const read = zoneAndPort(bare);
    const [, name = bare, digits] = /^(.*):(\d+)$/.exec(bare) ?? [];
    const { zones, port } = typeof read === "string" ? { zones: [name], port: digits } : read;
    return zones
      .filter((zone) => !hasCapitals(zone))
      .map((zone) => ({ zone: dotted(zone), port: Number(port ?? DNS_PORT) }));
  });
}

/** Whether a block answers for every name on port 53. */
export function servesRoot({ zones }: Block): boolean {
  return zones.some((zone) => /^(dns:\/\/)?\.(:53)?$/.test(zone.toLowerCase()));
}

/** Whether a block answers plain DNS for every name, on any port. */
export function servesRootSomewhere({ zones }: Block): boolean {
  return zones.some((zone) => /^(dns:\/\/)?\.(:\d+)?$/.test(zone.toLowerCase()));
}

/** Whether a block has a `view`, so it only takes queries that match it. */
export function hasView(server: Server): boolean {
  return hasPlugin(server, "view");
}

/** Whether plugins of a block see names that clients did not query. */
export function renames(server: Server): boolean {
  return ["rewrite", "autopath", "dns64"].some((name) => hasPlugin(server, name));
}

/** Whether a block gets queries for names of a zone, which may be a network that means its reverse zones. */
export function reaches(server: Server, zone: string): boolean {
  const served = servedZones(server);
  if (renames(server) || served.length === 0 || hasVariable(zone)) return true;
  const read = zoneAndPort(zone);
  const zones = typeof read === "string" ? [zone] : read.zones;
  return haveCommonNames(
    zones,
    served.map((own) => own.zone),
  );
}

/** Addresses and interfaces that a block listens on; empty if it listens on all. */
export function hostsOf(server: Server): readonly string[] {
  return remembered(HOSTS, server, ({ plugins }) =>
    plugins.flatMap((plugin) => (plugin.plugin === "bind" ? plugin.addresses : [])),
  );
}

const HOSTS = new WeakMap<Server, readonly string[]>();

/** A block, and its zone that contains a name. */
interface Owner {
  readonly server: Server;
  readonly zone: string;
}

/** The blocks that serve any client, without a view, by zone. */
interface Owners {
  /** The first block of each zone, by port and zone. */
  readonly blocks: ReadonlyMap<string, Owner>;
  /** Length of the longest zone, in characters. */
  readonly maxLength: number;
}

const OWNERS = new WeakMap<readonly Server[], Owners>();

function ownersOf(servers: readonly Server[]): Owners {
  const blocks = new Map<string, Owner>();
  let maxLength = 0;
  for (const server of servers.filter((candidate) => !hasView(candidate)))
    for (const { zone, port } of servedZones(server)) {
      const key = `${port} ${zone}`;
      if (!blocks.has(key)) blocks.set(key, { server, zone });
      maxLength = Math.max(maxLength, zone.length);
    }
  return { blocks, maxLength };
}

/** The server block to which CoreDNS routes a name from any client: the one with the longest matching zone on the port, without a view. */
export function serverFor(name: string, port: number, servers: readonly Server[]): Server | undefined {
  return ownerOf(name, port, servers)?.server;
}

function ownerOf(name: string, port: number, servers: readonly Server[]): Owner | undefined {
  const { blocks, maxLength } = remembered(OWNERS, servers, ownersOf);
  for (const zone of zonesAround(name)) {
    const owner = zone.length > maxLength ? undefined : blocks.get(`${port} ${zone}`);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

const ALIKE = new WeakMap<readonly Server[], ReadonlyMap<string, readonly Server[]>>();

/** The blocks with the same listen address, among which CoreDNS chooses. */
function blocksBeside(server: Server, servers: readonly Server[]): readonly Server[] {
  const groups = remembered(ALIKE, servers, (all) => Map.groupBy(all, (block) => String(hostsOf(block))));
  return groups.get(String(hostsOf(server))) ?? [];
}

/**
 * The other block that takes all names of a zone from a block, for any client, because its zone is longer.
 * @returns undefined if the block gets some of them, or has no zone that contains them.
 */
export function takenBy(zone: string, server: Server, servers: readonly Server[]): Server | undefined {
  const served = servedZones(server);
  if (served.some((own) => isWithin(own.zone, zone))) return undefined;
  const alike = blocksBeside(server, servers);
  const owners = served
    .filter((own) => isWithin(zone, own.zone))
    .map((own) => {
      const owner = ownerOf(zone, own.port, alike);
      // A block of the same zone is tried if this block's view does not match.
      return owner !== undefined && owner.zone.length > own.zone.length ? owner.server : undefined;
    });
  return owners.includes(undefined) ? undefined : owners[0];
}

/** Plugins whose line names zones, with the index of the first zone. */
const FIRST_ZONE: Readonly<Record<string, number>> = {
  acl: 0,
  auto: 0,
  etcd: 0,
  file: 1,
  forward: 0,
  hosts: 1,
  k8s_external: 0,
  kubernetes: 0,
  secondary: 0,
  template: 2,
};

/** The zones that a plugin's line names; empty if it applies to the zones of its block. */
export function lineZones(plugin: Plugin): readonly string[] {
  const { name, args } = writePlugin(plugin);
  const first = FIRST_ZONE[name];
  if (first === undefined) return [];
  return args.slice(first, name === "forward" ? 1 : undefined);
}

/** Whether two plugins of a block may both see the same names, by their lines. */
export function shareNames(one: Plugin, other: Plugin): boolean {
  const [zones, others] = [remembered(NAMES, one, namesOf), remembered(NAMES, other, namesOf)];
  if (zones.length === 0 || others.length === 0 || [...zones, ...others].some(isUnread)) return true;
  return haveCommonNames(zones, others);
}

const NAMES = new WeakMap<Plugin, readonly string[]>();

/** Whether two zones have common names: one is in the other. */
export function meets(zone: string, other: string): boolean {
  return isWithin(zone, other) || isWithin(other, zone);
}

/** Whether two lists of zones have common names. */
export function haveCommonNames(zones: readonly string[], others: readonly string[]): boolean {
  return zones.some((zone) => others.some((other) => meets(zone, other)));
}

/** The zones of a line whose names reach its block, or those of the block if the line has none. */
export function zonesOr(words: readonly string[], server: Server): readonly string[] {
  return words.length > 0 ? words.filter((zone) => reaches(server, zone)) : servedZones(server).map(({ zone }) => zone);
}

/** As {@link lineZones}, but for hosts with fallthrough only the names that it has. */
function namesOf(plugin: Plugin): readonly string[] {
  const passesOn = plugin.plugin === "hosts" && plugin.file === undefined && plugin.fallthrough?.length === 0;
  return passesOn ? plugin.entries.flatMap(({ names }) => names) : lineZones(plugin);
}

/** Whether a zone differs from its text: a variable, or a network, which expands to reverse zones. */
function isUnread(zone: string): boolean {
  return hasVariable(zone) || zone.includes("/");
}

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
      return [{ zones: zones.map((zone) => bare(zone.toLowerCase())), ttl: plugin.ttl }];
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
  const lines = ifReadable(() => clusterZones(parseCorefile(text))) ?? [];
  const zones = lines.flatMap((line) => line.zones).filter((zone) => DOMAIN.test(zone) && !/(^|\.)arpa$/.test(zone));
  return zones.some((zone) => `.${CLUSTER_DOMAIN}`.endsWith(`.${zone}`)) ? undefined : zones[0];
}

/** Whether a name is in a zone. */
export function isWithin(name: string, zone: string): boolean {
  const [inner, outer] = [dotted(name), dotted(zone)];
  return outer === "." || inner === outer || inner.endsWith(`.${outer}`);
}

/** A zone without the trailing dot, as messages have it; the root stays a dot. */
export function bare(zone: string): string {
  return zone.replace(/(?<=.)\.$/, "");
}

/** The zones that contain a name, longest first. */
export function* zonesAround(name: string): Generator<string> {
  const whole = dotted(name);
  if (whole !== ".")
    for (let start = 0; start < whole.length; start = whole.indexOf(".", start) + 1) yield whole.slice(start);
  yield ".";
}

/** Whether a text has capital letters, which never match, because CoreDNS lowercases every name. */
export function hasCapitals(text: string): boolean {
  return /[A-Z]/.test(text);
}
