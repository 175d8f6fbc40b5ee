import { hasPlugin, type Server } from "./model.ts";
import release1124 from "./releases/1.12.4.json" with { type: "json" };
import release1132 from "./releases/1.13.2.json" with { type: "json" };
import release1143 from "./releases/1.14.3.json" with { type: "json" };
import release1144 from "./releases/1.14.4.json" with { type: "json" };
import release1145 from "./releases/1.14.5.json" with { type: "json" };
import release1146 from "./releases/1.14.6.json" with { type: "json" };
import release1147 from "./releases/1.14.7.json" with { type: "json" };
import release1150 from "./releases/1.15.0.json" with { type: "json" };

/** A version of CoreDNS: major, minor, patch. */
export type Version = readonly [major: number, minor: number, patch: number];

/** Whether a version is older than another. */
export function isBefore(version: Version, other: Version): boolean {
  const index = version.findIndex((part, place) => part !== other[place]);
  return index !== -1 && (version[index] ?? 0) < (other[index] ?? 0);
}

/** The plugins of a CoreDNS release; `tools/coredns` extracts them from CoreDNS's sources. */
export interface Release {
  readonly version: string;
  /** Day of the release. */
  readonly date: string;
  readonly source: string;
  /** The plugins in the order in which they see a query, each with the options in its braces. */
  readonly plugins: readonly { readonly name: string; readonly options: readonly string[] }[];
}

/** The newest release in an add-on, used for a CoreDNS of unknown version. */
const DEFAULT: Release = release1143;
const NEWEST: Release = release1150;

/** The releases in add-ons and all newer ones, oldest first. */
export const RELEASES: readonly Release[] = [
  release1124,
  release1132,
  DEFAULT,
  release1144,
  release1145,
  release1146,
  release1147,
  NEWEST,
];

export function versionOf(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return [major, minor, patch];
}

/** The release data for a version: its own, else the nearest older, else the oldest. */
export function releaseFor(version: Version | undefined): Release {
  if (version === undefined) return DEFAULT;
  return BY_VERSION.findLast((known) => !isBefore(version, known.version))?.release ?? RELEASES[0] ?? DEFAULT;
}

const BY_VERSION = RELEASES.map((release) => ({ release, version: versionOf(release.version) }));
const NEWEST_VERSION = versionOf(NEWEST.version);

/** Whether a CoreDNS is at least of a version; false if its own version is unknown. */
export function isSince(version: Version | undefined, since: Version): boolean {
  return version !== undefined && !isBefore(version, since);
}

/** Whether zones with capital letters match names. https://github.com/coredns/coredns/pull/8320 */
export function ignoresCase(version: Version | undefined): boolean {
  return isSince(version, [1, 14, 7]);
}

/** Whether a version is newer than every known release. */
export function isNewer(version: Version | undefined): boolean {
  return version !== undefined && isBefore(NEWEST_VERSION, version);
}

/** Position of a plugin in the order of execution; undefined if the release does not have it. */
export function rankOf(plugin: string, release: Release = DEFAULT): number | undefined {
  const index = release.plugins.findIndex(({ name }) => name === plugin);
  return index === -1 ? undefined : index;
}

/** Plugins that decide who answers a query. A reader takes the order of their lines for the order of execution, which is fixed. */
export const DECIDERS: ReadonlySet<string> = new Set(
  `rewrite acl template hosts route53 azure clouddns k8s_external kubernetes file auto secondary etcd forward grpc erratic whoami
  nomad`.split(/\s+/),
);

/** What to write instead of a plugin or option that earlier releases of CoreDNS had. */
interface Removed {
  /** First release without it. */
  readonly version: string;
  /** As an imperative. */
  readonly advice: string;
}

/**
 * Plugins that are still in many Corefiles.
 * @see https://github.com/coredns/coredns/tree/master/notes
 */
const PLUGINS: Readonly<Record<string, Removed>> = {
  federation: { version: "1.7.0", advice: "leave it out" },
  proxy: { version: "1.5.0", advice: "use forward" },
  reverse: { version: "1.2.0", advice: "use template" },
  startup: { version: "1.1.0", advice: "use on startup" },
  shutdown: { version: "1.1.0", advice: "use on shutdown" },
};

const LOOKED_UP: Removed = {
  version: "1.7.0",
  advice: "leave it out, since CoreDNS itself looks up the names of CNAMEs",
};
const TRANSFERRED: Removed = { version: "1.8.0", advice: "use the plugin transfer" };
const RELOADED: Removed = { version: "1.5.0", advice: "write reload 0" };

/** Options, by plugin. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, Removed>>>> = {
  auto: { no_reload: RELOADED, transfer: TRANSFERRED },
  file: { no_reload: RELOADED, transfer: TRANSFERRED },
  kubernetes: {
    resyncperiod: { version: "1.7.0", advice: "leave it out" },
    transfer: TRANSFERRED,
    upstream: LOOKED_UP,
  },
};

/** Why a plugin, or an option of it, is unknown; undefined if no earlier release had it. */
export function removalOf(plugin: string, option?: string): Removed | undefined {
  const known = option === undefined ? PLUGINS : own(OPTIONS, plugin);
  return known === undefined ? undefined : own(known, option ?? plugin);
}

function own<Value>(values: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

/** What changes for a Corefile between two releases of CoreDNS. */
export interface ReleaseChanges {
  readonly from: string;
  readonly to: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Options in braces that are added or removed, as `forward: max_age`. */
  readonly addedOptions: readonly string[];
  readonly removedOptions: readonly string[];
  /** Plugins that move in the order of execution, as `acl: after rewrite (was after dns64)`. */
  readonly moved: readonly string[];
}

/** Compares the release data of two versions. */
export function releaseChanges(before: Version, after: Version): ReleaseChanges {
  const [from, to] = [releaseFor(before), releaseFor(after)];
  return {
    from: from.version,
    to: to.version,
    added: namesOf(to).filter((name) => !namesOf(from).includes(name)),
    removed: namesOf(from).filter((name) => !namesOf(to).includes(name)),
    addedOptions: moreOptions(from, to),
    removedOptions: moreOptions(to, from),
    moved: movedPlugins(from, to),
  };
}

function namesOf({ plugins }: Release): string[] {
  return plugins.map(({ name }) => name);
}

/** Options of plugins in both releases that only the second accepts. */
function moreOptions(first: Release, second: Release): string[] {
  const optionsBefore = new Map(first.plugins.map(({ name, options }) => [name, options]));
  return second.plugins.flatMap(({ name, options }) => {
    const more = options.filter((option) => optionsBefore.get(name)?.includes(option) === false);
    return more.length === 0 ? [] : [`${name}: ${more.join(", ")}`];
  });
}

/** The smallest set of plugins whose removal makes both orders equal. */
function movedPlugins(from: Release, to: Release): string[] {
  const before = namesOf(from).filter((name) => namesOf(to).includes(name));
  const after = namesOf(to).filter((name) => before.includes(name));
  const kept = longestCommon(before, after);
  const behind = (order: readonly string[], name: string) => order[order.indexOf(name) - 1] ?? "no other";
  return after
    .filter((name) => !kept.has(name))
    .map((name) => `${name}: after ${behind(after, name)} (was after ${behind(before, name)})`);
}

/** The longest common subsequence of two orders. */
function longestCommon(one: readonly string[], other: readonly string[]): ReadonlySet<string> {
  const best: string[][] = [];
  for (const [index, name] of other.entries()) {
    const place = one.indexOf(name);
    const earlier = best.slice(0, index).filter((chain) => one.indexOf(chain.at(-1) ?? "") < place);
    const longest = earlier.reduce<string[]>((found, chain) => (chain.length > found.length ? chain : found), []);
    best.push([...longest, name]);
  }
  return new Set(best.reduce<string[]>((found, chain) => (chain.length > found.length ? chain : found), []));
}

/** A change of behavior for a Corefile that both releases accept. */
export interface BehaviorChange {
  /** First release with the change, such as `1.14.2`. */
  readonly version: string;
  readonly change: string;
  readonly source: string;
}

interface ConcernedChange extends BehaviorChange {
  /** Whether it affects a server block. */
  readonly concerns: (server: Server) => boolean;
}

const pull = (number: number) => `https://github.com/coredns/coredns/pull/${number}`;

/** Changes that neither the plugin data nor the Corefile checks show; tests reproduce each with the real CoreDNS. */
const CHANGES: readonly ConcernedChange[] = [
  {
    version: "1.14.0",
    change:
      "the label plugin of coredns_dns_responses_total is the first plugin behind prometheus, such as errors: rules and dashboards that select forward or cache find nothing",
    source: pull(7791),
    concerns: (server) => hasPlugin(server, "prometheus"),
  },
  {
    version: "1.14.2",
    change: "acl matches the rewritten name instead of the one that the client queried",
    source: pull(7882),
    concerns: (server) => hasPlugin(server, "acl") && hasRenames(server),
  },
  {
    version: "1.14.2",
    change:
      "coredns_kubernetes_rest_client_request_duration_seconds and rate_limiter_duration_seconds have no data where the API server streams its lists; requests_total still has",
    source: "https://github.com/coredns/coredns/blob/v1.14.2/plugin/kubernetes/controller.go",
    concerns: measuresKubernetes,
  },
  {
    version: "1.14.3",
    change:
      "coredns_kubernetes_dns_programming_duration_seconds counts Services with a cluster IP too: select service_kind in rules",
    source: pull(7951),
    concerns: measuresKubernetes,
  },
  {
    version: "1.14.5",
    change: "log writes SERVFAIL and flags for a query that no plugin answers, instead of - and -",
    source: pull(8200),
    concerns: (server) => hasPlugin(server, "log"),
  },
  {
    version: "1.14.7",
    change:
      "forward asks its only upstream twice, no longer three times: without an answer it is SERVFAIL after 4 s, and at once where the port is closed; max_connect_attempts 0 has it as before",
    source: pull(8365),
    concerns: hasOnlyUpstream,
  },
];

/** The changes between two versions that affect blocks of a Corefile, oldest first. */
export function behaviorChanges(before: Version, after: Version, servers: readonly Server[]): BehaviorChange[] {
  return CHANGES.filter(({ version, concerns }) => {
    const since = versionOf(version);
    return isBefore(before, since) && isSince(after, since) && servers.some(concerns);
  }).map(({ concerns: _, ...change }) => change);
}

function hasRenames({ plugins }: Server): boolean {
  return plugins.some(({ plugin }) => plugin === "rewrite");
}

function measuresKubernetes(server: Server): boolean {
  return hasPlugin(server, "kubernetes") && hasPlugin(server, "prometheus");
}

function hasOnlyUpstream({ plugins }: Server): boolean {
  return plugins.some(
    (plugin) =>
      plugin.plugin === "forward" &&
      plugin.upstreams.length === 1 &&
      !plugin.more?.some(({ name }) => name === "max_connect_attempts"),
  );
}
