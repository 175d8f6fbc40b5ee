import type { SettingsIssue } from "../../schema/errors.ts";
import { bucketName, logGroupName } from "../pipeline.ts";
import { controlPlaneGroup } from "../sources/journal.ts";
import type { Destination } from "./destination-settings.ts";

/**
 * An error if a new log group is the control plane's. A warning if `existing` has a default name of this stack: what the stack created
 * under that name leaves the stack, and the next update deletes it. Paths are below the destination.
 */
export function ownNameIssues(
  destination: Destination,
  cluster: { readonly name: string; readonly region: string },
): SettingsIssue[] {
  if (destination.kind === "cloudwatch" && !destination.existing && destination.logGroup !== undefined) {
    if (destination.logGroup !== controlPlaneGroup(cluster.name)) return [];
    const message = "must be another log group, since EKS writes the control plane's logs to this one";
    return [{ path: ["logGroup"], message, value: destination.logGroup }];
  }
  if ((destination.kind !== "cloudwatch" && destination.kind !== "s3") || !destination.existing) return [];
  const [key, name, own, what] =
    destination.kind === "cloudwatch"
      ? [
          "logGroup",
          destination.logGroup,
          logGroupName({ ...destination, logGroup: undefined }, cluster.name),
          "log group",
        ]
      : [
          "bucket",
          destination.bucket,
          bucketName({ ...destination, bucket: undefined }, cluster.name, cluster.region),
          "bucket",
        ];
  // Followed by a destination's name or a team's.
  if (name === undefined || !(name === own || name.startsWith(`${own}-`) || name.startsWith(`${own}/`))) return [];
  const message = `is the default name of this stack's own ${what}: if the stack created it, the next update deletes it with its lines, unless \`pulumi state delete\` removed it from the stack before`;
  return [{ path: [key], message, value: name, severity: "warning" }];
}
