import { createHash } from "node:crypto";
import type { ClusterSettings } from "../../cluster/settings.ts";
import { oneOf, type SettingsIssue } from "../../schema/errors.ts";
import type { Target } from "../routing/routes.ts";
import { isFromAws, type Source } from "./journal.ts";

/** Destinations to which AWS can deliver logs, as far as this stack supports it. */
const DELIVERED = ["cloudwatch", "s3", "firehose"] as const;

const BY_STREAM = "let a stream of your own send there, and name it with kind firehose";

/**
 * Why others are not supported, if known.
 * @see https://docs.aws.amazon.com/firehose/latest/dev/writing-with-cloudwatch-logs.html
 */
const NOT_DELIVERED: Partial<Readonly<Record<Target["destination"]["kind"], string>>> = {
  opensearch: "since Amazon Data Firehose does not deliver lines of CloudWatch Logs to OpenSearch",
  elasticsearch: `which Amazon Data Firehose sends in a format of its own: ${BY_STREAM}`,
  http: `which Amazon Data Firehose sends in a format of its own: ${BY_STREAM}`,
  splunk: `since Amazon Data Firehose cannot read the token's Secret: ${BY_STREAM}`,
};

/** Maximum subscription filters per log group. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const MAX_FILTERS = 2;

/** Longest stream name. @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html */
const MAX_STREAM_NAME = 64;

/** Name of the stream that sends the audit log to a destination. A long one is truncated, with a hash for uniqueness. */
export function auditStreamName(cluster: string, suffix: string | undefined): string {
  const end = suffix === undefined ? "-audit" : `-audit-${suffix}`;
  if (cluster.length + end.length <= MAX_STREAM_NAME) return cluster + end;
  const hash = createHash("sha256").update(cluster).digest("hex").slice(0, 8);
  return `${cluster.slice(0, MAX_STREAM_NAME - end.length - hash.length - 1)}-${hash}${end}`;
}

/** Checks that the cluster has the sources that AWS delivers. Paths are below `logging`. */
export function awsSourceClusterIssues(sources: readonly Source[], cluster: ClusterSettings): SettingsIssue[] {
  const issue = (message: string): SettingsIssue => ({ path: ["sources"], message, value: sources });
  const issues: SettingsIssue[] = [];
  if (sources.includes("audit")) {
    if (cluster.kind === "existing")
      issues.push(issue("must not contain audit with cluster.kind existing, whose control plane is out of reach here"));
    if (cluster.kind === "eks" && !cluster.logTypes.includes("audit"))
      issues.push(issue("must not contain audit unless cluster.logTypes does, which makes EKS write the audit log"));
  }
  if (sources.includes("auto-mode") && (cluster.kind !== "eks-existing" || cluster.compute !== "auto"))
    issues.push(
      issue("must contain auto-mode only with cluster.kind eks-existing and compute auto, which has these logs"),
    );
  return issues;
}

/** Deliveries that AWS does not support. Paths are below `logging`. */
export function awsSourceIssues(targets: readonly Target[]): SettingsIssue[] {
  const issues = targets.flatMap(({ destination: { kind }, path, sources }): SettingsIssue[] => {
    const [source] = sources.filter(isFromAws);
    if (source === undefined) return [];
    const issue = (message: string): SettingsIssue => ({ path: [...path, "kind"], message, value: kind });
    if (!DELIVERED.some((known) => known === kind)) {
      const why = NOT_DELIVERED[kind] ?? "which AWS does not deliver there";
      return [issue(`must be ${oneOf(DELIVERED)} for the source ${source}, ${why}: give it a route of its own`)];
    }
    if (kind !== "firehose" || !sources.includes("audit") || sources.length === 1) return [];
    const others = sources.filter((other) => other !== "audit").join(", ");
    return [
      issue(
        `must not be firehose for audit and ${others}, since a stream that unpacks lines of CloudWatch Logs accepts no others`,
      ),
    ];
  });
  const filtered = filteredTargets(targets);
  if (filtered.length > MAX_FILTERS) {
    const message = `must send audit to at most ${MAX_FILTERS} destinations other than cloudwatch, since its log group takes ${MAX_FILTERS} subscription filters`;
    issues.push({ path: ["routes"], message, value: filtered.map(({ name }) => name) });
  }
  return issues;
}

/** Destinations to which the audit log is forwarded; CloudWatch Logs already has it. */
export function filteredTargets<T extends Target>(targets: readonly T[]): T[] {
  return targets.filter(({ sources, destination }) => sources.includes("audit") && destination.kind !== "cloudwatch");
}
