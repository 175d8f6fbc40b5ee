import { isBucketName, isCleanPrefix, namespaceIssue } from "../../../aws/names.ts";
import { partitionOf } from "../../../aws/partition.ts";
import { MAX_INLINE_POLICY, policyText } from "../../../aws/policy-statements.ts";
import type { TeamNamespaces } from "../../../kubernetes/labels.ts";
import type { SettingsIssue } from "../../../schema/errors.ts";
import { amount } from "../../../schema/values.ts";
import type { Collector } from "../../collectors/collector.ts";
import { bucketName, logGroupName } from "../../pipeline.ts";
import type { NamedCluster } from "../../routing/overlaps.ts";
import { placeName, splitsPlaces, type Target, teamRequirement } from "../../routing/routes.ts";
import { controlPlaneGroup, isOnNode, journalSources, type Source } from "../../sources/source.ts";
import type { Destination, DestinationOf } from "../destination-settings.ts";
import { RETENTION } from "./aws-settings.ts";
import { destinationStatements, withoutExtras } from "./destination-statements.ts";

/** What this stack's cluster cannot use in AWS, and names that are taken, or may be. Paths are below `logging`. */
export function awsIssues({ destination, path, suffix }: Target, cluster: NamedCluster): SettingsIssue[] {
  const issues = [...regionIssues(destination, cluster.region), ...ownNameIssues(destination, cluster)];
  if (issues.length > 0) return issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
  if (destination.kind !== "s3") return [];
  const bucket = bucketName(destination, cluster.name, cluster.region, suffix);
  const inNamespace = destination.existing ? undefined : namespaceIssue(bucket, cluster.region);
  if (inNamespace !== undefined && destination.bucket !== undefined)
    return [{ path: [...path, "bucket"], message: inNamespace, value: bucket }];
  if (!isBucketName(bucket) || inNamespace !== undefined) {
    const message = `must be set, since ${bucket}, made of the cluster's name and region, is not a valid bucket name`;
    return [{ path: [...path, "bucket"], message }];
  }
  if (destination.bucket !== undefined) return [];
  const message = `is not set, and the default ${bucket} may be taken by another AWS account, as bucket names are global: set a name of your own`;
  return [{ path: [...path, "bucket"], message, severity: "warning" }];
}

/**
 * AWS resources that the cluster cannot use because of their region or partition. Paths are below the destination.
 * @param region The cluster's region.
 */
function regionIssues(destination: Destination, region: string): SettingsIssue[] {
  if (destination.kind === "opensearch" && destination.sigv4 !== undefined)
    return partitionIssues(destination.sigv4.arn, region, ["sigv4", "arn"]);
  if (destination.kind === "kafka" && destination.mskArn !== undefined)
    return partitionIssues(destination.mskArn, region, ["mskArn"]);
  if (destination.kind !== "cloudwatch" && destination.kind !== "s3") return [];
  const teams = destination.kind === "cloudwatch" ? Object.entries(destination.teams ?? {}) : [];
  return [
    ...keyIssues(destination.kmsKeyArn, region, []),
    ...teams.flatMap(([team, { kmsKeyArn }]) => keyIssues(kmsKeyArn, region, ["teams", team])),
  ];
}

/** Log groups and buckets require a key in their own region. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
function keyIssues(arn: string | undefined, region: string, path: readonly string[]): SettingsIssue[] {
  if (arn === undefined || arn.split(":")[3] === region) return [];
  const message = `must be a key in region ${region}, where the cluster is`;
  return [{ path: [...path, "kmsKeyArn"], message, value: arn }];
}

/** Rejects ARNs in another partition than the cluster's: each AWS partition has its own identities. */
function partitionIssues(arn: string, region: string, path: SettingsIssue["path"]): SettingsIssue[] {
  const { id } = partitionOf(region);
  if (arn.startsWith(`arn:${id}:`)) return [];
  return [{ path, message: `must be in partition ${id}, as the cluster is`, value: arn }];
}

/**
 * An error if a new log group is the control plane's. A warning if `existing` has a default name of this stack: what the stack created
 * under that name leaves the stack, and the next update deletes it. Paths are below the destination.
 */
function ownNameIssues(destination: Destination, cluster: NamedCluster): SettingsIssue[] {
  if (destination.kind === "cloudwatch" && !destination.existing && destination.logGroup !== undefined) {
    if (destination.logGroup !== controlPlaneGroup(cluster.name)) return [];
    const message = "must be another log group, since EKS writes the control plane's logs to this one";
    return [{ path: ["logGroup"], message, value: destination.logGroup }];
  }
  if ((destination.kind !== "cloudwatch" && destination.kind !== "s3") || !destination.existing) return [];
  const { key, noun, name, defaultName } = existingPlace(destination, cluster);
  // The default name may be followed by a destination's name or a team's.
  const isOwn = name === defaultName || name?.startsWith(`${defaultName}-`) || name?.startsWith(`${defaultName}/`);
  if (!isOwn) return [];
  const message = `is the default name of this stack's own ${noun}: if the stack created it, the next update deletes it with its lines, unless \`pulumi state delete\` removed it from the stack before`;
  return [{ path: [key], message, value: name, severity: "warning" }];
}

/** The setting with the name of a log group or bucket, the name, and the one that the stack would give it. */
function existingPlace(destination: DestinationOf<"cloudwatch" | "s3">, cluster: NamedCluster) {
  if (destination.kind === "cloudwatch") {
    const defaultName = logGroupName({ ...destination, logGroup: undefined }, cluster.name);
    return { key: "logGroup", noun: "log group", name: destination.logGroup, defaultName };
  }
  const defaultName = bucketName({ ...destination, bucket: undefined }, cluster.name, cluster.region);
  return { key: "bucket", noun: "bucket", name: destination.bucket, defaultName };
}

/** Warnings about keys that only some clients find. Paths are below `logging`. */
export function keyPrefixWarnings(targets: readonly Target[]): SettingsIssue[] {
  return targets.flatMap(({ destination, path }): SettingsIssue[] => {
    if (destination.kind !== "s3" || isCleanPrefix(destination.prefix)) return [];
    const message =
      "has '.' or '..' between slashes, which S3 keeps in keys, so that its console and clients that treat keys as paths do not find them";
    return [{ path: [...path, "prefix"], message, value: destination.prefix, severity: "warning" }];
  });
}

/** Stands in for an unknown account or region: all accounts have as many characters, and regions nearly. */
const ANY_PLACE = { account: "000000000000", region: "eu-central-1" };

/** Destinations whose permissions are too long for the inline policy of the role that sends to them. Paths are below `logging`. */
export function policyIssues(
  targets: readonly Target[],
  collector: Collector,
  cluster: NamedCluster | undefined,
): SettingsIssue[] {
  const { name = "", region = ANY_PLACE.region } = cluster ?? {};
  const parts = { partition: partitionOf(region).id, region, account: ANY_PLACE.account, cluster: name };
  const statementsOf = (has: (source: Source) => boolean) =>
    targets
      .filter(({ sources }) => sources.some(has))
      .flatMap((target) => destinationStatements(target, collector, parts));
  const collectors = policyText(statementsOf(isOnNode)).length;
  const events = policyText(
    withoutExtras(
      statementsOf((source) => source === "events"),
      collector,
    ),
  ).length;
  const length = Math.max(collectors, events);
  if (length <= MAX_INLINE_POLICY) return [];
  const message = `must be fewer, or have shorter names, since the permissions to send to all of them take ${length} characters, and the inline policies of an IAM role ${MAX_INLINE_POLICY}`;
  return [{ path: ["destinations"], message }];
}

/** Minimum buffer of a place, in MiB. Collectors that split places have one per place, except Vector. */
const MIN_SHARE = 64;
/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
const MAX_LOG_GROUP = 512;

/**
 * Errors of a log group or bucket that is split by team, or by source. Paths are below `logging`.
 * @param teams Default: unknown, and any team name may be right.
 */
export function teamIssues(
  target: Target,
  { id, title }: Collector,
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const { destination, index, path, places } = target;
  if (destination.kind !== "cloudwatch" && destination.kind !== "s3") return [];
  const named = Object.keys(destination.teams ?? {});
  if (named.length > 0 && index.splitBy !== "team")
    return [{ path: [...path, "teams"], message: "requires index.splitBy team", value: named }];
  if (named.length > 0 && !splitsPlaces(id)) {
    const message = `must not be set with ${title}, which sends the lines of all teams to one place`;
    return [{ path: [...path, "teams"], message, value: named }];
  }
  const issues = named.flatMap((team): SettingsIssue[] => {
    if (teams === undefined || places.some((place) => place.team === team)) return [];
    if (teams.some(({ name }) => name === team)) {
      const message = "must be the name of a team with a route to this destination";
      return [{ path: [...path, "teams", team], message, value: team }];
    }
    return [{ path: [...path, "teams", team], message: teamRequirement(teams), value: team }];
  });
  if (destination.kind === "cloudwatch" && destination.existing && index.splitBy === "team")
    issues.push({ path: [...path, "existing"], message: "must be false with index.splitBy team", value: true });
  if (destination.kind === "cloudwatch" && destination.logGroup !== undefined) {
    const { logGroup } = destination;
    const [longest = ""] = places
      .map(({ team }) => placeName(logGroup, team))
      .sort((one, other) => other.length - one.length);
    if (longest.length > MAX_LOG_GROUP) {
      const message = `must have at most ${logGroup.length - longest.length + MAX_LOG_GROUP} characters, since CloudWatch Logs allows ${MAX_LOG_GROUP} with the team's name after it`;
      issues.push({ path: [...path, "logGroup"], message, value: logGroup });
    }
  }
  if (destination.kind === "s3") {
    const { retentionDays = RETENTION.s3 } = destination;
    for (const [team, ofTeam] of Object.entries(destination.teams ?? {}))
      if (ofTeam.retentionDays > retentionDays) {
        const message = `must be at most ${retentionDays}, since S3 deletes an object by the shorter of two rules`;
        issues.push({ path: [...path, "teams", team, "retentionDays"], message, value: ofTeam.retentionDays });
      }
    if (destination.existing && named.length > 0)
      issues.push({ path: [...path, "teams"], message: "must not be set with existing, which keeps its own rules" });
  }
  return [...issues, ...shareIssues(target, id)];
}

/** A buffer too small for its parts: one per place, and with OpenTelemetry's exporters for S3 one per journal source. */
function shareIssues(
  { destination, sources, places, bufferPath, bufferSize }: Target,
  collector: string,
): SettingsIssue[] {
  if (collector === "vector") return [];
  const journal = collector === "opentelemetry" && destination.kind === "s3" ? journalSources(sources).length : 0;
  const pods = sources.includes("pods") ? 1 : 0;
  const parts = journal === 0 ? places.length : Math.max(places.length, pods) + journal;
  if (amount(bufferSize) >= parts * MIN_SHARE * 2 ** 20) return [];
  const kinds = [...(places.length === 0 ? [] : ["team"]), ...(journal === 0 ? [] : ["source of the node's journal"])];
  const message = `must be at least ${parts * MIN_SHARE}Mi, ${MIN_SHARE}Mi for each ${kinds.join(" and ")} and for the rest`;
  return [{ path: [...bufferPath, "size"], message, value: bufferSize }];
}
