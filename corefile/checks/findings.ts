import { pluginName, type Server } from "../model.ts";
import type { Version } from "../releases.ts";
import { zoneAndPort } from "../syntax/go-values.ts";

/** The domain of every cluster of EKS. */
export const CLUSTER_DOMAIN = "cluster.local";

export const DNS_PORT = 53;

/** What is known of where the Corefile will run. */
export interface CheckContext {
  /** Addresses of the Service kube-dns: to forward there is a loop. None: they are not known. Default: EKS's own two. */
  readonly clusterDns?: readonly string[] | undefined;
  /** Seconds until the pod is killed. Default 30, which the add-on fixes. */
  readonly terminationGrace?: number | undefined;
  /** CoreDNS's version, where the EKS add-on brings it. Default: the newest whose plugins are known, in pods of unknown files. */
  readonly coredns?: Version | undefined;
  /** Whether it runs in the add-on's pods, whose files and environment are known. Default: where `coredns` is set. */
  readonly isAddon?: boolean | undefined;
  /** The cluster's domain. Default cluster.local, the only one on EKS. */
  readonly clusterDomain?: string | undefined;
  /**
   * Whether the service account of CoreDNS may have a role for a cloud, from the owner of the cluster.
   * @default false
   */
  readonly mayHaveRole?: boolean | undefined;
  /** Address of NodeLocal DNSCache, where the stack makes it: to forward there is a loop too. */
  readonly nodeLocal?: string | undefined;
}

/** What is wrong with a Corefile, each in one sentence that says why. */
export interface CorefileFindings {
  /** CoreDNS would not start, would be killed by its probes, or would not answer. */
  readonly errors: readonly string[];
  /** CoreDNS runs, but not as the text suggests, or worse than it could. */
  readonly warnings: readonly string[];
}

/** Collects findings, each with the server block it is about. */
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

/** A zone of a server block, and the port that it is served on. */
export interface ServedZone {
  /** Fully qualified and in lower case. */
  readonly zone: string;
  readonly port: number;
}

/**
 * Zones and ports of a server block; `.` and `dns://.:53` are the same. Other transports are left out, and zones with capital
 * letters, which no name is in.
 * @see https://github.com/coredns/coredns/issues/6624
 */
export function servedZones(server: Server): readonly ServedZone[] {
  return remembered(SERVED, server, zonesOf);
}

const SERVED = new WeakMap<Server, readonly ServedZone[]>();

/** What is computed of an object once: each line of a Corefile may ask for the zones of each block. */
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

/** Whether a word has letters that CoreDNS, which lowers every name, never finds in one. */
export function hasCapitals(text: string): boolean {
  return /[A-Z]/.test(text);
}

export function hasPlugin(server: Server, name: string): boolean {
  return remembered(PLUGINS, server, ({ plugins }) => new Set(plugins.map(pluginName))).has(name);
}

const PLUGINS = new WeakMap<Server, ReadonlySet<string>>();

/** Whether a block takes only the queries for which its `view` holds. */
export function hasView(server: Server): boolean {
  return hasPlugin(server, "view");
}

/** A block, and the zone of it that a name is in. */
interface Owner {
  readonly server: Server;
  readonly zone: string;
}

/** The blocks by the zones that they serve to anyone, without a view. */
interface Owners {
  /** The first block of each zone, by port and zone. */
  readonly blocks: ReadonlyMap<string, Owner>;
  /** Of a zone, in characters. */
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

/** The server block that CoreDNS gives a name to, for anyone who asks: that of the longest zone on the port, without a view. */
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

/** The zones that a name {@link isWithin}, longest first. */
export function* zonesAround(name: string): Generator<string> {
  const whole = dotted(name);
  if (whole !== ".")
    for (let start = 0; start < whole.length; start = whole.indexOf(".", start) + 1) yield whole.slice(start);
  yield ".";
}

const ALIKE = new WeakMap<readonly Server[], ReadonlyMap<string, readonly Server[]>>();

/** The blocks that listen where one does, which alone may take names from it. */
function blocksBeside(server: Server, servers: readonly Server[]): readonly Server[] {
  const groups = remembered(ALIKE, servers, (all) => Map.groupBy(all, (one) => String(hostsOf(one))));
  return groups.get(String(hostsOf(server))) ?? [];
}

/**
 * The other block that takes all names of a zone from a block, for any client: that of a longer zone.
 * @returns undefined where some of them come to the block, or none for lack of its own zone.
 */
export function takenBy(zone: string, server: Server, servers: readonly Server[]): Server | undefined {
  const served = servedZones(server);
  if (served.some((own) => isWithin(own.zone, zone))) return undefined;
  const alike = blocksBeside(server, servers);
  const owners = served
    .filter((own) => isWithin(zone, own.zone))
    .map((own) => {
      const owner = ownerOf(zone, own.port, alike);
      // One of the same zone is asked where the view of this one does not hold.
      return owner !== undefined && owner.zone.length > own.zone.length ? owner.server : undefined;
    });
  return owners.includes(undefined) ? undefined : owners[0];
}

/** Whether plugins of a block see names that nobody asked it for. */
export function renames(server: Server): boolean {
  return ["rewrite", "autopath", "dns64"].some((name) => hasPlugin(server, name));
}

/** Addresses and interfaces that a block listens on; none where it listens on all. */
export function hostsOf(server: Server): readonly string[] {
  return server.plugins.flatMap((plugin) => (plugin.plugin === "bind" ? plugin.addresses : []));
}

/** Whether a name is a zone or below it. */
export function isWithin(name: string, zone: string): boolean {
  const [inner, outer] = [dotted(name), dotted(zone)];
  return outer === "." || inner === outer || inner.endsWith(`.${outer}`);
}

export function dotted(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower : `${lower}.`;
}

/** A zone as a message shows it; the root stays a dot. */
export function bare(zone: string): string {
  return zone.replace(/(?<=.)\.$/, "");
}
