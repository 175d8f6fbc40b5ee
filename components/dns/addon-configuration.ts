import { coreDnsPods } from "../kubernetes/core-dns-pods.ts";
import { corefileText } from "./corefile-rendering.ts";
import { dnsProfile } from "./profile.ts";
import type { DnsSettings } from "./settings.ts";

/** The add-on's `configurationValues` as an object. */
export interface AddonConfiguration {
  readonly [key: string]: unknown;
}

/**
 * The add-on's configuration. A key that the settings leave out is left out here, since EKS merges the values with the add-on's
 * defaults; an empty list takes a default away.
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

/** Without the keys that have no value: EKS rejects null. */
function defined(values: { readonly [key: string]: unknown }): AddonConfiguration {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Keys of the configuration, and the settings under `dns` that they come from. */
const SETTING_OF: Readonly<Record<string, string>> = {
  autoScaling: "autoscaling",
  replicaCount: "replicas",
  topologySpreadConstraints: "topologySpread",
};

/** A path in the configuration as the path of the setting that it comes from. */
export function settingPath(path: readonly (string | number)[]): (string | number)[] {
  const [key, ...rest] = path;
  if (key === undefined) return [];
  return [SETTING_OF[key] ?? key, ...rest];
}

/** JSON with sorted keys, so that a diff is a change. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
