import { isBefore, type Version } from "../releases.ts";
import data from "./eks-versions.json" with { type: "json" };

/** How EKS handles a change of a cluster's Kubernetes version. */
export interface VersionStep {
  readonly from: string;
  readonly to: string;
  /** `refused`: EKS rejects the step, for {@link VersionStep.reason}. */
  readonly kind: "none" | "upgrade" | "rollback" | "refused";
  /** Why it is refused and what to do instead, in one sentence; else empty. */
  readonly reason: string;
}

/**
 * Classifies a change of the Kubernetes version.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html
 */
export function versionStep(from: string, to: string): VersionStep {
  const [before, after] = [minorOf(from), minorOf(to)];
  const refused = (reason: string): VersionStep => ({ from, to, kind: "refused", reason });
  if (before === undefined || after === undefined) {
    const wrong = before === undefined ? from : to;
    return refused(`"${wrong}" is not a Kubernetes version: use one such as 1.36`);
  }
  if (after > before + 1)
    return refused(
      `EKS refuses ${from} → ${to}, since it upgrades one minor version at a time: upgrade to 1.${before + 1} first`,
    );
  if (after < before - 1)
    return refused(`EKS refuses ${from} → ${to}, since it rolls back one minor version only: create a new cluster`);
  if (after === before) return { from, to, kind: "none", reason: "" };
  return { from, to, kind: after > before ? "upgrade" : "rollback", reason: "" };
}

/** Why this release cannot plan an upgrade to a version; undefined if it can. */
export function unknownVersion(version: string): string | undefined {
  const versions = knownVersions();
  if (versions.includes(version)) return undefined;
  if (minorOf(version) === undefined)
    return `"${version}" is not a Kubernetes version: use one of ${versions.join(", ")}`;
  return `Kubernetes ${version} is not among the versions known on ${LOOKED_UP} (${versions.join(", ")}): update eks-dns-logging, or run npm run versions`;
}

/** A part of a cluster with its own version. */
export type Component = "kubelet" | AddonName;

/**
 * How a component stands to a step.
 * - `default`: EKS's default version with the target; of a kubelet, the target itself.
 * - `compatible`: the skew rules allow it, and there is no newer default.
 * - `update`: the skew rules allow it with the target; update it after the control plane.
 * - `before`: change it before the control plane.
 * - `newer`: newer than the default that was looked up; EKS says whether it offers it.
 * - `unknown`: no version, or no default is known for the target.
 */
export type Standing = "default" | "compatible" | "update" | "before" | "newer" | "unknown";

/** The verdict on a component's version. */
export interface ComponentVerdict {
  readonly component: Component;
  readonly version: string;
  readonly standing: Standing;
  /** The version for after the step; undefined if unknown. */
  readonly wanted: string | undefined;
  /** The reason, in one sentence. */
  readonly reason: string;
}

/** Minor versions that a kubelet and kube-proxy may lag behind the API server. @see https://kubernetes.io/releases/version-skew-policy/ */
const MAX_SKEW = 3;
/** Older versions of vpc-cni cannot be updated to v1.12.0 or later in one step. */
const VPC_CNI_STEP: Version = [1, 7, 0];
/** AWS advises to update older versions of vpc-cni before the cluster. */
const VPC_CNI_FIRST: Version = [1, 8, 0];
/** Minor versions that CoreDNS may lag behind EKS's default. EKS lists the last two or three, and not always the same number. */
const MAX_COREDNS_BEHIND = 3;

/**
 * Checks a component's version for a step.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-vpc-cni.html
 */
export function judgeComponent(
  component: Component,
  version: string,
  step: Pick<VersionStep, "from" | "to">,
): ComponentVerdict {
  const wanted = component === "kubelet" ? step.to : addonDefaults(component)[step.to];
  const [standing, reason] = judge(component, version, step, wanted);
  return { component, version, standing, wanted, reason };
}

type Judgment = readonly [standing: Standing, reason: string];

function judge(
  component: Component,
  version: string,
  step: Pick<VersionStep, "from" | "to">,
  wanted: string | undefined,
): Judgment {
  const found = partsOf(version);
  if (found === undefined) return ["unknown", `${component} has no version that can be read`];
  if (component === "kubelet" || component === "kube-proxy") {
    const skew = skewIssue(component, found, step);
    if (skew !== undefined) return ["before", skew];
  }
  if (component === "kubelet") return kubelet(found, step);
  if (component === "vpc-cni") {
    const old = vpcCniIssue(found);
    if (old !== undefined) return ["before", old];
  }
  if (version === wanted) return ["default", `EKS's default with ${step.to} on ${LOOKED_UP}`];
  const target = wanted === undefined ? undefined : partsOf(wanted);
  if (target === undefined) return ["unknown", `no default is known with ${step.to}; ${offeredBy(component, step.to)}`];
  const order = compare(found, target);
  if (order > 0) return ["newer", `newer than the default with ${step.to}; ${offeredBy(component, step.to)}`];
  if (order === 0) return ["compatible", `the default's version with ${step.to}`];
  if (component === "coredns" && target[1] - found[1] > MAX_COREDNS_BEHIND)
    return [
      "before",
      `${target[1] - found[1]} minor versions older than EKS's default ${wanted} with ${step.to}: update it first`,
    ];
  return ["update", behind(component, found, target)];
}

function skewIssue(component: string, [, minor]: Parts, { to }: Pick<VersionStep, "to">): string | undefined {
  const target = minorOf(to) ?? 0;
  if (minor > target) return `${component} must not be newer than the control plane: change it to ${to} first`;
  if (target - minor > MAX_SKEW)
    return `${component} may be at most ${MAX_SKEW} minor versions older than the control plane: update it first`;
  return undefined;
}

function kubelet([, minor]: Parts, { from, to }: Pick<VersionStep, "from" | "to">): Judgment {
  if (minor === minorOf(to)) return ["default", "the control plane's version"];
  if (minor < (minorOf(from) ?? 0))
    return ["before", `EKS updates the control plane only once managed nodes are at ${from}`];
  return ["update", `nodes follow the control plane to ${to}`];
}

function vpcCniIssue(found: Parts): string | undefined {
  if (compare(found, [...VPC_CNI_STEP, 0]) < 0)
    return "v1.12.0 and later require v1.7.0 first: update vpc-cni one minor version at a time";
  if (compare(found, [...VPC_CNI_FIRST, 0]) < 0)
    return "vpc-cni before v1.8.0 should be updated before the control plane";
  return undefined;
}

function behind(component: Component, found: Parts, target: Parts): string {
  if (component === "vpc-cni" && target[1] - found[1] > 1)
    return `${target[1] - found[1]} minor versions behind: AWS recommends one at a time`;
  if (component !== "coredns") return "older than the default";
  return [0, 1, 2].every((place) => found[place] === target[place])
    ? "an older build of the same CoreDNS"
    : "an older CoreDNS than the default's";
}

function offeredBy(component: string, version: string): string {
  return `see aws eks describe-addon-versions --addon-name ${component} --kubernetes-version ${version}`;
}

/** Major, minor, patch and EKS's build; 0 if absent. */
type Parts = readonly [number, number, number, number];

/** Parses `v1.35.3-eksbuild.29`, `v1.35.3-eks-3025e55`, `v1.35.3-minimal-eksbuild.2` and `1.35`. */
function partsOf(version: string): Parts | undefined {
  const found = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(version);
  if (found === null) return undefined;
  const [, major, minor, patch = 0] = found;
  return [Number(major), Number(minor), Number(patch), Number(/eksbuild\.(\d+)$/.exec(version)?.[1] ?? 0)];
}

function compare(one: Parts, other: Parts): number {
  const index = one.findIndex((part, place) => part !== other[place]);
  return index === -1 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}

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
