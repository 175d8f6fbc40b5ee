import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { logGroupArn, type PodIdentityHost, partitionOf } from "./partition.ts";
import { policyText } from "./policy-statements.ts";

/** The log group that a key encrypts. */
export interface LogGroupKeyArgs {
  /** Account of the key and the log group. */
  readonly accountId: string;
  /** Region of the key and the log group, such as `eu-central-1`. */
  readonly region: string;
  /** Name of the log group, such as `/aws/eks/dev/cluster`. */
  readonly groupName: string;
  /** Id of the policy statement, such as `PodLogs`. */
  readonly sid: string;
}

/** KMS actions that CloudWatch Logs needs. */
const LOG_ACTIONS = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

/**
 * The policy of a KMS key for a log group: IAM of the account grants all other use, and CloudWatch Logs may only use it for this log group.
 * @returns the policy as JSON.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function logGroupKeyPolicy({ accountId, region, groupName, sid }: LogGroupKeyArgs): string {
  const { id, dnsSuffix } = partitionOf(region);
  return policyText([
    {
      Action: "kms:*",
      Effect: "Allow",
      Principal: { AWS: `arn:${id}:iam::${accountId}:root` },
      Resource: "*",
      Sid: "AccountByIam",
    },
    {
      Action: LOG_ACTIONS,
      Condition: {
        ArnEquals: {
          "kms:EncryptionContext:aws:logs:arn": logGroupArn({ partition: id, region }, accountId, groupName),
        },
      },
      Effect: "Allow",
      // In China: logs.cn-north-1.amazonaws.com.cn.
      Principal: { Service: `logs.${region}.${dnsSuffix}` },
      Resource: "*",
      Sid: sid,
    },
  ]);
}

function logGroupKey(
  name: string,
  args: Omit<LogGroupKeyArgs, "accountId" | "groupName"> & {
    groupName: pulumi.Input<string>;
    description: pulumi.Input<string>;
    tags: Readonly<Record<string, pulumi.Input<string>>>;
  },
  accountId: pulumi.Output<string>,
  options: pulumi.CustomResourceOptions,
): aws.kms.Key {
  const { description, tags, groupName, ...group } = args;
  return new aws.kms.Key(
    name,
    {
      description,
      enableKeyRotation: true,
      deletionWindowInDays: 30,
      policy: pulumi
        .all([accountId, groupName])
        .apply(([account, known]) => logGroupKeyPolicy({ ...group, accountId: account, groupName: known })),
      tags,
    },
    options,
  );
}

/** A log group for pod logs, with its key. */
export interface LogGroupArgs {
  /** Cluster whose pods get the identity. */
  readonly host: PodIdentityHost;
  /** Name of the log group. */
  readonly groupName: pulumi.Input<string>;
  /** Days to keep the logs. */
  readonly retentionDays: number;
  /** Log class; changing it replaces the log group. @default STANDARD */
  readonly class?: "STANDARD" | "INFREQUENT_ACCESS" | undefined;
  /** ARN of the KMS key. @default a key of its own */
  readonly kmsKeyArn?: pulumi.Input<string> | undefined;
}

/**
 * The log group of destination `cloudwatch`, with its own key. The collector may only write to it.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export class PodLogGroup extends pulumi.ComponentResource {
  readonly group: aws.cloudwatch.LogGroup;

  constructor(name: string, args: LogGroupArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:PodLogGroup", name, {}, options);
    const { host, groupName } = args;
    const { accountId } = aws.getCallerIdentityOutput({}, { parent: this });
    const ownKey = () =>
      logGroupKey(
        `${name}-key`,
        {
          description: pulumi.interpolate`Log group ${groupName}`,
          region: host.region,
          groupName,
          sid: "PodLogs",
          tags: host.tags,
        },
        accountId,
        { parent: this },
      );
    this.group = new aws.cloudwatch.LogGroup(
      name,
      {
        name: groupName,
        retentionInDays: args.retentionDays,
        kmsKeyId: args.kmsKeyArn ?? ownKey().arn,
        logGroupClass: args.class,
        tags: host.tags,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    this.registerOutputs({ logGroup: this.group.name });
  }
}

/** The log group of a control plane, with its key. */
export interface ControlPlaneLogsArgs {
  /** Name of the EKS cluster, which determines the log group's name. */
  readonly clusterName: string;
  /** Region, such as `eu-central-1`. */
  readonly region: string;
  /** Days to keep the logs. */
  readonly retentionDays: number;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * The key for the cluster's secrets and logs, and the log group of the control plane. The log group must exist before the cluster, because
 * EKS would create one without a key and without expiry. Late lines recreate it after `pulumi destroy`; if such a leftover blocks the next
 * cluster of this name, `aws logs delete-log-group` removes it.
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
    this.key = logGroupKey(
      `${name}-key`,
      {
        description: `Secrets and control-plane logs of the EKS cluster ${args.clusterName}`,
        region: args.region,
        groupName,
        sid: "ControlPlaneLogs",
        tags: args.tags,
      },
      accountId,
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
