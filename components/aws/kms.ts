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
