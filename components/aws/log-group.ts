import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PolicyStatement } from "./iam.ts";
import type { PodIdentityHost } from "./partition.ts";
import { partitionOf } from "./partition.ts";

/** Whom a key of a log group is for. */
export interface LogGroupKeyArgs {
  /** Account of the key and the log group. */
  readonly accountId: string;
  /** Region of both, such as `eu-central-1`. */
  readonly region: string;
  /** Name of the log group, such as `/aws/eks/dev/cluster`. */
  readonly groupName: string;
  /** Statement id of the log group's permission, such as `PodLogs`. */
  readonly sid: string;
}

/** What CloudWatch Logs asks of the key. */
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
 * The policy of a KMS key that encrypts a log group: IAM of the account decides who else uses the key, and CloudWatch Logs may use it for
 * this one log group.
 * @returns the policy as JSON.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function logGroupKeyPolicy({ accountId, region, groupName, sid }: LogGroupKeyArgs): string {
  const { id, dnsSuffix } = partitionOf(region);
  return JSON.stringify({
    Statement: [
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
            "kms:EncryptionContext:aws:logs:arn": `arn:${id}:logs:${region}:${accountId}:log-group:${groupName}`,
          },
        },
        Effect: "Allow",
        // In China: logs.cn-north-1.amazonaws.com.cn.
        Principal: { Service: `logs.${region}.${dnsSuffix}` },
        Resource: "*",
        Sid: sid,
      },
    ],
    Version: "2012-10-17",
  });
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
  /** Days that the logs are kept. */
  readonly retentionDays: number;
  /** Log class; a change replaces the log group. @default STANDARD */
  readonly class?: "STANDARD" | "INFREQUENT_ACCESS" | undefined;
  /** Key that encrypts it, by ARN. @default a key of its own */
  readonly kmsKeyArn?: pulumi.Input<string> | undefined;
  /** Whether the collector writes to log groups below its name too, those of teams. @default false */
  readonly withTeams?: boolean;
  /** What the collector asks of the group beside making streams and writing to them. */
  readonly actions: readonly string[];
  /** Whether the collector lists the region's log groups to find this one: no smaller right than to list all of them lets it. */
  readonly lists: boolean;
}

/**
 * The log group of destination `cloudwatch`, under a key of its own. The collector may write to it, and nothing else.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export class PodLogGroup extends pulumi.ComponentResource {
  readonly group: aws.cloudwatch.LogGroup;
  /** What a collector needs to write here. */
  readonly statements: pulumi.Output<PolicyStatement[]>;

  constructor(name: string, args: LogGroupArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:PodLogGroup", name, {}, options);
    const { host, groupName } = args;
    const { accountId } = aws.getCallerIdentityOutput({}, { parent: this });
    const groups = accountId.apply((account) => `arn:${host.partition}:logs:${host.region}:${account}:log-group:`);
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
        ...(args.class === undefined ? {} : { logGroupClass: args.class }),
        tags: host.tags,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    this.statements = statementsFor(groups, args);
    this.registerOutputs({ logGroup: this.group.name });
  }
}

/**
 * What a collector needs to write to a log group that exists already.
 * @param parent Of the look-up of the account.
 */
export function existingLogGroup(
  args: Omit<LogGroupArgs, "retentionDays">,
  parent: pulumi.Resource,
): pulumi.Output<PolicyStatement[]> {
  const { accountId } = aws.getCallerIdentityOutput({}, { parent });
  const { partition, region } = args.host;
  return statementsFor(
    accountId.apply((account) => `arn:${partition}:logs:${region}:${account}:log-group:`),
    args,
  );
}

/** @param groups Begins the ARN of each log group in the region. */
function statementsFor(
  groups: pulumi.Output<string>,
  { groupName, actions, lists, withTeams = false }: Pick<LogGroupArgs, "groupName" | "actions" | "lists" | "withTeams">,
): pulumi.Output<PolicyStatement[]> {
  return pulumi.all([groups, groupName]).apply(([anyGroup, known]) => {
    const groupArn = `${anyGroup}${known}`;
    const groupArns = withTeams ? [groupArn, `${groupArn}/*`] : [groupArn];
    const streams = groupArns.map((arn) => `${arn}:*`);
    return [
      {
        Sid: "WriteLines",
        Effect: "Allow" as const,
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: streams,
      },
      ...(actions.length === 0
        ? []
        : [
            {
              Sid: "OfItsGroup",
              Effect: "Allow" as const,
              Action: [...actions],
              Resource: [...groupArns, ...streams],
            },
          ]),
      ...(lists
        ? [
            {
              Sid: "FindsItsGroup",
              Effect: "Allow" as const,
              Action: ["logs:DescribeLogGroups"],
              Resource: [`${anyGroup}*`],
            },
          ]
        : []),
    ];
  });
}

/** The log group of a control plane, with its key. */
export interface ControlPlaneLogsArgs {
  /** Name of the EKS cluster, which names the log group. */
  readonly clusterName: string;
  /** Region, such as `eu-central-1`. */
  readonly region: string;
  /** How long lines are kept, in days. */
  readonly retentionDays: number;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
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
