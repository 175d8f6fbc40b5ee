import { coreDnsPods } from "../kubernetes/core-dns-pods.ts";
import { corefileText } from "./corefile-rendering.ts";
import { dnsProfile } from "./profile.ts";
import type { DnsSettings } from "./settings.ts";

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
function defined(values: { readonly [key: string]: unknown }): AddonConfiguration {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Settings under `dns`, by the configuration key that they set. */
const SETTING_OF: Readonly<Record<string, string>> = {
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

/** JSON with sorted keys, so that diffs show real changes. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
