/** Where a region belongs. */
export interface Partition {
  /** As in an ARN: `aws`, `aws-cn` or `aws-us-gov`. */
  readonly id: string;
  /** End of its services' names. */
  readonly dnsSuffix: string;
}

/** Partitions beside `aws`, by how the names of their regions start. */
const PARTITIONS: readonly (Partition & { readonly start: string })[] = [
  { start: "cn-", id: "aws-cn", dnsSuffix: "amazonaws.com.cn" },
  { start: "us-gov-", id: "aws-us-gov", dnsSuffix: "amazonaws.com" },
  { start: "eusc-", id: "aws-eusc", dnsSuffix: "amazonaws.eu" },
  { start: "us-iso-", id: "aws-iso", dnsSuffix: "c2s.ic.gov" },
  { start: "us-isob-", id: "aws-iso-b", dnsSuffix: "sc2s.sgov.gov" },
  { start: "us-isof-", id: "aws-iso-f", dnsSuffix: "csp.hci.ic.gov" },
  { start: "eu-isoe-", id: "aws-iso-e", dnsSuffix: "cloud.adc-e.uk" },
];

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function partitionOf(region: string): Partition {
  return PARTITIONS.find(({ start }) => region.startsWith(start)) ?? { id: "aws", dnsSuffix: "amazonaws.com" };
}
