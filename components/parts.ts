import type { ClusterSettings } from "./cluster/settings.ts";
import type { LoggingSettings } from "./logging/settings.ts";
import type { SettingsIssue } from "./schema/errors.ts";
import { isObject } from "./schema/values.ts";
import type { TeamSettings } from "./team/settings.ts";

/** Parts that a stack may leave out by `false` in the place of their settings. */
const OPTIONAL_PARTS = ["dns", "logging"] as const;
type OptionalPart = (typeof OPTIONAL_PARTS)[number];

/** Whether `false` leaves the part out. */
export function isOptionalPart(key: string): key is OptionalPart {
  return OPTIONAL_PARTS.some((part) => part === key);
}

/** A stack's settings without the parts that it leaves out. */
export interface PresentParts {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly absent: ReadonlySet<OptionalPart>;
}

/** Takes `dns: false` and `logging: false` out, so that the schemas of these parts read what is there. */
export function presentParts(given: Readonly<Record<string, unknown>>): PresentParts {
  const absent = new Set(OPTIONAL_PARTS.filter((part) => given[part] === false));
  const settings = Object.entries(given).filter(([key]) => !isOptionalPart(key) || !absent.has(key));
  return { settings: Object.fromEntries(settings), absent };
}

/** What is known of a stack's parts where the whole is checked. */
export interface PartsContext {
  readonly absent: ReadonlySet<OptionalPart>;
  readonly cluster: ClusterSettings | undefined;
  readonly logging: Pick<LoggingSettings, "mode" | "destination"> | undefined;
  readonly teams: readonly Pick<TeamSettings, "memberRoles">[];
  /** Whether any team has a curl pod. */
  readonly hasCurlPods: boolean;
  /** The settings as they stand in the stack's file. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** Parts that do not go together, and what the cluster's compute keeps from being made. */
export function partIssues({ absent, cluster, logging, teams, hasCurlPods, given }: PartsContext): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  const warn = (path: SettingsIssue["path"], message: string) => issues.push({ path, message, severity: "warning" });
  if (!absent.has("logging") && logging?.mode === "sidecar" && !hasCurlPods)
    issues.push({
      path: ["logging", "mode"],
      message: "must be daemonset without curl pods, since a sidecar collects beside these",
      value: "sidecar",
    });
  if (!hasCurlPods && given.curlPod !== undefined) warn(["curlPod"], "has no effect, since no team has a curl pod");
  if (cluster?.kind === "existing")
    for (const [index, { memberRoles }] of teams.entries())
      if (memberRoles.length > 0)
        issues.push({
          path: ["teams", index, "memberRoles"],
          message: "must be empty with cluster.kind existing, which has no EKS access entries",
          value: memberRoles,
        });
  if (cluster?.kind !== "eks-existing") return issues;
  const dns = isObject(given.dns) ? given.dns : {};
  if (cluster.compute === "auto" && !absent.has("dns")) {
    if (dns.nodeLocalCache !== undefined)
      issues.push({
        path: ["dns", "nodeLocalCache"],
        message: "must not be set with cluster.compute auto, where each node has a DNS server of its own",
      });
    warn(
      ["dns"],
      "installs nothing with cluster.compute auto, where each node answers DNS itself and no CoreDNS pods run",
    );
  }
  if (cluster.compute !== "fargate") return issues;
  if (!absent.has("dns") && dns.nodeLocalCache !== undefined)
    issues.push({
      path: ["dns", "nodeLocalCache"],
      message: "must not be set with cluster.compute fargate, which runs no DaemonSet",
    });
  if (dns.computeType === "ec2")
    issues.push({
      path: ["dns", "computeType"],
      message: "must be Fargate with cluster.compute fargate",
      value: "ec2",
    });
  const kind = logging?.destination.kind;
  if (!absent.has("logging") && (kind === "cloudwatch" || kind === "s3"))
    issues.push({
      path: ["logging", "destination", "kind"],
      message: "must not be cloudwatch or s3 with cluster.compute fargate, whose pods get no Pod Identity",
      value: kind,
    });
  if (!absent.has("logging") && logging?.mode === "daemonset")
    warn(["logging"], "collects nothing with cluster.compute fargate, which runs no DaemonSet: nothing is made for it");
  return issues;
}

/** Whether the cluster can run what collects the logs. */
export function runsCollector(cluster: ClusterSettings, { mode }: Pick<LoggingSettings, "mode">): boolean {
  return mode === "sidecar" || cluster.kind !== "eks-existing" || cluster.compute !== "fargate";
}
