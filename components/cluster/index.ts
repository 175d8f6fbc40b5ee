import { EksCluster } from "./eks-cluster.ts";
import { ExistingCluster } from "./existing-cluster.ts";
import type { ClusterHandle } from "./handle.ts";
import type { ClusterSettings } from "./settings.ts";

/** The cluster of the settings: a new one on EKS, or one that is there already. Both give the same handle. */
export function createCluster(settings: ClusterSettings, region: string | undefined): ClusterHandle {
  if (settings.kind === "existing") return new ExistingCluster("cluster", settings).handle;
  if (region === undefined) throw new Error("an EKS cluster without a region passed the settings");
  return new EksCluster("cluster", { settings, region }).handle;
}
