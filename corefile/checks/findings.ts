import { pluginName, type Server } from "../model.ts";
import type { Version } from "../releases.ts";
import { zoneAndPort } from "../syntax/go-values.ts";

/** The cluster domain of every EKS cluster. */
export const CLUSTER_DOMAIN = "cluster.local";

export const DNS_PORT = 53;

/** Where the Corefile will run. */
export interface CheckContext {
  /** Addresses of the Service kube-dns; forwarding to them is a loop. Empty if unknown. Default: EKS's own two. */
  readonly clusterDns?: readonly string[] | undefined;
  /** Seconds until the pod is killed. Default 30, which the add-on uses. */
  readonly terminationGrace?: number | undefined;
  /** CoreDNS's version, if it comes from the EKS add-on. Default: the newest with known plugins, in pods with unknown files. */
  readonly coredns?: Version | undefined;
  /** Whether it runs in the add-on's pods, whose files and environment are known. Default: whether `coredns` is set. */
  readonly isAddon?: boolean | undefined;
  /** Target port of the Service for queries. Default 53, as in the add-on. */
  readonly port?: number | undefined;
  /** The cluster domain. Default cluster.local, the only one on EKS. */
  readonly clusterDomain?: string | undefined;
  /**
   * Whether the cluster's owner may have given CoreDNS's service account an IAM role.
   * @default false
   */
  readonly mayHaveRole?: boolean | undefined;
  /** Address of the stack's NodeLocal DNSCache; forwarding to it is a loop too. */
  readonly nodeLocal?: string | undefined;
}

/** Problems of a Corefile, each one sentence with its reason. */
export interface CorefileFindings {
  /** CoreDNS would not start, would be killed by its probes, or would not answer. */
  readonly errors: readonly string[];
  /** CoreDNS runs, but not as the text suggests, or worse than it could. */
  readonly warnings: readonly string[];
}

/** Collects findings, each with the server block it concerns. */
export class Findings {
  readonly errors: string[] = [];
  readonly warnings: string[] = [];

  error(server: Server, message: string): void {
    this.errors.push(`${server.zones.join(" ")}: ${message}`);
  }

  warn(server: Server, message: string): void {
    this.warnings.push(`${server.zones.join(" ")}: ${message}`);
  }
}

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

/** Memoizes a function of an object: each line of a Corefile may ask for the zones of each block. */
export function remembered<Key extends object, Value>(
  known: WeakMap<Key, Value>,
  key: Key,
  compute: (key: Key) => Value,
): Value {
  const found = known.get(key) ?? compute(key);
  known.set(key, found);
  return found;
}

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

/** Whether a text has capital letters, which never match, because CoreDNS lowercases every name. */
export function hasCapitals(text: string): boolean {
  return /[A-Z]/.test(text);
}

export function hasPlugin(server: Server, name: string): boolean {
  return remembered(PLUGINS, server, ({ plugins }) => new Set(plugins.map(pluginName))).has(name);
}

const PLUGINS = new WeakMap<Server, ReadonlySet<string>>();

/** Whether a block has a `view`, so it only takes queries that match it. */
export function hasView(server: Server): boolean {
  return hasPlugin(server, "view");
}

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
  for (const server of servers.filter((one) => !hasView(one)))
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

/** The zones that contain a name, longest first. */
export function* zonesAround(name: string): Generator<string> {
  const whole = dotted(name);
  if (whole !== ".")
    for (let start = 0; start < whole.length; start = whole.indexOf(".", start) + 1) yield whole.slice(start);
  yield ".";
}

const ALIKE = new WeakMap<readonly Server[], ReadonlyMap<string, readonly Server[]>>();

/** The blocks with the same listen address, among which CoreDNS chooses. */
function blocksBeside(server: Server, servers: readonly Server[]): readonly Server[] {
  const groups = remembered(ALIKE, servers, (all) => Map.groupBy(all, (one) => String(hostsOf(one))));
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

/** Whether plugins of a block see names that clients did not query. */
export function renames(server: Server): boolean {
  return ["rewrite", "autopath", "dns64"].some((name) => hasPlugin(server, name));
}

/** Addresses and interfaces that a block listens on; empty if it listens on all. */
export function hostsOf(server: Server): readonly string[] {
  return server.plugins.flatMap((plugin) => (plugin.plugin === "bind" ? plugin.addresses : []));
}

/** Whether a name is in a zone. */
export function isWithin(name: string, zone: string): boolean {
  const [inner, outer] = [dotted(name), dotted(zone)];
  return outer === "." || inner === outer || inner.endsWith(`.${outer}`);
}

export function dotted(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower : `${lower}.`;
}

/** A zone for a message, without the trailing dot; the root stays a dot. */
export function bare(zone: string): string {
  return zone.replace(/(?<=.)\.$/, "");
}
