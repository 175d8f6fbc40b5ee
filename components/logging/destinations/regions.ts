import { partitionOf } from "../../aws/partition.ts";
import type { SettingsIssue } from "../../schema/errors.ts";
import type { Destination } from "./destination-settings.ts";

/**
 * What a destination names in AWS that the cluster cannot use, because of where it is. Paths are below the destination.
 * @param region Of the cluster.
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

/** A log group and a bucket are encrypted by a key of their own region. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
function keyIssues(arn: string | undefined, region: string, path: readonly string[]): SettingsIssue[] {
  if (arn === undefined || arn.split(":")[3] === region) return [];
  const message = `must be a key in region ${region}, where the cluster is`;
  return [{ path: [...path, "kmsKeyArn"], message, value: arn }];
}

/** What an ARN says that the cluster cannot reach: an AWS partition has identities of its own. */
function partitionIssues(arn: string, region: string, path: SettingsIssue["path"]): SettingsIssue[] {
  const { id } = partitionOf(region);
  if (arn.startsWith(`arn:${id}:`)) return [];
  return [{ path, message: `must be in partition ${id}, as the cluster is`, value: arn }];
}
