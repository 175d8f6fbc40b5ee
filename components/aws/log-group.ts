import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PodIdentityHost, PolicyStatement } from "./iam.ts";
import { logGroupKeyPolicy } from "./kms.ts";

/** A log group for pod logs, with its key. */
export interface LogGroupArgs {
  /** Cluster whose pods get the identity. */
  readonly host: PodIdentityHost;
  /** Name of the log group. */
  readonly groupName: string;
  /** Days that the logs are kept. */
  readonly retentionDays: number;
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
    const arn = pulumi.interpolate`${groups}${groupName}`;
    const key = new aws.kms.Key(
      `${name}-key`,
      {
        description: `Log group ${groupName}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: accountId.apply((account) =>
          logGroupKeyPolicy({ accountId: account, region: host.region, groupName, sid: "PodLogs" }),
        ),
        tags: host.tags,
      },
      { parent: this },
    );
    this.group = new aws.cloudwatch.LogGroup(
      name,
      { name: groupName, retentionInDays: args.retentionDays, kmsKeyId: key.arn, tags: host.tags },
      { parent: this, deleteBeforeReplace: true },
    );
    this.statements = pulumi.all([arn, groups]).apply(([groupArn, anyGroup]) => [
      {
        Sid: "WriteLines",
        Effect: "Allow" as const,
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: [`${groupArn}:*`],
      },
      ...(args.actions.length === 0
        ? []
        : [
            {
              Sid: "OfItsGroup",
              Effect: "Allow" as const,
              Action: [...args.actions],
              Resource: [groupArn, `${groupArn}:*`],
            },
          ]),
      ...(args.lists
        ? [
            {
              Sid: "FindsItsGroup",
              Effect: "Allow" as const,
              Action: ["logs:DescribeLogGroups"],
              Resource: [`${anyGroup}*`],
            },
          ]
        : []),
    ]);
    this.registerOutputs({ logGroup: this.group.name });
  }
}
