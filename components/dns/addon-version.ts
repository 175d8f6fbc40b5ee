import { ADDON_VERSIONS, judgeComponent, parseAddonVersion } from "eks-dns-logging-corefile/addon";
import type { DnsIssue, DnsSettings } from "./settings.ts";

/** The add-on's version: as set, else by Kubernetes version; undefined if that version is unknown. */
export function addonVersion(
  settings: Pick<DnsSettings, "addonVersion">,
  kubernetesVersion: string,
): string | undefined {
  return settings.addonVersion ?? ADDON_VERSIONS[kubernetesVersion];
}

/**
 * Checks the set version against a Kubernetes version. Only EKS knows which versions it offers, and some are newer than its default:
 * a much older version is an error, an older CoreDNS than the default's a warning, and an older build is accepted.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
export function addonVersionIssues(
  { addonVersion: value }: Pick<DnsSettings, "addonVersion">,
  kubernetesVersion: string,
): DnsIssue[] {
  if (value === undefined) return [];
  const { standing, wanted } = judgeComponent("coredns", value, { from: kubernetesVersion, to: kubernetesVersion });
  if (wanted === undefined || (standing !== "before" && standing !== "update")) return [];
  const path = ["addonVersion"];
  if (standing === "before") {
    const message = `must be a version that EKS offers with Kubernetes ${kubernetesVersion}, whose default is ${wanted}; aws eks describe-addon-versions --addon-name coredns --kubernetes-version ${kubernetesVersion} lists them`;
    return [{ path, message, value }];
  }
  if (minorOf(value) === minorOf(wanted)) return [];
  const message = `is an older CoreDNS than that of ${wanted}, EKS's default with Kubernetes ${kubernetesVersion}`;
  return [{ path, message, value, severity: "warning" }];
}

function minorOf(version: string): number | undefined {
  return parseAddonVersion(version)?.coredns[1];
}
