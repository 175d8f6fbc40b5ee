import { partitionOf } from "../aws/partition.ts";
import type { SettingsIssue } from "../schema/errors.ts";
import type { ClusterSettings } from "./settings.ts";

/** What is wrong with a cluster's settings in the region of its stack; paths are below `cluster`. */
export function checkCluster(settings: ClusterSettings, region: string | undefined): SettingsIssue[] {
  if (settings.kind !== "eks" || region === undefined) return [];
  const { id } = partitionOf(region);
  const zones = Array.isArray(settings.vpc?.zones) ? settings.vpc.zones : [];
  return [
    ...zones.flatMap((zone, index): SettingsIssue[] =>
      zone.slice(0, -1) === region
        ? []
        : [
            {
              path: ["vpc", "zones", index],
              message: `must be an availability zone of aws:region, such as ${region}a`,
              value: zone,
            },
          ],
    ),
    ...settings.accessEntries.flatMap(({ principalArn }, index): SettingsIssue[] =>
      principalArn.startsWith(`arn:${id}:`)
        ? []
        : [
            {
              path: ["accessEntries", index, "principalArn"],
              message: `must start with arn:${id}:, the partition of ${region}`,
              value: principalArn,
            },
          ],
    ),
  ];
}
