import { isBefore, type Version } from "../releases.ts";
import data from "./eks-versions.json" with { type: "json" };

/** EKS add-ons whose versions depend on the Kubernetes version. */
const ADDONS = ["coredns", "vpc-cni", "kube-proxy", "eks-pod-identity-agent"] as const;
export type AddonName = (typeof ADDONS)[number];

/** EKS's data about a Kubernetes version. */
interface EksVersion {
  /** Last day of standard support, as YYYY-MM-DD. */
  readonly standardSupportEnds: string;
  /** EKS's default version of each add-on on the day of the lookup. */
  readonly addons?: Readonly<Partial<Record<AddonName, string>>>;
}

const VERSIONS: Readonly<Record<string, EksVersion>> = data.versions;

/** Day on which {@link VERSIONS} was looked up, as YYYY-MM-DD. */
export const LOOKED_UP: string = data.lookedUp;

/** Age in days at which the data is stale: EKS releases a Kubernetes version about every 120 days. */
export const STALE_AFTER_DAYS = 180;

/** A warning if the data is stale on a day; else undefined. */
export function ageWarning(day: string): string | undefined {
  const age = daysBetween(LOOKED_UP, day);
  if (age <= STALE_AFTER_DAYS) return undefined;
  return `Kubernetes and add-on versions were looked up on ${LOOKED_UP}, ${age} days ago: update eks-dns-logging`;
}

/** Add-ons with versions in the data. */
export function addonNames(): readonly AddonName[] {
  return ADDONS;
}

/** Kubernetes versions in the data, oldest first. */
export function knownVersions(): readonly string[] {
  return Object.keys(VERSIONS);
}

/** Support status of a version on a day. */
export interface Support {
  /** Last day of standard support; undefined if unknown. */
  readonly ends: string | undefined;
  /** Days left, 0 on the last day; negative after it. */
  readonly daysLeft: number;
  /** Whether no newer version is known. */
  readonly isNewest: boolean;
}

/**
 * Standard support of a Kubernetes version on a day; undefined if the text is not a version such as `1.36`. For a version newer than the
 * data it never ends, for an older one it ended long ago.
 */
export function supportOf(version: string, day: string): Support | undefined {
  const minor = minorOf(version);
  if (minor === undefined) return undefined;
  const ends = VERSIONS[version]?.standardSupportEnds;
  const minors = Object.keys(VERSIONS).map((version) => minorOf(version) ?? 0);
  const isNewest = minor >= Math.max(...minors);
  if (ends === undefined)
    return { ends, daysLeft: isNewest ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY, isNewest };
  return { ends, daysLeft: daysBetween(day, ends), isNewest };
}

/** Default version of an add-on by Kubernetes version, oldest first. */
export function addonDefaults(addon: AddonName): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(VERSIONS).flatMap(([version, { addons }]) => {
      const ofAddon = addons?.[addon];
      return ofAddon === undefined ? [] : [[version, ofAddon]];
    }),
  );
}

/** Minor number of `1.36`; undefined if the text is not such a version. */
export function minorOf(version: string): number | undefined {
  const minor = /^1\.(0|[1-9]\d*)$/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Days between two dates, each as YYYY-MM-DD. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/**
 * The add-on version for each Kubernetes version, pinned so that clusters created a month apart run the same CoreDNS. Each was EKS's
 * default at the time of the lookup.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
export const ADDON_VERSIONS: Readonly<Record<string, string>> = addonDefaults("coredns");

/** The parts of an add-on version. */
export interface AddonVersion {
  /** CoreDNS's own version. */
  readonly coredns: Version;
  /** EKS's build of it. */
  readonly build: number;
}

const VERSION = /^v(\d+)\.(\d+)\.(\d+)-eksbuild\.(\d+)$/;

/** Parses `v1.13.2-eksbuild.31`; undefined if the text is not an add-on version. */
export function parseAddonVersion(text: string): AddonVersion | undefined {
  const parts = VERSION.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [major = 0, minor = 0, patch = 0, build = 0] = parts;
  return { coredns: [major, minor, patch], build };
}

/** Whether an add-on's CoreDNS version is at least the given one. */
export function isAtLeast(version: AddonVersion, ...wanted: Version): boolean {
  return !isBefore(version.coredns, wanted);
}
