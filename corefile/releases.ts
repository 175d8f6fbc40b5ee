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
