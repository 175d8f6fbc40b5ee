import * as pulumi from "@pulumi/pulumi";
import { EksCluster } from "./eks/eks-cluster.ts";
import { ExistingCluster, ExistingEksCluster } from "./existing-cluster.ts";
import type { ClusterSettings } from "./settings.ts";

/**
 * The cluster of the settings: a new one on EKS, an existing one on EKS, or any other. All have the same handle.
 * @param region AWS region, such as `eu-central-1`; an EKS cluster needs it.
 * @param profile AWS profile that the stack names by `aws:profile`. Default: that of the environment.
 */
export function createCluster(
  settings: ClusterSettings,
  region: string | undefined,
  profile?: string,
): EksCluster | ExistingCluster | ExistingEksCluster {
  if (settings.kind === "existing") return new ExistingCluster("cluster", settings);
  if (region === undefined) throw new Error("an EKS cluster without a region passed the settings");
  if (settings.kind === "eks-existing") return new ExistingEksCluster("cluster", { ...settings, region, profile });
  return new EksCluster("cluster", { ...settings, region, profile });
}

/**
 * Stops `pulumi destroy` before it deletes anything.
 *
 * The engine checks `protect` when it comes to a resource, and deletes in the reverse order of dependencies: with `--skip-preview` it would
 * have deleted all that depends on a protected cluster before it refuses the cluster itself. This resource depends on everything, so that
 * it is the first to be deleted, and it is protected. It does not hold up updates, replacements or the removal of single resources.
 * @see https://www.pulumi.com/docs/iac/concepts/resources/options/protect/
 */
export class DeletionProtection extends pulumi.ComponentResource {
  /** @param resources Everything that must not be deleted; of a component also its children. */
  constructor(name: string, resources: readonly pulumi.Resource[]) {
    super("eks-dns-logging:cluster:DeletionProtection", name, {}, { protect: true, dependsOn: [...resources] });
    this.registerOutputs({});
  }
}
