import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { deliveryRole } from "../../aws/iam.ts";
import { shortened } from "../../aws/names.ts";
import { bucketArn, type PodIdentityHost, streamArn } from "../../aws/partition.ts";
import type { PolicyStatement } from "../../aws/policy-statements.ts";
import { bucketNameOf, type LateTarget, whenKnown } from "../destinations/aws/aws-destinations.ts";
import { withName } from "../pipeline.ts";
import { filteredTargets } from "../routing/routes.ts";
import { controlPlaneGroup, sourcePlace } from "./source.ts";

/** A control plane's audit log, and its destinations. */
export interface AuditLogArgs {
  /** The EKS cluster. */
  readonly host: PodIdentityHost;
  /** Name of the cluster, as in bucket names. */
  readonly cluster: string;
  /** Logs that the control plane writes. @default unknown, and not checked */
  readonly logTypes?: pulumi.Input<readonly string[] | undefined>;
  /** Destinations of the stack. */
  readonly targets: readonly LateTarget[];
  /** Prerequisites: the cluster, and the buckets. */
  readonly dependsOn: readonly pulumi.Resource[];
}

/** Matches only audit log lines: all of them are JSON with this key. @see https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
const AUDIT_PATTERN = '{ $.apiVersion = "audit.k8s.io/v1" }';

/**
 * Forwards the audit log of an EKS control plane, which EKS writes to a log group of CloudWatch Logs: by a subscription filter to a
 * stream of Amazon Data Firehose, an existing one or a new one that writes to S3.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
 */
export class AuditLog extends pulumi.ComponentResource {
  constructor(name: string, args: AuditLogArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:AuditLog", name, {}, options);
    const { host, targets } = args;
    const { accountId } = aws.getCallerIdentityOutput({}, { parent: this });
    const group = pulumi.all([host.clusterName, args.logTypes]).apply(([cluster, types]) => {
      requireAudit(cluster, types);
      return controlPlaneGroup(cluster);
    });
    for (const target of filteredTargets(targets)) {
      const ownName = withName(name, target.suffix);
      const { destination } = target;
      const isExisting = destination.kind === "firehose";
      const ownStream = auditStreamName(args.cluster, target.suffix);
      const stream = isExisting ? whenKnown(target, "firehose", (known) => known.stream) : pulumi.output(ownStream);
      // As text, so that a preview shows the role's permissions.
      const arn = pulumi.all([accountId, stream]).apply(([account, known]) => streamArn(host, account, known));
      const ready = isExisting ? [] : [this.#stream(ownName, ownStream, target, accountId, args)];
      const role = deliveryRole(
        `${ownName}-filter`,
        {
          service: "logs.amazonaws.com",
          condition: accountId.apply((account) => ({
            StringLike: { "aws:SourceArn": `arn:${host.partition}:logs:${host.region}:${account}:*` },
          })),
          statements: arn.apply((known) => [
            {
              Sid: "PutRecords",
              Effect: "Allow" as const,
              Action: ["firehose:PutRecord", "firehose:PutRecordBatch"],
              Resource: [known],
            },
          ]),
          tags: host.tags,
        },
        { parent: this },
      );
      new aws.cloudwatch.LogSubscriptionFilter(
        ownName,
        { logGroup: group, filterPattern: AUDIT_PATTERN, destinationArn: arn, roleArn: role.arn },
        { parent: this, dependsOn: [...args.dependsOn, role.policy, ...ready] },
      );
    }
    this.registerOutputs({});
  }

  /**
   * The stream to a bucket. Its objects are like a collector's: compressed JSON lines, below the source's prefix and the hour.
   * @see https://docs.aws.amazon.com/firehose/latest/dev/writing-with-cloudwatch-logs-decompression.html
   * @see https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
   */
  #stream(
    name: string,
    streamName: string,
    target: LateTarget,
    accountId: pulumi.Output<string>,
    { host, cluster, dependsOn }: AuditLogArgs,
  ): pulumi.Resource {
    const { destination } = target;
    if (destination.kind !== "s3") throw new Error(`audit to ${destination.kind} passed the settings`);
    const arn = bucketNameOf(target, cluster, host.region).apply((known) => bucketArn(host, known));
    const key = whenKnown(target, "s3", ({ existing, kmsKeyArn }) => (existing ? kmsKeyArn : undefined));
    const place = sourcePlace(destination.prefix, "audit");
    const role = deliveryRole(
      `${name}-stream`,
      {
        service: "firehose.amazonaws.com",
        condition: accountId.apply((account) => ({ StringEquals: { "sts:ExternalId": account } })),
        statements: pulumi.all([arn, key]).apply(([bucket, kmsKeyArn]) => writeStatements(bucket, place, kmsKeyArn)),
        tags: host.tags,
      },
      { parent: this },
    );
    return new aws.kinesis.FirehoseDeliveryStream(
      `${name}-stream`,
      {
        name: streamName,
        destination: "extended_s3",
        extendedS3Configuration: {
          bucketArn: arn,
          roleArn: role.arn,
          prefix: `${place}/!{timestamp:yyyy/MM/dd/HH}/`,
          errorOutputPrefix: `${place}-errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/`,
          bufferingInterval: 300,
          bufferingSize: 64,
          compressionFormat: "GZIP",
          fileExtension: ".gz",
          processingConfiguration: { enabled: true, processors: PROCESSORS },
        },
        serverSideEncryption: { enabled: true, keyType: "AWS_OWNED_CMK" },
        tags: host.tags,
      },
      // Stream names are unique.
      { parent: this, dependsOn: [...dependsOn, role.policy], deleteBeforeReplace: true },
    );
  }
}

/** Longest stream name. @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html */
const MAX_STREAM_NAME = 64;

/** Name of the stream that sends the audit log to a destination. A long one is truncated, with a hash for uniqueness. */
export function auditStreamName(cluster: string, suffix: string | undefined): string {
  const end = withName("-audit", suffix);
  return shortened(cluster, MAX_STREAM_NAME - end.length) + end;
}

/** Extracts the lines from CloudWatch Logs' compressed envelope, and ends each with a line break. */
const PROCESSORS = [
  { type: "Decompression", parameters: [{ parameterName: "CompressionFormat", parameterValue: "GZIP" }] },
  { type: "CloudWatchLogProcessing", parameters: [{ parameterName: "DataMessageExtraction", parameterValue: "true" }] },
  { type: "AppendDelimiterToRecord" },
];

/**
 * Firehose's permissions to write below a prefix, and to that of failed records.
 * @see https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3
 */
function writeStatements(bucket: string, place: string, kmsKeyArn: string | undefined): PolicyStatement[] {
  return [
    {
      Sid: "WriteObjects",
      Effect: "Allow",
      Action: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
      Resource: [`${bucket}/${place}/*`, `${bucket}/${place}-errors/*`],
    },
    {
      Sid: "FindBucket",
      Effect: "Allow",
      Action: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
      Resource: [bucket],
    },
    ...(kmsKeyArn === undefined
      ? []
      : [
          {
            Sid: "EncryptObjects",
            Effect: "Allow" as const,
            Action: ["kms:Decrypt", "kms:GenerateDataKey"],
            Resource: [kmsKeyArn],
          },
        ]),
  ];
}

/** @throws {pulumi.RunError} if the control plane is known not to write its audit log. */
export function requireAudit(cluster: string, types: readonly string[] | undefined): void {
  if (types === undefined || types.includes("audit")) return;
  throw new pulumi.RunError(
    `logging.sources: must not contain audit, since EKS writes no audit log for ${cluster}: enable its log type audit`,
  );
}
