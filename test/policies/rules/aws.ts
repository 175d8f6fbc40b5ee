import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first, type SampleResource } from "./samples.ts";

const GROUP: SampleResource = {
  type: "aws:cloudwatch/logGroup:LogGroup",
  name: "pods",
  props: { retentionInDays: 7, kmsKeyId: "arn:aws:kms:eu-central-1:123456789012:key/1" },
};
const group = (path: string, to: Value | undefined) => first([GROUP], path, to);
const KEY: SampleResource = { type: "aws:kms/key:Key", name: "key", props: { enableKeyRotation: true } };
const key = (path: string, to: Value | undefined) => first([KEY], path, to);

const STREAM: SampleResource = {
  type: "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
  name: "audit",
  props: { destination: "extended_s3", serverSideEncryption: { enabled: true } },
};
const stream = (path: string, to: Value | undefined) => first([STREAM], path, to);

const VPC: SampleResource = {
  type: "aws:ec2/vpc:Vpc",
  name: "main",
  props: { tags: { project: "lab", environment: "dev" } },
};
const vpc = (path: string, to: Value | undefined) => first([VPC], path, to);
const byProvider = { defaultTags: { tags: { project: "lab", environment: "dev" } } };

export const AWS_CASES: CasesByRule = {
  "aws-log-retention": {
    good: {
      "a week": [GROUP],
      "a class that AWS keeps for two days": first(group("retentionInDays", undefined), "logGroupClass", "DELIVERY"),
    },
    bad: {
      "an unset value": [
        group("retentionInDays", undefined),
        "LogGroup/pods: retentionInDays is not set, so its logs are kept",
      ],
      "no expiry": [group("retentionInDays", 0), "LogGroup/pods: retentionInDays is 0, so its logs are kept forever"],
      "a century": [group("retentionInDays", 36500), "LogGroup/pods: retentionInDays is 36500, longer than 3653 days"],
    },
    unknown: { "unknown days": [group("retentionInDays", UNKNOWN), "LogGroup/pods: retentionInDays is known only"] },
  },
  "aws-log-encryption": {
    good: {
      "a key": [GROUP],
      "a key in the stack": [{ ...GROUP, props: { kmsKeyId: UNKNOWN }, waitsFor: ["key"] }, KEY],
    },
    bad: {
      "no key": [group("kmsKeyId", undefined), "LogGroup/pods: kmsKeyId is not set, so AWS's own key encrypts it"],
      "an empty text": [group("kmsKeyId", ""), 'LogGroup/pods: kmsKeyId is "", so'],
    },
    unknown: { "a key from nowhere": [group("kmsKeyId", UNKNOWN), "LogGroup/pods: kmsKeyId is known only"] },
  },
  "aws-kms-rotation": {
    good: {
      "a key that rotates": [KEY],
      "an asymmetric key, which cannot": first(key("enableKeyRotation", false), "customerMasterKeySpec", "RSA_2048"),
      "a key in CloudHSM, which cannot": first(key("enableKeyRotation", undefined), "customKeyStoreId", "cks-1"),
    },
    bad: {
      "an unset value": [
        key("enableKeyRotation", undefined),
        "Key/key: enableKeyRotation is not set, so the key stays",
      ],
      false: [key("enableKeyRotation", false), "Key/key: enableKeyRotation is false"],
    },
    unknown: {
      "an unknown switch": [key("enableKeyRotation", UNKNOWN), "Key/key: enableKeyRotation is known only"],
      "an unknown kind": [key("customerMasterKeySpec", UNKNOWN), "Key/key: customerMasterKeySpec is known only"],
    },
  },
  "aws-stream-encryption": {
    good: {
      "a stream that is encrypted": [STREAM],
      "a stream that reads another": [
        { ...STREAM, props: { kinesisSourceConfiguration: { kinesisStreamArn: UNKNOWN, roleArn: UNKNOWN } } },
      ],
    },
    bad: {
      "an unset value": [
        stream("serverSideEncryption", undefined),
        "FirehoseDeliveryStream/audit: serverSideEncryption.enabled is not set, so lines wait there unencrypted",
      ],
      false: [
        stream("serverSideEncryption.enabled", false),
        "FirehoseDeliveryStream/audit: serverSideEncryption.enabled is false, so lines",
      ],
    },
    unknown: {
      "an unknown switch": [
        stream("serverSideEncryption.enabled", UNKNOWN),
        "FirehoseDeliveryStream/audit: serverSideEncryption.enabled is known",
      ],
    },
  },
  "aws-tags": {
    good: {
      "both tags": [VPC],
      "a tag whose value is not known": vpc("tags.project", UNKNOWN),
      "tags of the provider": [{ ...VPC, props: {}, provider: byProvider }],
      "the provider's tags and unknown ones": [{ ...VPC, props: { tags: UNKNOWN }, provider: byProvider }],
      "tags as the engine merges them": [{ ...VPC, props: { tagsAll: { project: "lab", environment: "dev" } } }],
    },
    bad: {
      "one missing": [vpc("tags.project", undefined), "Vpc/main: tags: no project, which each"],
      "no tags": [vpc("tags", undefined), "Vpc/main: tags: no project, environment"],
    },
    unknown: { "unknown tags": [vpc("tags", UNKNOWN), "Vpc/main: tags is known only"] },
  },
};
