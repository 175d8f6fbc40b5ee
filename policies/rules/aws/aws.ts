import { type Field, Undecided } from "../../core/resource.ts";
import { aws, count, type Rule, renamed, texts } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";

export const ROLE = "aws:iam/role:Role";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
const KEY = "aws:kms/key:Key";
const STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";

const MAX_DAYS = renamed("longestDays", count("maxDays", "Maximum retention in days", 3653, 1));
const REQUIRED = texts("required", "Required tags, set on the resource or by its provider", ["project", "environment"]);
/** Types whose tags are used for billing or search. */
const TAGGED = [
  "eks:index:Cluster",
  "aws:eks/cluster:Cluster",
  "aws:eks/nodeGroup:NodeGroup",
  "aws:eks/addon:Addon",
  "aws:ec2/vpc:Vpc",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/natGateway:NatGateway",
  "aws:ec2/eip:Eip",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:ec2/securityGroup:SecurityGroup",
  ROLE,
  KEY,
  LOG_GROUP,
  STREAM,
  "aws:s3/bucket:Bucket",
  "aws:s3/bucketV2:BucketV2",
];

/** Retention, encryption and tags in the account. */
export const AWS: readonly Rule[] = [
  {
    id: "aws-log-retention",
    family: "aws",
    level: "mandatory",
    title: "Log groups have a retention period",
    reason: "Without one, logs are paid for forever.",
    fix: "set retentionInDays",
    source: aws("CloudWatch Logs retention", "AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"),
    options: [MAX_DAYS],
    types: [LOG_GROUP],
    check: (group, report, settings) => {
      const days = group.at("retentionInDays");
      const set = days.number() ?? 0;
      // AWS keeps lines of this class for two days, whatever is set.
      if (group.at("logGroupClass").raw === "DELIVERY") return;
      if (set === 0) report.wrong(days, "so its logs are kept forever");
      else if (set > settings.get(MAX_DAYS)) report.wrong(days, `longer than ${settings.get(MAX_DAYS)} days`);
    },
  },
  {
    id: "aws-log-encryption",
    family: "aws",
    level: "mandatory",
    title: "Log groups are encrypted with a customer-managed KMS key",
    reason: "Such a key controls and audits who reads them.",
    fix: "set kmsKeyId to the ARN of a KMS key",
    source: aws("Encrypt log data by KMS", "AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"),
    types: [LOG_GROUP, KEY],
    checkStack: (stack, report) =>
      report.each(stack.ofType(LOG_GROUP), (group) => {
        const key = group.at("kmsKeyId");
        if (!isEncrypted(stack, key)) report.wrong(key, "so AWS's own key encrypts it");
      }),
  },
  {
    id: "aws-stream-encryption",
    family: "aws",
    level: "mandatory",
    title: "Streams of Amazon Data Firehose are encrypted",
    reason: "Lines wait in them before they arrive.",
    fix: "set serverSideEncryption: {enabled: true}, or encrypt the Kinesis stream that is its source",
    source: aws("Data protection in Amazon Data Firehose", "firehose/latest/dev/encryption.html"),
    types: [STREAM],
    check: (stream, report) => {
      // Firehose stores nothing that it reads from another stream.
      const sources = [stream.at("kinesisSourceConfiguration"), stream.at("mskSourceConfiguration")];
      if (sources.some((source) => source.isSet || source.isUnknown)) return;
      const enabled = stream.at("serverSideEncryption", "enabled");
      if (enabled.flag() !== true) report.wrong(enabled, "so lines wait there unencrypted");
    },
  },
  {
    id: "aws-kms-rotation",
    family: "aws",
    level: "mandatory",
    title: "KMS keys are rotated",
    reason: "Otherwise one key material protects all data.",
    fix: "set enableKeyRotation: true",
    source: aws("Rotate KMS keys", "kms/latest/developerguide/rotate-keys.html"),
    types: [KEY],
    check: (key, report) => {
      // AWS rotates neither other kinds nor keys in a custom key store.
      const symmetric = ["SYMMETRIC_DEFAULT", undefined].includes(key.at("customerMasterKeySpec").text());
      if (key.at("customKeyStoreId").isUnknown || key.at("customKeyStoreId").isSet) return;
      const rotation = key.at("enableKeyRotation");
      if (symmetric && rotation.flag() !== true) report.wrong(rotation, "so the key stays the same forever");
    },
  },
  {
    id: "aws-tags",
    family: "aws",
    level: "advisory",
    title: "Resources have the required tags",
    reason: "They show owner and cost.",
    fix: "set the tag, or the provider's defaultTags; in a stack file of eks-dns-logging, cluster.tags",
    source: aws("Tagging best practices", "whitepapers/latest/tagging-best-practices/tagging-best-practices.html"),
    options: [REQUIRED],
    types: TAGGED,
    check: (resource, report, settings) => {
      const places = [resource.at("tags"), resource.at("tagsAll"), resource.provider.at("defaultTags", "tags")];
      const lacking = settings.get(REQUIRED).filter((tag) => {
        // An unknown value counts as one; an unknown group of tags may lack the tag.
        const known = places.filter((tags) => !tags.isUnknown).map((tags) => tags.at(tag));
        return !known.some((field) => field.isUnknown || field.isSet);
      });
      if (lacking.length === 0) return;
      // Undecided if a group of tags is unknown.
      for (const tags of places) tags.entries();
      report.wrongIn(resource.at("tags"), `no ${lacking.join(", ")}`, "which each resource needs");
    },
  },
];

const KEYS = [KEY, "aws:kms/replicaKey:ReplicaKey", "aws:kms/externalKey:ExternalKey", "aws:kms/alias:Alias"];

/**
 * Whether a field names a KMS key. The ARN of a key in the stack is unknown in a plan: the resource's dependencies decide.
 * @throws {Undecided} if it depends on no key, or its dependencies are unknown.
 */
export function isEncrypted(stack: Stack, key: Field): boolean {
  if (!key.isUnknown) return (key.text() ?? "") !== "";
  const [input] = key.path.split(/[.[]/);
  const dependencies = stack.dependenciesOf(key.owner, input) ?? [];
  if (dependencies.some(({ type }) => KEYS.includes(type))) return true;
  throw new Undecided(key);
}
