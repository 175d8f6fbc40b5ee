import type { DnsSettings } from "./settings.ts";
import {
  cacheCapacity,
  DEFAULT_CAPACITY,
  DEFAULT_MEMORY_LIMIT,
  DEFAULT_REPLICAS,
  DEFAULT_UPSTREAM_LOAD,
  expectedReplicas,
  MAX_REPLICAS,
  maxConcurrent,
  memoryNeed,
  nameMemory,
  TUNED_CAPACITY,
} from "./sizing.ts";

/** One line of the profile, as the plan shows it. */
export interface ProfileRow {
  /** Path of the setting under `dns`. */
  readonly setting: string;
  readonly value: string;
  /** Why this value, with the figure behind it. */
  readonly reason: string;
}

/** What the settings come to, once profile and cluster size have filled what they leave open. */
export interface DnsProfile {
  readonly replicas: number | undefined;
  readonly autoscaling: { readonly minReplicas: number; readonly maxReplicas: number | undefined } | undefined;
  /** As Kubernetes writes it, such as `170Mi`; undefined where the add-on's own holds. */
  readonly memoryLimit: string | undefined;
  /** Answers of each kind that are kept; undefined where CoreDNS's own 9984 hold. */
  readonly cache: { readonly success: number | undefined; readonly denial: number | undefined };
  readonly maxConcurrent: number | undefined;
  readonly autopath: boolean;
  /** Every choice with its reason. */
  readonly rows: readonly ProfileRow[];
}

type Choice<T> = { readonly value: T; readonly row: ProfileRow };

/** Fills what the settings leave open. What they set wins, and its row says so. */
export function dnsProfile(settings: DnsSettings): DnsProfile {
  const options = settings.corefile.options;
  const own = settings.corefile.text !== undefined;
  const autopath = !own && (options?.autopath ?? false);
  const scale = scaling(settings);
  const success = capacity(settings, "success");
  const denial = capacity(settings, "denial");
  const waiting = concurrency(settings);
  const memory = memoryLimit(settings, autopath, success.value, denial.value, waiting.value);
  return {
    replicas: scale.value.replicas,
    autoscaling: scale.value.autoscaling,
    memoryLimit: memory.value,
    cache: { success: success.value, denial: denial.value },
    maxConcurrent: waiting.value,
    autopath,
    rows: [
      scale.row,
      memory.row,
      ...(own ? [] : [success.row, denial.row, waiting.row, autopathRow(settings, autopath)]),
    ],
  };
}

function choice<T>(setting: string, value: T, shown: string, reason: string): Choice<T> {
  return { value, row: { setting, value: shown, reason } };
}

function scaling({
  replicas,
  autoscaling,
  clusterSize,
}: DnsSettings): Choice<Pick<DnsProfile, "replicas" | "autoscaling">> {
  if (autoscaling !== undefined) {
    const { minReplicas, maxReplicas } = autoscaling;
    const shown = `${minReplicas} to ${maxReplicas ?? "the add-on's own limit"}`;
    return choice("autoscaling", { replicas: undefined, autoscaling: { minReplicas, maxReplicas } }, shown, "set");
  }
  if (replicas !== undefined || clusterSize === undefined) {
    const value = replicas ?? DEFAULT_REPLICAS;
    const reason = replicas === undefined ? "the add-on's default, since clusterSize is not set" : "set";
    return choice("replicas", { replicas: value, autoscaling: undefined }, String(value), reason);
  }
  const expected = expectedReplicas(clusterSize);
  const bounds = { minReplicas: DEFAULT_REPLICAS, maxReplicas: Math.min(MAX_REPLICAS, Math.max(4, 2 * expected)) };
  return choice(
    "autoscaling",
    { replicas: undefined, autoscaling: bounds },
    `${bounds.minReplicas} to ${bounds.maxReplicas}`,
    `the autoscaler reaches max(nodes / 16, cores / 256) = ${expected} at this size; twice that leaves room to grow`,
  );
}

function capacity(settings: DnsSettings, side: "success" | "denial"): Choice<number | undefined> {
  const { options, profile, text } = settings.corefile;
  const setting = `corefile.options.cache.${side}.capacity`;
  const set = text === undefined ? options?.cache?.[side]?.capacity : undefined;
  if (set !== undefined) return choice(setting, set, String(set), "set");
  const size = settings.clusterSize;
  const sized = text === undefined && size !== undefined ? cacheCapacity(size) : DEFAULT_CAPACITY;
  const tuned = text === undefined && profile === "tuned" && side === "success";
  if (tuned && sized <= TUNED_CAPACITY) {
    const reason = "measured with 15,000 names: 33 % go upstream (the minimum) instead of 71 %; + 4 MB";
    return choice(setting, TUNED_CAPACITY, String(TUNED_CAPACITY), reason);
  }
  if (sized > DEFAULT_CAPACITY) {
    return choice(
      setting,
      sized,
      String(sized),
      "2 × (pods + services): A and AAAA of each Service, and one name per pod",
    );
  }
  return choice(setting, undefined, String(DEFAULT_CAPACITY), "CoreDNS's default, enough for this size");
}

function concurrency({ corefile }: DnsSettings): Choice<number | undefined> {
  const setting = "corefile.options.forward.maxConcurrent";
  const set = corefile.options?.forward?.maxConcurrent;
  if (set !== undefined) return choice(setting, set, String(set), "set");
  if (corefile.text !== undefined || corefile.profile !== "tuned") {
    const reason = "the add-on's default: 2,000 waiting queries take 80 MB of the 170";
    return choice(setting, undefined, "no limit", reason);
  }
  const load = corefile.upstreamLoad ?? DEFAULT_UPSTREAM_LOAD;
  const value = maxConcurrent(load);
  return choice(setting, value, String(value), `rate × delay: ${load.queriesPerSecond} queries/s × ${load.delay}`);
}

function memoryLimit(
  settings: DnsSettings,
  autopath: boolean,
  success: number | undefined,
  denial: number | undefined,
  waiting: number | undefined,
): Choice<string | undefined> {
  const setting = "resources.limits.memory";
  const set = settings.resources?.limits?.memory;
  if (set !== undefined) return choice(setting, set, set, "set");
  const size = settings.clusterSize;
  if (size === undefined) {
    return choice(
      setting,
      undefined,
      `${DEFAULT_MEMORY_LIMIT}Mi`,
      "the add-on's default, since clusterSize is not set",
    );
  }
  const need = memoryNeed(size, { autopath, capacities: [success, denial], waiting });
  const formula = autopath ? "(pods + services) / 250 + 56" : "(pods + services) / 1000 + 54";
  const value = `${need.limit}Mi`;
  const parts = `${formula} = ${mb(need.names)}, cache ${mb(need.cache)}, queries ${mb(need.queries)}`;
  const reason = `${parts}, plus a quarter; at least the add-on's 170`;
  return choice(setting, value, value, reason);
}

function mb(value: number): string {
  return `${Math.round(value)} MB`;
}

function autopathRow({ clusterSize }: DnsSettings, autopath: boolean): ProfileRow {
  const gain = "an outside name needs 2 queries per pod, not 8";
  const cost =
    clusterSize === undefined
      ? "all pods are watched and kept in memory"
      : `all pods are watched, ${mb(nameMemory(clusterSize, true) - nameMemory(clusterSize, false))} more in each CoreDNS pod`;
  return {
    setting: "corefile.options.autopath",
    value: autopath ? "on" : "off",
    reason: `with it ${gain}, and ${cost}`,
  };
}
