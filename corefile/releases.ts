import release1124 from "./releases/1.12.4.json" with { type: "json" };
import release1132 from "./releases/1.13.2.json" with { type: "json" };
import release1143 from "./releases/1.14.3.json" with { type: "json" };

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

/** The releases that add-ons bring, the oldest first. */
export const RELEASES: readonly Release[] = [release1124, release1132, release1143];

const NEWEST: Release = release1143;

export function versionOf(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return [major, minor, patch];
}

/** The release whose data a version is judged by: its own, or the nearest older one, or the oldest. */
export function releaseFor(version: Version | undefined): Release {
  if (version === undefined) return NEWEST;
  return RELEASES.findLast((release) => !isBefore(version, versionOf(release.version))) ?? RELEASES[0] ?? NEWEST;
}

/** Whether a version is newer than every release that is known. */
export function isNewer(version: Version | undefined): boolean {
  return version !== undefined && isBefore(versionOf(NEWEST.version), version);
}

/** Place of a plugin in the order in which they see a query; undefined for one that the release does not have. */
export function rankOf(plugin: string, release: Release = NEWEST): number | undefined {
  const index = release.plugins.findIndex(({ name }) => name === plugin);
  return index === -1 ? undefined : index;
}

/** Plugins that decide who answers, so that a reader takes the order of their lines for the order in which they are asked. */
export const DECIDERS: ReadonlySet<string> = new Set(
  `rewrite acl template hosts route53 azure clouddns k8s_external kubernetes file auto secondary etcd forward grpc erratic whoami
  nomad`.split(/\s+/),
);
