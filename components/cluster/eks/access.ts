import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { checkedInputs, holdsOutput } from "../../schema/arguments.ts";
import { parseArgs } from "../../schema/errors.ts";
import { AccessEntries, type AccessEntrySettings, PrincipalArn } from "../eks-settings.ts";
import type { AccessEntryArgs } from "./eks-cluster-args.ts";

/** An access entry with its defaults, whose ARN may be an output. */
export type AccessEntry = Omit<AccessEntrySettings, "principalArn"> & { readonly principalArn: pulumi.Input<string> };

/** The entries with placeholders for ARNs that are outputs, so that everything else can be checked now. */
export function knownEntries(
  given: readonly AccessEntryArgs[],
  partition = "aws",
): (AccessEntryArgs & { principalArn: string })[] {
  return given.map((entry, index) => ({
    ...entry,
    principalArn:
      typeof entry.principalArn === "string"
        ? entry.principalArn
        : `arn:${partition}:iam::000000000000:role/known-after-deployment-${index}`,
  }));
}

/**
 * Access entries with their defaults. ARNs that are outputs are checked once known.
 * @throws {ArgumentsError} for known values that are invalid.
 */
export function accessEntries(name: string, given: readonly AccessEntryArgs[] = []): AccessEntry[] {
  return parseArgs(name, AccessEntries, knownEntries(given)).map((entry, index) => {
    const arn = given[index]?.principalArn;
    return holdsOutput(arn)
      ? { ...entry, principalArn: checkedInputs(`${name}.${index}.principalArn`, PrincipalArn, arn) }
      : entry;
  });
}

/** Access to a cluster's Kubernetes API. */
export interface AccessArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: pulumi.Input<string>;
  /** AWS partition as in an ARN, such as `aws`. */
  readonly partition: string;
  /** IAM principals with their permissions. */
  readonly entries: readonly AccessEntry[];
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  /** The cluster to depend on; undefined if it already exists. */
  readonly cluster: pulumi.Resource | undefined;
}

/**
 * Grants IAM principals access to the Kubernetes API, through EKS access policies and RBAC groups.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
 */
export function grantAccess(name: string, args: AccessArgs, options: pulumi.CustomResourceOptions): void {
  const { clusterName, partition, tags, cluster } = args;
  for (const [index, { principalArn, groups, policy, namespaces }] of args.entries.entries()) {
    // The name includes account and type: two accounts may have a role of the same name, and so may a user.
    const entryName = `${name}-${typeof principalArn === "string" ? principalArn.split(":").slice(4).join("/") : index}`;
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
        accessScope: namespaces === undefined ? { type: "cluster" } : { type: "namespace", namespaces },
      },
      // Changing the scope replaces the association, but EKS sees old and new as the same one: deleting the old one last would also delete
      // the new one.
      { ...options, dependsOn: entry, deleteBeforeReplace: true },
    );
  }
}
