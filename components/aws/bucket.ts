import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { folderOf, isAccountRegional, shortened } from "./names.ts";
import { bucketArn, type PodIdentityHost } from "./partition.ts";
import { policyText } from "./policy-statements.ts";

/** A bucket for logs. */
export interface LogBucketArgs {
  /** Cluster whose pods get the identity. */
  readonly host: PodIdentityHost;
  /** Name of the bucket, globally unique in AWS. */
  readonly bucketName: pulumi.Input<string>;
  /** Prefix of the keys that a collector may write; empty for all keys. */
  readonly prefix: string;
  /** Days to keep the logs. */
  readonly retentionDays: number;
  /** Shorter retention in days, by key prefix below `prefix`. @default none */
  readonly shorter?: Readonly<Record<string, number>>;
  /** Whether AWS services also deliver logs to the bucket, below `AWSLogs`. @default false */
  readonly takesDeliveries?: boolean;
}

/**
 * The bucket of destination `s3`: encrypted, not public, TLS only, with expiring objects. The collector may only write below its prefix.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
 */
export class LogBucket extends pulumi.ComponentResource {
  readonly bucket: aws.s3.Bucket;
  readonly policy: aws.s3.BucketPolicy;

  constructor(name: string, args: LogBucketArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:LogBucket", name, {}, options);
    const { host, bucketName, prefix } = args;
    const arn = pulumi.output(bucketName).apply((known) => bucketArn(host, known));
    // Without it, S3 refuses a name of the account's namespace, and with it any other.
    const bucketNamespace = pulumi
      .output(bucketName)
      .apply((known) => (isAccountRegional(known) ? "account-regional" : undefined));
    this.bucket = new aws.s3.Bucket(name, { bucket: bucketName, bucketNamespace, tags: host.tags }, { parent: this });
    const inBucket = { bucket: this.bucket.id };
    new aws.s3.BucketPublicAccessBlock(
      name,
      {
        ...inBucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      { parent: this },
    );
    new aws.s3.BucketServerSideEncryptionConfiguration(
      name,
      { ...inBucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
      { parent: this },
    );
    new aws.s3.BucketLifecycleConfiguration(
      name,
      {
        ...inBucket,
        rules: [
          {
            id: "retention",
            status: "Enabled",
            filter: { prefix: folderOf(prefix) },
            expiration: { days: args.retentionDays },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
          },
          // Of two rules for an object, S3 applies the one that expires it sooner.
          ...Object.entries(args.shorter ?? {}).map(([folderName, days]) => ({
            id: ruleId(folderName),
            status: "Enabled",
            filter: { prefix: `${folderName}/` },
            expiration: { days },
          })),
          ...(args.takesDeliveries
            ? [
                {
                  id: ruleId(DELIVERIES),
                  status: "Enabled",
                  filter: { prefix: `${DELIVERIES}/` },
                  expiration: { days: args.retentionDays },
                },
              ]
            : []),
        ],
      },
      { parent: this },
    );
    const account = args.takesDeliveries ? aws.getCallerIdentityOutput({}, { parent: this }).accountId : undefined;
    const policy =
      account === undefined
        ? arn.apply((known) => bucketPolicy(known))
        : pulumi.all([arn, account]).apply(([known, id]) => bucketPolicy(known, { host, id }));
    this.policy = new aws.s3.BucketPolicy(name, { ...inBucket, policy }, { parent: this });
    this.registerOutputs({ bucket: this.bucket.bucket });
  }
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html */
const MAX_RULE_ID = 255;

/** Id of the rule for a folder, unique in the bucket. */
function ruleId(folderName: string): string {
  return shortened(`retention-${folderName}`, MAX_RULE_ID);
}

/** Prefix under which AWS services deliver logs in any bucket. */
const DELIVERIES = "AWSLogs";

/**
 * Denies plain HTTP, and allows an account's log deliveries if one is given.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html
 */
function bucketPolicy(arn: string, account?: { readonly host: PodIdentityHost; readonly id: string }): string {
  const deliveries =
    account === undefined
      ? []
      : [
          {
            Action: "s3:PutObject",
            Condition: {
              ArnLike: {
                "aws:SourceArn": `arn:${account.host.partition}:logs:${account.host.region}:${account.id}:delivery-source:*`,
              },
              StringEquals: { "aws:SourceAccount": account.id, "s3:x-amz-acl": "bucket-owner-full-control" },
            },
            Effect: "Allow",
            Principal: { Service: "delivery.logs.amazonaws.com" },
            Resource: `${arn}/${DELIVERIES}/${account.id}/*`,
            Sid: "DeliverLogs",
          },
        ];
  return policyText([
    {
      Action: "s3:*",
      Condition: { Bool: { "aws:SecureTransport": "false" } },
      Effect: "Deny",
      Principal: "*",
      Resource: [arn, `${arn}/*`],
      Sid: "HttpsOnly",
    },
    ...deliveries,
  ]);
}
