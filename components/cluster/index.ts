import { EksCluster } from "./eks-cluster.ts";
import { ExistingCluster } from "./existing-cluster.ts";
import type { ClusterSettings } from "./settings.ts";

/**
 * The cluster of the settings: a new one on EKS, or one that is there already. Both have the same handle.
 * @param region AWS region, such as `eu-central-1`; an EKS cluster needs it.
 * @param profile AWS profile that the stack names by `aws:profile`. Default: that of the environment.
 */
export function createCluster(
  settings: ClusterSettings,
  region: string | undefined,
  profile?: string,
): EksCluster | ExistingCluster {
  if (settings.kind === "existing") return new ExistingCluster("cluster", settings);
  if (region === undefined) throw new Error("an EKS cluster without a region passed the settings");
  return new EksCluster("cluster", { ...settings, region, profile });
}
