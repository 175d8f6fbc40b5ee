import * as pulumi from "@pulumi/pulumi";
import { EksCluster } from "./eks/eks-cluster.ts";
import { ExistingCluster, ExistingEksCluster } from "./existing-cluster.ts";
import type { ClusterSettings } from "./settings.ts";

/**
 * Creates the cluster of the settings: a new EKS cluster, an existing one, or any other. All have the same handle.
 * @param region AWS region, such as `eu-central-1`; required for EKS.
 * @param profile AWS profile from the stack's `aws:profile`. Default: that of the environment.
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
 * The engine checks `protect` only when it reaches a resource, and deletes in reverse order of dependencies: with `--skip-preview` it would
 * delete everything that depends on a protected cluster before it refuses to delete the cluster itself. This protected resource depends on
 * everything, so it is the first to be deleted. It does not block updates, replacements or the removal of single resources.
 * @see https://www.pulumi.com/docs/iac/concepts/resources/options/protect/
 */
export class DeletionProtection extends pulumi.ComponentResource {
  /** @param resources Everything to protect; a component includes its children. */
  constructor(name: string, resources: readonly pulumi.Resource[]) {
    super("eks-dns-logging:cluster:DeletionProtection", name, {}, { protect: true, dependsOn: [...resources] });
    this.registerOutputs({});
  }
}
