import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PodIdentityHost } from "../cluster/handle.ts";

export interface PodIdentityArgs {
  readonly host: PodIdentityHost;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** What the pods may do; resources by ARN. */
  readonly statements: pulumi.Input<readonly PolicyStatement[]>;
}

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

/**
 * An IAM role for the pods of one service account. Only EKS can take it on, and only for that account of that cluster.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
 */
export class PodIdentity extends pulumi.ComponentResource {
  /** Pods must start after it: one that is older gets no credentials. */
  readonly association: aws.eks.PodIdentityAssociation;

  constructor(name: string, args: PodIdentityArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:PodIdentity", name, {}, options);
    const { host, namespace, serviceAccount } = args;
    const role = new aws.iam.Role(
      name,
      {
        assumeRolePolicy: pulumi
          .output(host.clusterName)
          .apply((cluster) => trustPolicy(cluster, namespace, serviceAccount)),
        tags: host.tags,
      },
      { parent: this },
    );
    const policy = new aws.iam.RolePolicy(
      name,
      {
        role: role.name,
        policy: pulumi
          .output(args.statements)
          .apply((statements) => JSON.stringify({ Statement: statements, Version: "2012-10-17" })),
      },
      { parent: this },
    );
    this.association = new aws.eks.PodIdentityAssociation(
      name,
      { clusterName: host.clusterName, namespace, serviceAccount, roleArn: role.arn, tags: host.tags },
      { parent: this, dependsOn: [policy, host.agent] },
    );
    this.registerOutputs({ roleArn: role.arn });
  }
}

/** EKS tags each session with what asked for it, and the trust holds for these tags alone. */
function trustPolicy(cluster: string, namespace: string, serviceAccount: string): string {
  return JSON.stringify({
    Statement: [
      {
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: {
          StringEquals: {
            "aws:RequestTag/eks-cluster-name": cluster,
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": serviceAccount,
          },
        },
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
      },
    ],
    Version: "2012-10-17",
  });
}
