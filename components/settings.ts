import { allConfig } from "@pulumi/pulumi/runtime/config.js";
import { z } from "zod";
import { checkCluster } from "./cluster/check.ts";
import { ClusterSettings } from "./cluster/settings.ts";
import { checkDns } from "./dns/check.ts";
import { DnsSettings } from "./dns/settings.ts";
import { checkLogging, resourcesOf } from "./logging/check.ts";
import { LoggingSettings } from "./logging/settings.ts";
import { allowed, issuesOf, SettingsError, type SettingsIssue } from "./schema/errors.ts";
import { CONFIG_NAMESPACE, extend } from "./schema/extends.ts";
import { asFarAsRight } from "./schema/partial.ts";
import { checkTeams } from "./team/check.ts";
import { CurlPodSettings, DEFAULT_TEAMS, TeamsSettings } from "./team/settings.ts";

/** The keys of a stack's configuration under {@link CONFIG_NAMESPACE}. The JSON Schema for editors is made from it. */
export const StackSettings = z.strictObject(
  {
    cluster: ClusterSettings.describe(
      "Where everything runs: a new EKS cluster, or an existing cluster by its kubeconfig.",
    ),
    dns: DnsSettings.prefault({}).describe("CoreDNS."),
    teams: TeamsSettings.prefault(DEFAULT_TEAMS).describe("The teams. Default: ts and sa, peers of each other."),
    curlPod: CurlPodSettings.prefault({}).describe("The lab's pod in each team's namespace."),
    logging: LoggingSettings.prefault({}).describe("What collects the logs, and where they go."),
  },
  { error: (issue) => (issue.code === "unrecognized_keys" ? `the keys ${KEYS.join(", ")}` : undefined) },
);

/** All keys that a stack's file may have; `extends` is gone when the rest is read. */
const KEYS: readonly string[] = [...Object.keys(StackSettings.shape), "extends"];

/** A stack's settings, complete with defaults. */
export type Settings = Readonly<z.infer<typeof StackSettings>> & {
  /** AWS region by `aws:region`; undefined on a stack that needs none. */
  readonly region: string | undefined;
  /** AWS profile by `aws:profile`; undefined for the default credentials. */
  readonly profile: string | undefined;
};

/**
 * Reads the configuration of the stack that runs.
 * @throws {SettingsError} with every issue, before anything is registered.
 */
export function readSettings(): Settings {
  return parseSettings(allConfig());
}

/**
 * Reads a stack's configuration as the engine passes it: `namespace:key` to a string, structured values as JSON.
 * @throws {SettingsError} with every issue.
 */
export function parseSettings(config: Readonly<Record<string, string>>): Settings {
  const prefix = `${CONFIG_NAMESPACE}:`;
  const raw = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), structured(value)]),
  );
  const region = config["aws:region"];
  const { settings: given, issues: unread } = extend(raw);
  const parsed = StackSettings.safeParse(given, { error: allowed });
  const issues = [
    ...unread,
    ...(parsed.success ? [] : issuesOf(parsed.error, given, [])),
    ...regionIssues(given.cluster, region),
    ...strayKeys(config),
    ...issuesOfSections(given, region),
  ];
  if (!parsed.success || issues.length > 0) throw new SettingsError(issues);
  return deepFreeze({ ...parsed.data, region, profile: config["aws:profile"] });
}

/** The kubernetes provider has a setting of its own that is called `cluster`. */
const OTHERS_KEYS = ["kubernetes:cluster"];

/** Settings under a misspelt namespace, which the engine would take for those of a provider that is not there. */
function strayKeys(config: Readonly<Record<string, string>>): SettingsIssue[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const [namespace = "", name = ""] = key.split(":");
    if (namespace === CONFIG_NAMESPACE || !KEYS.includes(name) || OTHERS_KEYS.includes(key)) return [];
    return [{ path: [key], message: `as a key ${CONFIG_NAMESPACE}:${name}`, value: structured(value) }];
  });
}

/** What the schemas cannot see, of every section as far as its own schema takes it: an issue elsewhere hides none of it. */
function issuesOfSections(given: Readonly<Record<string, unknown>>, region: string | undefined): SettingsIssue[] {
  const { shape } = StackSettings;
  const cluster = asFarAsRight(shape.cluster, given.cluster, ["kind"]);
  const dns = asFarAsRight(shape.dns, given.dns, ["addonVersion", "clusterDns"]);
  const logging = asFarAsRight(shape.logging, given.logging, ["collector", "carrier", "destination"]);
  const teams = shape.teams.safeParse(given.teams).data ?? [];
  const sidecar = logging?.value.carrier === "sidecar" ? resourcesOf(logging.value) : undefined;
  const kind = isEks(given.cluster) ? "eks" : "existing";
  const version = kind === "eks" ? kubernetesVersion(given.cluster) : undefined;
  return [
    ...(cluster === undefined ? [] : under("cluster", checkCluster(cluster.value, region), cluster.without)),
    ...(dns === undefined ? [] : under("dns", checkDns(dns.value, version), dns.without)),
    ...(logging === undefined ? [] : under("logging", checkLogging(logging.value, kind), logging.without)),
    ...under("teams", checkTeams(teams, sidecar), new Set()),
  ];
}

/** Issues of a section, but those of settings that were left out. */
function under(key: string, issues: readonly SettingsIssue[], without: ReadonlySet<PropertyKey>): SettingsIssue[] {
  return issues.flatMap((issue) => {
    const [top] = issue.path;
    return top !== undefined && without.has(top) ? [] : [{ ...issue, path: [key, ...issue.path] }];
  });
}

/** The engine hands structured values over as JSON and plain ones as they are. */
function structured(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** The version of an EKS cluster; that of an empty one where its own is wrong. */
function kubernetesVersion(cluster: unknown): string | undefined {
  const { shape } = StackSettings;
  const known = shape.cluster.safeParse(cluster).data ?? shape.cluster.parse({ kind: "eks" });
  return known.kind === "eks" ? known.version : undefined;
}

function isEks(cluster: unknown): boolean {
  return typeof cluster === "object" && cluster !== null && "kind" in cluster && cluster.kind === "eks";
}

function regionIssues(cluster: unknown, region: string | undefined): SettingsIssue[] {
  if (!isEks(cluster) || (region !== undefined && REGION.test(region))) return [];
  return [{ path: ["aws:region"], message: "an AWS region, such as eu-central-1", value: region }];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
