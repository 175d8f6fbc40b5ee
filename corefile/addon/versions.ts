import { isBefore, type Version } from "../releases.ts";
import { addonDefaults } from "./eks-versions.ts";

/**
 * The add-on version for each Kubernetes version, so that two clusters made a month apart run the same CoreDNS. Each was EKS's
 * default for that version when it was looked up.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
export const ADDON_VERSIONS: Readonly<Record<string, string>> = addonDefaults("coredns");

/** An add-on version in its parts. */
export interface AddonVersion {
  /** CoreDNS's own version. */
  readonly coredns: Version;
  /** EKS's build of it. */
  readonly build: number;
}

const VERSION = /^v(\d+)\.(\d+)\.(\d+)-eksbuild\.(\d+)$/;

/** Parts of `v1.13.2-eksbuild.31`; undefined where the text is no add-on version. */
export function parseAddonVersion(text: string): AddonVersion | undefined {
  const parts = VERSION.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [major = 0, minor = 0, patch = 0, build = 0] = parts;
  return { coredns: [major, minor, patch], build };
}

/** Whether CoreDNS's version of an add-on is at least the given one. */
export function isAtLeast(version: AddonVersion, ...wanted: Version): boolean {
  return !isBefore(version.coredns, wanted);
}
