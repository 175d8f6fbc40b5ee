import { type CheckContext, checkCorefile, seconds } from "eks-dns-logging-corefile";
import { ADDON_VERSIONS, parseAddonVersion, rejections } from "eks-dns-logging-corefile/addon";
import { addonConfiguration, settingPath } from "./addon-configuration.ts";
import { corefileText } from "./corefile-rendering.ts";
import { checkNodeLocalCache } from "./node-local-cache/local-issues.ts";
import { checkOptions } from "./option-issues.ts";
import type { DnsIssue, DnsSettings } from "./settings.ts";

const LEAST_TIMEOUT = 20 * 60;

/**
 * What the schema cannot see: settings that the add-on's version rejects, and Corefiles that CoreDNS would refuse or loop with.
 * `kubernetesVersion` is that of the EKS cluster; undefined on an existing cluster, which takes no add-on. CoreDNS `mayHaveRole` for AWS
 * where this stack did not make the cluster.
 */
export function checkDns(
  settings: DnsSettings,
  kubernetesVersion: string | undefined,
  mayHaveRole = false,
): DnsIssue[] {
  const addon = kubernetesVersion === undefined ? [] : addonIssues(settings, kubernetesVersion);
  return [
    ...addon,
    ...corefileIssues(settings, { ...context(settings, kubernetesVersion), mayHaveRole }),
    ...checkNodeLocalCache(settings),
  ];
}

/** The add-on's version: the one that is set, or the one for the Kubernetes version; undefined where there is neither. */
export function addonVersion(
  settings: Pick<DnsSettings, "addonVersion">,
  kubernetesVersion: string,
): string | undefined {
  return settings.addonVersion ?? ADDON_VERSIONS[kubernetesVersion];
}

function addonIssues(settings: DnsSettings, kubernetesVersion: string): DnsIssue[] {
  const version = addonVersion(settings, kubernetesVersion);
  if (version === undefined) {
    const known = Object.keys(ADDON_VERSIONS).join(", ");
    return [
      {
        path: ["addonVersion"],
        message: `must be set for Kubernetes ${kubernetesVersion}, since a default is known for ${known} only`,
      },
    ];
  }
  const rejected = rejections(addonConfiguration(settings), version).map(({ path, message, undecided }): DnsIssue => {
    const at = settingPath(path);
    if (at[0] === "autoscaling" && settings.autoscaling === undefined) {
      return { path: [], message: `clusterSize requires replicas, since ${version} has no autoscaling` };
    }
    return { path: at, message, value: valueAt(settings, at), severity: undecided ? "warning" : "error" };
  });
  const timeouts = Object.entries(settings.timeouts).flatMap(([key, value]): DnsIssue[] =>
    (seconds(value) ?? 0) >= LEAST_TIMEOUT
      ? []
      : [{ path: ["timeouts", key], message: "must be at least 20m, since EKS itself waits that long", value }],
  );
  const domain = settings.corefile.options?.clusterDomain;
  const other: DnsIssue = {
    path: ["corefile", "options", "clusterDomain"],
    message: "must be cluster.local, the only domain that EKS nodes give to pods",
    value: domain,
  };
  const isOther = domain !== undefined && domain.toLowerCase().replace(/\.$/, "") !== "cluster.local";
  return [...rejected, ...timeouts, ...(isOther ? [other] : [])];
}

function valueAt(settings: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((value: unknown, key) => {
    return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }, settings);
}

function context(settings: DnsSettings, kubernetesVersion: string | undefined): CheckContext {
  const version = kubernetesVersion === undefined ? undefined : addonVersion(settings, kubernetesVersion);
  const parsed = version === undefined ? undefined : parseAddonVersion(version);
  const nodeLocal = settings.nodeLocalCache?.address;
  const clusterDomain = settings.corefile.options?.clusterDomain;
  return { clusterDns: settings.clusterDns, clusterDomain, coredns: parsed?.coredns, nodeLocal };
}

function corefileIssues(settings: DnsSettings, checked: CheckContext): DnsIssue[] {
  const { text } = settings.corefile;
  if (text === undefined) return checkOptions(settings, checked);
  return checkCorefile(text, checked).errors.map((message) => ({
    path: ["corefile", "text"],
    message: `CoreDNS cannot run this Corefile: ${message}`,
  }));
}

/** What is worth a look in the Corefile of settings that {@link checkDns} accepts. */
export function dnsWarnings(settings: DnsSettings, kubernetesVersion: string | undefined): readonly string[] {
  return checkCorefile(corefileText(settings), { ...context(settings, kubernetesVersion), mayHaveRole: true }).warnings;
}
