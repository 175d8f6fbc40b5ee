import { allConfig } from "@pulumi/pulumi/runtime/config.js";
import { z } from "zod";
import { partitionOf, SUPPORTED_PARTITIONS } from "./aws/partition.ts";
import { ClusterSettings } from "./cluster/settings.ts";
import { DnsSettings } from "./dns/settings.ts";
import { LoggingSettings } from "./logging/settings.ts";
import { MonitoringSettings } from "./monitoring/settings.ts";
import { partErrorMap, presentParts, runsCollector } from "./parts.ts";
import { issuesOf, SettingsError, type SettingsIssue, unknownKey } from "./schema/errors.ts";
import { CONFIG_NAMESPACE, extend, type Renames, withFiles } from "./schema/extends.ts";
import { eksKind, issuesOfSections } from "./sections.ts";
import { CurlPodSettings, DEFAULT_TEAMS, TeamsSettings } from "./team/settings.ts";

/** A stack's configuration keys under {@link CONFIG_NAMESPACE}; the JSON Schema for editors is generated from them. */
export const StackSettings = z.strictObject(
  {
    cluster: ClusterSettings.describe("A new EKS cluster, an existing one, or any cluster in a kubeconfig."),
    dns: DnsSettings.prefault({}).describe("CoreDNS; `false` leaves it out."),
    teams: TeamsSettings.prefault(DEFAULT_TEAMS).describe(
      "Teams; `[]` for none. Default: ts and sa, peers of each other.",
    ),
    curlPods: z.boolean().default(true).describe("Create the curl pods. Default true."),
    curlPod: CurlPodSettings.prefault({}).describe("The curl pod in each team's namespace."),
    logging: LoggingSettings.prefault({}).describe("Log collection; `false` leaves it out."),
    monitoring: MonitoringSettings.prefault({}).describe("Metrics, alerts, dashboards and a canary. Default: none."),
  },
  { error: (issue) => (issue.code === "unrecognized_keys" ? unknownKey(KEYS) : undefined) },
);

/** All keys of a stack's file; `extends` is removed before the others are parsed. */
const KEYS: readonly string[] = [...Object.keys(StackSettings.shape), "extends"];

/** A stack's settings, complete with defaults. */
export type Settings = Readonly<Omit<z.infer<typeof StackSettings>, "dns" | "logging">> & {
  /** Undefined if the stack omits CoreDNS. */
  readonly dns: DnsSettings | undefined;
  /** Undefined if the stack omits log collection, or its cluster cannot run it. */
  readonly logging: LoggingSettings | undefined;
  /** From `aws:region`; undefined if not needed. */
  readonly region: string | undefined;
  /** From `aws:profile`; undefined for the default credentials. */
  readonly profile: string | undefined;
  /** Settings without effect and deprecated names, to report once. */
  readonly warnings: readonly SettingsIssue[];
};

/** Deprecated names of settings, which still work but cause a warning. */
const RENAMES: Renames = { logging: { carrier: "mode" } };

/**
 * Reads the current stack's configuration.
 * @throws {SettingsError} with every error, before anything is registered.
 */
export function readSettings(): Settings {
  return parseSettings(allConfig());
}

/** Settings of the latest configurations, by configuration as JSON; frozen, so that callers can share them. */
const settingsByConfig = new Map<string, Settings>();
const MAX_CONFIGS = 8;

/**
 * Parses a stack's configuration as passed by the engine: strings by `namespace:key`, structured values as JSON. Results are cached,
 * since a command and the program that it plans parse the same configuration.
 * @throws {SettingsError} with all errors. Warnings are in the result.
 */
export function parseSettings(config: Readonly<Record<string, string>>): Settings {
  const key = JSON.stringify(config);
  const settings = settingsByConfig.get(key) ?? judgeSettings(config);
  if (settingsByConfig.size >= MAX_CONFIGS) settingsByConfig.clear();
  settingsByConfig.set(key, settings);
  return settings;
}

function judgeSettings(config: Readonly<Record<string, string>>): Settings {
  const prefix = `${CONFIG_NAMESPACE}:`;
  const raw = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), structured(value)]),
  );
  const region = config["aws:region"];
  const { settings: whole, issues: unread } = extend(raw, RENAMES);
  const { settings: given, absent } = presentParts(whole);
  const parsed = StackSettings.safeParse(given, { error: partErrorMap });
  const withFile = (found: readonly SettingsIssue[]) => withFiles(found, raw, whole, RENAMES);
  const issues = [
    ...unread,
    ...withFile(parsed.success ? [] : issuesOf(parsed.error, given, []).map(withinSection)),
    ...regionIssues(given.cluster, region),
    ...strayKeys(config),
    ...withFile(issuesOfSections(given, region, absent)),
  ];
  const errors = withoutMissing(issues.filter(({ severity }) => severity !== "warning"));
  if (!parsed.success || errors.length > 0) throw new SettingsError(errors);
  const warnings = issues.filter(({ severity }) => severity === "warning");
  const { dns, logging, ...others } = parsed.data;
  return deepFreeze({
    ...others,
    dns: absent.has("dns") ? undefined : onCompute(dns, others.cluster),
    logging: absent.has("logging") || !runsCollector(others.cluster, logging) ? undefined : logging,
    region,
    profile: config["aws:profile"],
    warnings,
  });
}

/**
 * Tells how to set a path such as `dns.replicas`, which `pulumi config set` without `--path` takes for the name of a key.
 * @see https://www.pulumi.com/docs/iac/cli/commands/pulumi_config_set/
 */
function withinSection(issue: SettingsIssue): SettingsIssue {
  const [key = "", ...below] = issue.path.map(String);
  const [, section = ""] = /^(\w+)[.[]/.exec(key) ?? [];
  if (below.length > 0 || !KEYS.includes(section)) return issue;
  return { ...issue, message: `unknown key, must be within ${section}, as by \`pulumi config set --path '${key}'\`` };
}

/** Drops missing settings if the file to extend could not be read, since it may have them. */
function withoutMissing(errors: readonly SettingsIssue[]): readonly SettingsIssue[] {
  if (!errors.some(({ path }) => path[0] === "extends")) return errors;
  return errors.filter(({ isMissing }) => isMissing !== true);
}

/** Completes the DNS settings for a cluster that only runs Fargate, where the add-on needs its computeType. */
function onCompute(dns: DnsSettings, cluster: ClusterSettings): DnsSettings {
  if (cluster.kind !== "eks-existing" || cluster.compute !== "fargate") return dns;
  return { ...dns, computeType: "Fargate" };
}

/** Keys of other providers with the name of one of ours: the kubernetes provider has a setting `cluster`. */
const KEYS_OF_PROVIDERS = ["kubernetes:cluster"];

/** Settings in a misspelled namespace, which the engine would take for another provider's. */
function strayKeys(config: Readonly<Record<string, string>>): SettingsIssue[] {
  return Object.keys(config).flatMap((key) => {
    const [namespace = "", name = ""] = key.split(":");
    if (namespace === CONFIG_NAMESPACE || !KEYS.includes(name) || KEYS_OF_PROVIDERS.includes(key)) return [];
    return [{ path: [key], message: `unknown namespace, must be ${CONFIG_NAMESPACE}:${name}` }];
  });
}

/** The engine passes structured values as JSON, and plain ones as is. */
function structured(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A country or continent, perhaps `gov`, a direction, and a number: eu-central-1, us-gov-west-1. */
const REGION = /^[a-z]{2}(-gov)?-(central|(north|south)(east|west)?|east|west)-\d$/;

function regionIssues(cluster: unknown, region: string | undefined): SettingsIssue[] {
  if (eksKind(cluster) === undefined) return [];
  const partition = region === undefined ? undefined : partitionOf(region).id;
  if (partition !== undefined && !SUPPORTED_PARTITIONS.includes(partition)) {
    const message = `must be a region of ${SUPPORTED_PARTITIONS.join(", ")}, since partition ${partition} is not supported`;
    return [{ path: ["aws:region"], message, value: region }];
  }
  if (region !== undefined && REGION.test(region)) return [];
  const missing = region === undefined ? ", but is not set" : "";
  return [{ path: ["aws:region"], message: `must be an AWS region, such as eu-central-1${missing}`, value: region }];
}

/** Freezes a value and everything in it. */
function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
