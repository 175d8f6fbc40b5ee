import type * as pulumi from "@pulumi/pulumi";

/** A group of AWS regions that share accounts, ARN format and endpoints. */
export interface Partition {
  /** As in an ARN: `aws`, `aws-cn` or `aws-us-gov`. */
  readonly id: string;
  /** Suffix of its endpoints, such as `amazonaws.com`. */
  readonly dnsSuffix: string;
}

/** Partitions other than `aws`, with the prefix of their region names. */
const PARTITIONS: readonly (Partition & { readonly start: string })[] = [
  { start: "cn-", id: "aws-cn", dnsSuffix: "amazonaws.com.cn" },
  { start: "us-gov-", id: "aws-us-gov", dnsSuffix: "amazonaws.com" },
  { start: "eusc-", id: "aws-eusc", dnsSuffix: "amazonaws.eu" },
  { start: "us-iso-", id: "aws-iso", dnsSuffix: "c2s.ic.gov" },
  { start: "us-isob-", id: "aws-iso-b", dnsSuffix: "sc2s.sgov.gov" },
  { start: "us-isof-", id: "aws-iso-f", dnsSuffix: "csp.hci.ic.gov" },
  { start: "eu-isoe-", id: "aws-iso-e", dnsSuffix: "cloud.adc-e.uk" },
];

/** Partitions for which this program knows all ARNs and endpoints that it uses. */
export const SUPPORTED_PARTITIONS: readonly string[] = ["aws", "aws-cn", "aws-us-gov"];

/**
 * The partition of a region.
 * @param region such as `eu-central-1`.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function partitionOf(region: string): Partition {
  return PARTITIONS.find(({ start }) => region.startsWith(start)) ?? { id: "aws", dnsSuffix: "amazonaws.com" };
}

/** Services whose VPC endpoint names in China have the usual prefix. */
const COMMON_PREFIX_IN_CHINA: readonly string[] = ["s3", "logs"];

/**
 * Name of a VPC endpoint service: `com.amazonaws.eu-central-1.ecr.api`, and in China `cn.com.amazonaws.cn-north-1.ecr.api`.
 * @param service The service's part of the name, such as `ecr.api`.
 * @see https://docs.amazonaws.cn/en_us/vpc/latest/privatelink/aws-services-privatelink-support.html
 */
export function endpointService(region: string, service: string): string {
  const isChina = partitionOf(region).id === "aws-cn" && !COMMON_PREFIX_IN_CHINA.includes(service);
  return `${isChina ? "cn." : ""}com.amazonaws.${region}.${service}`;
}

/**
 * A cluster whose service accounts get IAM roles through EKS Pod Identity.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
 */
export interface PodIdentityHost {
  /** Name of the EKS cluster. */
  readonly clusterName: pulumi.Input<string>;
  /** AWS region, such as `eu-central-1`. */
  readonly region: string;
  /** ARN partition of the region: `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  /** The Pod Identity agent's add-on: pods that start before it get no credentials. Undefined if the cluster already has it. */
  readonly agent?: pulumi.Resource | undefined;
}

/** Partition and region of an ARN. */
interface ArnPlace {
  readonly partition: string;
  readonly region: string;
}

/** ARN of a bucket. */
export function bucketArn({ partition }: Pick<ArnPlace, "partition">, name: string): string {
  return `arn:${partition}:s3:::${name}`;
}

/** ARN of a log group of CloudWatch Logs. */
export function logGroupArn({ partition, region }: ArnPlace, account: string, name: string): string {
  return `arn:${partition}:logs:${region}:${account}:log-group:${name}`;
}

/** ARN of a stream of Amazon Data Firehose. */
export function streamArn({ partition, region }: ArnPlace, account: string, name: string): string {
  return `arn:${partition}:firehose:${region}:${account}:deliverystream/${name}`;
}

/** The last part of an ARN, such as `orders` of a policy `team/orders`. */
export function arnName(arn: string): string {
  return arn.split("/").at(-1) ?? arn;
}

/** A path of IAM, which may be empty. @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
const IAM_PATH = "(?:[!-~]{1,510}\\/)?";
const IAM_CHARACTER = "[\\w+=,.@-]";

/** ARNs of what IAM accepts as a role, a user or a policy. EKS grants nothing to the roles of AWS services. */
export const IAM_ARNS = {
  role: iamArn("\\d{12}:role\\/(?!aws-service-role\\/)", 64),
  principal: iamArn("\\d{12}:(?:role\\/(?!aws-service-role\\/)|user\\/)", 64),
  policy: iamArn("(?:aws|\\d{12}):policy\\/", 128),
};

function iamArn(start: string, maxName: number): RegExp {
  return new RegExp(`^arn:aws(?:-[a-z]+)*:iam::${start}${IAM_PATH}${IAM_CHARACTER}{1,${maxName}}$`);
}
