import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { logGroupKeyPolicy } from "../aws/kms.ts";

/** The log group of a control plane, with its key. */
export interface ControlPlaneLogsArgs {
  /** Name of the EKS cluster, which names the log group. */
  readonly clusterName: string;
  /** Region, such as `eu-central-1`. */
  readonly region: string;
  /** How long lines are kept, in days. */
  readonly retentionDays: number;
  /** Tags of every AWS resource. */
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
        policy: accountId.apply((account) =>
          logGroupKeyPolicy({ accountId: account, region: args.region, groupName, sid: "ControlPlaneLogs" }),
        ),
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
