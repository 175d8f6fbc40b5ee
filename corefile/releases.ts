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

/** Whether one version is older than another. */
export function isBefore(version: Version, other: Version): boolean {
  const index = version.findIndex((part, place) => part !== other[place]);
  return index !== -1 && (version[index] ?? 0) < (other[index] ?? 0);
}

/** What a release of CoreDNS was built with; `tools/coredns` makes it from CoreDNS's own sources. */
export interface Release {
  readonly version: string;
  /** Day of the release. */
  readonly date: string;
  readonly source: string;
  /** The plugins in the order in which they see a query, each with the options that it takes in braces. */
  readonly plugins: readonly { readonly name: string; readonly options: readonly string[] }[];
}

/** The newest release that an add-on brings, by which a CoreDNS of no known version is judged. */
const DEFAULT: Release = release1143;
const NEWEST: Release = release1150;

/** The releases that add-ons bring and all that are newer, the oldest first. */
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

/** The release whose data a version is judged by: its own, or the nearest older one, or the oldest. */
export function releaseFor(version: Version | undefined): Release {
  if (version === undefined) return DEFAULT;
  return RELEASES.findLast((release) => !isBefore(version, versionOf(release.version))) ?? RELEASES[0] ?? DEFAULT;
}

/** Whether a CoreDNS does what came with a release that is newer than those of the add-ons; one of no known version does not. */
export function isSince(version: Version | undefined, since: Version): boolean {
  return version !== undefined && !isBefore(version, since);
}

/** Whether a block takes the names of a zone that is written with capital letters. https://github.com/coredns/coredns/pull/8320 */
export function ignoresCase(version: Version | undefined): boolean {
  return isSince(version, [1, 14, 7]);
}

/** Whether a version is newer than every release that is known. */
export function isNewer(version: Version | undefined): boolean {
  return version !== undefined && isBefore(versionOf(NEWEST.version), version);
}

/** Place of a plugin in the order in which they see a query; undefined for one that the release does not have. */
export function rankOf(plugin: string, release: Release = DEFAULT): number | undefined {
  const index = release.plugins.findIndex(({ name }) => name === plugin);
  return index === -1 ? undefined : index;
}

/** Plugins that decide who answers, so that a reader takes the order of their lines for the order in which they are asked. */
export const DECIDERS: ReadonlySet<string> = new Set(
  `rewrite acl template hosts route53 azure clouddns k8s_external kubernetes file auto secondary etcd forward grpc erratic whoami
  nomad`.split(/\s+/),
);

/** What another release of CoreDNS brings for a Corefile. */
export interface ReleaseChanges {
  readonly from: string;
  readonly to: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Options in braces that come or go, as `forward: max_age`. */
  readonly addedOptions: readonly string[];
  readonly removedOptions: readonly string[];
  /** Plugins that see a query at another place, as `acl: after rewrite (was after dns64)`. */
  readonly moved: readonly string[];
}

/** Compares two releases, each the one that a version is judged by. */
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

/** Options that plugins of both releases take in the second alone. */
function moreOptions(first: Release, second: Release): string[] {
  const known = new Map(first.plugins.map(({ name, options }) => [name, options]));
  return second.plugins.flatMap(({ name, options }) => {
    const more = options.filter((option) => known.get(name)?.includes(option) === false);
    return more.length === 0 ? [] : [`${name}: ${more.join(", ")}`];
  });
}

/** The fewest plugins without which both orders are the same. */
function movedPlugins(from: Release, to: Release): string[] {
  const before = namesOf(from).filter((name) => namesOf(to).includes(name));
  const after = namesOf(to).filter((name) => before.includes(name));
  const kept = longestCommon(before, after);
  const behind = (order: readonly string[], name: string) => order[order.indexOf(name) - 1] ?? "no other";
  return after
    .filter((name) => !kept.has(name))
    .map((name) => `${name}: after ${behind(after, name)} (was after ${behind(before, name)})`);
}

/** The longest sequence that both orders of the same names have. */
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
