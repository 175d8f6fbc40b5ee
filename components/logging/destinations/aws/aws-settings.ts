import { z } from "zod";
import { isBucketName, isKeyPrefix, withoutEmptyParts } from "../../../aws/names.ts";
import { RETENTION_DAYS } from "../../../cluster/settings.ts";
import { relation } from "../../../schema/errors.ts";
import { integer, string } from "../../../schema/values.ts";
import { refuse } from "../destination-values.ts";

/** Default retention in days. */
export const RETENTION = { cloudwatch: 30, s3: 90 } as const;

const KmsKeyArn = string(
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
  "the ARN of a KMS key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd",
);

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html */
const LogClass = z.enum(["STANDARD", "INFREQUENT_ACCESS"]);

/** Settings of CloudWatch Logs. */
export const CLOUDWATCH = {
  kind: z.literal("cloudwatch").describe("CloudWatch Logs, in a new or existing log group."),
  logGroup: string(/^[\w./#-]{1,512}$/, "a string of 1 to 512 letters, digits and '_', '-', '/', '.', '#'")
    .optional()
    .describe("Default /eks-dns-logging/CLUSTER/pods."),
  existing: z
    .boolean()
    .default(false)
    .describe("The log group exists, in the cluster's region, and stays unchanged. Default false."),
  retentionDays: z.literal(RETENTION_DAYS).optional().describe(`Retention in days. Default ${RETENTION.cloudwatch}.`),
  class: LogClass.optional().describe("A change replaces the log group. Default STANDARD."),
  kmsKeyArn: KmsKeyArn.optional().describe("KMS key. Default: one of this stack."),
  teams: z
    .record(
      z.string(),
      z.strictObject({
        retentionDays: z.literal(RETENTION_DAYS).optional().describe("Retention in days. Default: the destination's."),
        class: LogClass.optional().describe("Log class. Default: the destination's."),
        kmsKeyArn: KmsKeyArn.optional().describe(
          "Key that encrypts it. Default: the destination's, or one of its own.",
        ),
      }),
    )
    .optional()
    .describe("With index.splitBy team, such as { ts: { retentionDays: 90 } }."),
};

/** Leaves room for the rest in a key, and for the prefixes of all destinations in the policy of a team's readers. */
const MAX_PREFIX = 400;

/** Settings of S3. */
export const S3 = {
  kind: z.literal("s3").describe("S3, in a new or existing bucket."),
  bucket: z
    .string()
    .refine(
      isBucketName,
      "must be 3 to 63 lowercase letters, digits, '-' and '.', and no prefix or suffix that S3 reserves",
    )
    .optional()
    .describe(
      "A change replaces the bucket. NAME-ACCOUNT-REGION-an is in the account's regional namespace. Default CLUSTER-logs-REGION.",
    ),
  prefix: string(/^[\w./-]*$/, "a string of letters, digits and '_', '-', '/', '.'")
    .overwrite(withoutEmptyParts)
    .refine(
      (prefix) => prefix.length <= MAX_PREFIX,
      `must have at most ${MAX_PREFIX} characters, since S3 allows 1024 in a key with the team, the time and the object's own name`,
    )
    .refine(isKeyPrefix, "must have no more '..' than other parts before them, or S3 refuses its keys")
    .default("logs")
    .describe("First part of object keys; '' for none. Default logs."),
  existing: z
    .boolean()
    .default(false)
    .describe("The bucket exists, in the cluster's region, and stays unchanged. Default false."),
  teams: z
    .record(z.string(), z.strictObject({ retentionDays: integer(1, 3653).describe("Retention in days.") }))
    .optional()
    .describe("With index.splitBy team, such as { ts: { retentionDays: 90 } }."),
  kmsKeyArn: KmsKeyArn.optional().describe("KMS key of an existing bucket, unless it is S3's own."),
  retentionDays: integer(1, 3653).optional().describe(`Retention in days. Default ${RETENTION.s3}.`),
};

/** Settings of Amazon Data Firehose. */
export const FIREHOSE = {
  kind: z.literal("firehose").describe("An existing stream of Amazon Data Firehose."),
  stream: string(/^[\w.-]{1,64}$/, "the name of a stream: up to 64 letters, digits and '_', '-', '.'").describe(
    "Stream in the cluster's region.",
  ),
};

type Stored = z.infer<z.ZodObject<typeof CLOUDWATCH>> | z.infer<z.ZodObject<typeof S3>>;

/** Checks the name of a new log group or bucket, and what an existing log group or bucket requires and excludes. */
export function checkStored(destination: Stored, context: z.core.$RefinementCtx): void {
  // @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
  if (destination.kind === "cloudwatch" && !destination.existing && destination.logGroup?.startsWith("aws/")) {
    const message = "must not begin with aws/, since CloudWatch Logs creates no such log group";
    refuse(context, "logGroup", message, destination.logGroup);
  }
  if (destination.kind === "s3" && !destination.existing && destination.bucket?.includes(".")) {
    const message =
      "must have no '.' unless the bucket exists, since browsers and tools find no valid certificate for it";
    refuse(context, "bucket", message, destination.bucket);
  }
  const [key, name] =
    destination.kind === "cloudwatch" ? ["logGroup", destination.logGroup] : ["bucket", destination.bucket];
  if (destination.kind === "s3" && destination.kmsKeyArn !== undefined && !destination.existing)
    relation(context, ["kmsKeyArn", "existing"], "kmsKeyArn requires existing");
  if (!destination.existing) return;
  if (name === undefined) relation(context, ["existing", key], `existing requires ${key}`);
  const { retentionDays } = destination;
  const unchangeable =
    destination.kind === "cloudwatch"
      ? { retentionDays, class: destination.class, kmsKeyArn: destination.kmsKeyArn }
      : { retentionDays };
  for (const [setting, value] of Object.entries(unchangeable)) {
    if (value === undefined) continue;
    const message = `${setting} must not be set with existing: the ${key === "bucket" ? "bucket" : "log group"} keeps its own`;
    relation(context, ["existing", setting], message);
  }
}
