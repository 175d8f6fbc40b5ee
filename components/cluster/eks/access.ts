import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { AccessEntrySettings } from "../eks-settings.ts";

/** Who may use the Kubernetes API of a cluster. */
export interface AccessArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: string;
  /** AWS partition as in an ARN, such as `aws`. */
  readonly partition: string;
  /** IAM principals and their rights. */
  readonly entries: readonly AccessEntrySettings[];
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, string>>;
  /** The cluster that is opened; undefined where it stands already. */
  readonly cluster: pulumi.Resource | undefined;
}

/**
 * Lets IAM principals use the Kubernetes API, by EKS access policies and by RBAC groups.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
 */
export function grantAccess(name: string, args: AccessArgs, options: pulumi.CustomResourceOptions): void {
  const { clusterName, partition, tags, cluster } = args;
  for (const { principalArn, groups, policy, namespaces } of args.entries) {
    // Account and kind belong to the name: two accounts may have a role of the same name, and a user may have it too.
    const entryName = `${name}-${principalArn.split(":").slice(4).join("/")}`;
    const entry = new aws.eks.AccessEntry(
      entryName,
      { clusterName, principalArn, kubernetesGroups: groups, type: "STANDARD", tags },
      { ...options, dependsOn: cluster ?? [], deleteBeforeReplace: true },
    );
    if (policy === undefined) continue;
    new aws.eks.AccessPolicyAssociation(
      entryName,
      {
        clusterName,
        principalArn,
        policyArn: `arn:${partition}:eks::aws:cluster-access-policy/${policy}`,
        accessScope: namespaces.length === 0 ? { type: "cluster" } : { type: "namespace", namespaces },
      },
      // Another scope replaces it, and old and new are one thing to EKS: deleted last, the old one would take the new one with it.
      { ...options, dependsOn: entry, deleteBeforeReplace: true },
    );
  }
}
