import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

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

/** A role that one AWS service takes on, with managed policies. */
export function serviceRole(
  name: string,
  args: {
    service: string;
    actions: string[];
    policies: string[];
    partition: string;
    tags: Readonly<Record<string, string>>;
  },
  options: pulumi.CustomResourceOptions,
): { role: aws.iam.Role; attachments: aws.iam.RolePolicyAttachment[] } {
  const statement = { Action: args.actions, Effect: "Allow", Principal: { Service: args.service } };
  const role = new aws.iam.Role(
    name,
    { assumeRolePolicy: JSON.stringify({ Statement: [statement], Version: "2012-10-17" }), tags: args.tags },
    options,
  );
  const attachments = args.policies.map(
    (policy) =>
      new aws.iam.RolePolicyAttachment(
        `${name}-${policy.split("/").at(-1)}`,
        { role: role.name, policyArn: `arn:${args.partition}:iam::aws:policy/${policy}` },
        options,
      ),
  );
  return { role, attachments };
}
