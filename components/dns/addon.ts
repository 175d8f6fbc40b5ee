import { CLUSTER_DOMAIN, seconds } from "eks-dns-logging-corefile";
import {
  ADDON_VERSIONS,
  judgeComponent,
  parseAddonVersion,
  possibleRejections,
  rejections,
} from "eks-dns-logging-corefile/addon";
import { coreDnsPods } from "../kubernetes/labels.ts";
import { valueAt } from "../schema/errors.ts";
import { corefileText } from "./corefile-rendering.ts";
import { requiredNodes } from "./pod-settings.ts";
import { dnsProfile } from "./profile.ts";
import type { DnsIssue, DnsSettings } from "./settings.ts";

/** The add-on's `configurationValues` as an object. */
export interface AddonConfiguration {
  readonly [key: string]: unknown;
}

/**
 * The add-on's configuration. Keys without a setting are omitted, since EKS merges the values with the add-on's defaults; an empty list
 * removes a default.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/coredns-add-on-create.html
 */
export function addonConfiguration(settings: DnsSettings): AddonConfiguration {
  const profile = dnsProfile(settings);
  return defined({
    affinity: settings.affinity,
    annotationTopologyMode: settings.topologyMode,
    autoScaling: profile.autoscaling && defined({ enabled: true, ...profile.autoscaling }),
    computeType: settings.computeType,
    corefile: corefileText(settings),
    nodeSelector: settings.nodeSelector,
    podAnnotations: settings.podAnnotations,
    podDisruptionBudget: settings.podDisruptionBudget,
    podLabels: settings.podLabels,
    replicaCount: profile.replicas,
    resources: resources(settings, profile.memoryLimit),
    tolerations: settings.tolerations,
    topologySpreadConstraints: settings.topologySpread?.map((constraint) => ({
      ...constraint,
      labelSelector: { matchLabels: coreDnsPods(settings).labels },
    })),
  });
}

function resources(
  { resources: chosen }: DnsSettings,
  memoryLimit: string | undefined,
): AddonConfiguration | undefined {
  const limits = defined({ ...chosen?.limits, memory: memoryLimit });
  const requests = defined({ ...chosen?.requests });
  const parts = Object.entries({ limits, requests }).filter(([, values]) => Object.keys(values).length > 0);
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

/** Drops undefined values: EKS rejects null. */
export function defined(values: { readonly [key: string]: unknown }): AddonConfiguration {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** JSON with sorted keys, so that diffs show real changes. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** The add-on's version: as set, else by Kubernetes version; undefined if that version is unknown. */
export function addonVersion(
  settings: Pick<DnsSettings, "addonVersion">,
  kubernetesVersion: string,
): string | undefined {
  return settings.addonVersion ?? ADDON_VERSIONS[kubernetesVersion];
}

/** Placeholder for a Kubernetes version that is looked up during deployment. */
export const LOOKED_UP_VERSION = "looked up";

const MIN_TIMEOUT = 20 * 60;

/** Settings that the add-on's version rejects; if that is looked up, those that possible versions reject. */
export function addonIssues(settings: DnsSettings, kubernetesVersion: string): DnsIssue[] {
  const version = addonVersion(settings, kubernetesVersion);
  if (version === undefined && kubernetesVersion !== LOOKED_UP_VERSION) {
    const versions = Object.keys(ADDON_VERSIONS).join(", ");
    return [
      {
        path: ["addonVersion"],
        message: `must be set for Kubernetes ${kubernetesVersion}, since a default is known for ${versions} only`,
      },
    ];
  }
  const configuration = addonConfiguration(settings);
  const found = version === undefined ? possibleRejections(configuration) : rejections(configuration, version);
  const rejected = found.map(({ path, message, undecided }): DnsIssue => {
    const setting = settingPath(path);
    if (setting[0] === "autoscaling" && settings.autoscaling === undefined) {
      return {
        path: [],
        message: `clusterSize requires replicas, since ${version ?? "the add-on"} has no autoscaling`,
      };
    }
    return { path: setting, message, value: valueAt(settings, setting), severity: undecided ? "warning" : "error" };
  });
  const timeouts = Object.entries(settings.timeouts).flatMap(([key, value]): DnsIssue[] =>
    (seconds(value) ?? 0) >= MIN_TIMEOUT
      ? []
      : [{ path: ["timeouts", key], message: "must be at least 20m, since EKS itself waits that long", value }],
  );
  const domain = settings.corefile.options?.clusterDomain;
  const domainIssue: DnsIssue = {
    path: ["corefile", "options", "clusterDomain"],
    message: "must be cluster.local, the only domain that EKS nodes give to pods",
    value: domain,
  };
  const isOtherDomain = domain !== undefined && domain.toLowerCase().replace(/\.$/, "") !== CLUSTER_DOMAIN;
  return [
    ...addonVersionIssues(settings, kubernetesVersion),
    ...rejected,
    ...timeouts,
    ...impossibleNodes(settings),
    ...unusedBudget(settings),
    ...(isOtherDomain ? [domainIssue] : []),
  ];
}

/** A limit of a disruption budget that is not created. */
function unusedBudget({ podDisruptionBudget }: DnsSettings): DnsIssue[] {
  const { enabled, ...limits } = podDisruptionBudget ?? { enabled: true };
  if (enabled) return [];
  const message = "has no effect while enabled is false";
  return Object.entries(limits).map(([key, value]) => ({
    path: ["podDisruptionBudget", key],
    message,
    value,
    severity: "warning",
  }));
}

/** Values of these labels on nodes that run CoreDNS, by the end of the key. @see https://kubernetes.io/docs/reference/labels-annotations-taints/ */
const PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/os": ["linux"],
  "kubernetes.io/arch": ["amd64", "arm64"],
};

/** Operating systems and processors for which the add-on has no image: its pods would stay pending. */
function impossibleNodes({ nodeSelector = {}, affinity }: DnsSettings): DnsIssue[] {
  const selected = Object.entries(nodeSelector).map(([key, value]) => ({
    path: ["nodeSelector", key],
    key,
    values: [value],
    value,
  }));
  const required = requiredNodes(affinity).map((term) => ({ ...term, value: term.values }));
  return [...selected, ...required].flatMap(({ path, key, values, value }): DnsIssue[] => {
    const possible = PLATFORMS[key.replace(/^beta\./, "")];
    if (possible === undefined || values.some((each) => possible.includes(each))) return [];
    const message = `must be ${possible.join(" or ")}, or no node runs CoreDNS and its add-on fails after 20 minutes`;
    return [{ path, message, value }];
  });
}

/**
 * Checks the set version against a Kubernetes version. Only EKS knows which versions it offers, and some are newer than its default:
 * a much older version is an error, an older CoreDNS than the default's a warning, and an older build is accepted.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
function addonVersionIssues(
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

/** Settings under `dns`, by the configuration key that they set. */
const SETTING_OF: Readonly<Record<string, string>> = {
  annotationTopologyMode: "topologyMode",
  autoScaling: "autoscaling",
  replicaCount: "replicas",
  topologySpreadConstraints: "topologySpread",
};

/** Maps a path in the configuration to the path of its setting. */
export function settingPath(path: readonly (string | number)[]): (string | number)[] {
  const [key, ...rest] = path;
  if (key === undefined) return [];
  return [SETTING_OF[key] ?? key, ...rest];
}
