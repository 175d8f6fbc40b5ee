import { partitionOf } from "../../aws/partition.ts";
import type { SettingsIssue } from "../../schema/errors.ts";
import type { Destination } from "./destination-settings.ts";

/**
 * AWS resources that the cluster cannot use because of their region or partition. Paths are below the destination.
 * @param region The cluster's region.
 */
export function regionIssues(destination: Destination, region: string): SettingsIssue[] {
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
