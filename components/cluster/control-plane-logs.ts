import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Partition } from "../aws/partition.ts";

export interface ControlPlaneLogsArgs {
  readonly clusterName: string;
  readonly region: string;
  readonly partition: Partition;
  readonly retentionDays: number;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The key of the cluster's secrets and logs, and the log group of the control plane. EKS would make the group itself, without
 * a key and for ever, so it has to be there first. Lines that come late make it anew after it was destroyed: a group that is in the way of
 * the next cluster of this name is such a leftover, and `aws logs delete-log-group` takes it away.
 * @see https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2763
 * @see https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export class ControlPlaneLogs extends pulumi.ComponentResource {
  readonly key: aws.kms.Key;
  readonly group: aws.cloudwatch.LogGroup;

  constructor(name: string, args: ControlPlaneLogsArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:cluster:ControlPlaneLogs", name, {}, options);
    const { accountId } = aws.getCallerIdentityOutput({}, { parent: this });
    const groupName = `/aws/eks/${args.clusterName}/cluster`;
    this.key = new aws.kms.Key(
      `${name}-key`,
      {
        description: `Secrets and control-plane logs of the EKS cluster ${args.clusterName}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: accountId.apply((account) => keyPolicy(account, groupName, args)),
        tags: args.tags,
      },
      { parent: this },
    );
    new aws.kms.Alias(
      `${name}-key`,
      { name: `alias/eks/${args.clusterName}`, targetKeyId: this.key.keyId },
      { parent: this },
    );
    this.group = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { name: groupName, retentionInDays: args.retentionDays, kmsKeyId: this.key.arn, tags: args.tags },
      { parent: this, deleteBeforeReplace: true },
    );
    this.registerOutputs({ logGroup: this.group.name });
  }
}

const LOG_ACTIONS = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

/** The account decides by IAM who uses the key, as for any key; CloudWatch Logs may use it for this one group. */
function keyPolicy(account: string, groupName: string, { region, partition }: ControlPlaneLogsArgs): string {
  return JSON.stringify({
    Statement: [
      {
        Action: "kms:*",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition.id}:iam::${account}:root` },
        Resource: "*",
        Sid: "AccountByIam",
      },
      {
        Action: LOG_ACTIONS,
        Condition: {
          ArnEquals: {
            "kms:EncryptionContext:aws:logs:arn": `arn:${partition.id}:logs:${region}:${account}:log-group:${groupName}`,
          },
        },
        Effect: "Allow",
        Principal: { Service: `logs.${region}.${partition.dnsSuffix}` },
        Resource: "*",
        Sid: "ControlPlaneLogs",
      },
    ],
    Version: "2012-10-17",
  });
}
