import ipaddr from "ipaddr.js";
import { z } from "zod";
import { networkIssue, string, unique } from "../../schema/values.ts";

/** The two subnets of a zone, as CIDR blocks. */
export interface ZoneSubnets {
  readonly private: string;
  readonly public: string;
}

/** Maximum number of zones in a VPC: EKS uses two or three, and no region has more than six. */
export const MAX_ZONES = 6;
/** Allowed prefix lengths of a VPC: AWS allows /16 to /28, and below /22 the public subnets would be too small. */
export const VPC_PREFIXES = { shortest: 16, longest: 22 };

/**
 * Divides a VPC into eighths: one for the private subnet of each zone; the last is divided into eighths again, for the public subnets.
 *
 * Private subnets hold the pods' addresses, public ones only NAT gateways and load balancers: hence /19 and /22 in a /16. A zone's blocks
 * depend only on its index, so that adding a zone moves no existing subnet.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
 */
export function cutSubnets(cidr: string, zones: number): ZoneSubnets[] {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const base = toNumber(address);
  const block = (prefixLength: number, index: number, from: number) =>
    `${fromNumber(from + index * 2 ** (32 - prefixLength))}/${prefixLength}`;
  const publicStart = base + 7 * 2 ** (32 - prefix - 3);
  return Array.from({ length: zones }, (_, zone) => ({
    private: block(prefix + 3, zone, base),
    public: block(prefix + 6, zone, publicStart),
  }));
}

function toNumber(address: ipaddr.IPv4): number {
  return address.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
}

function fromNumber(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Why a string is not a CIDR block for a VPC; undefined if it is. */
export function vpcCidrIssue(cidr: string): string | undefined {
  const message = `must be a private IPv4 CIDR block from /${VPC_PREFIXES.shortest} to /${VPC_PREFIXES.longest}, such as 10.0.0.0/16`;
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)) return message;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  if (prefix < VPC_PREFIXES.shortest || prefix > VPC_PREFIXES.longest || address.range() !== "private") return message;
  return networkIssue(cidr);
}

export const VpcCidr = z
  .string("must be a private IPv4 CIDR block, such as 10.0.0.0/16")
  .superRefine((cidr, context) => {
    const message = vpcCidrIssue(cidr);
    if (message !== undefined) context.addIssue({ code: "custom", message, input: cidr });
  });

const ZONE = "an availability zone of the region, such as eu-central-1a";
const ZONES = `must be an integer from 2 to ${MAX_ZONES}, or that many zones by name, such as [eu-central-1a, eu-central-1b]`;
const Zones = z
  .array(string(/^[a-z]{2,4}(-[a-z]+)+-\d[a-z]$/, ZONE))
  .min(2, ZONES)
  .max(MAX_ZONES, ZONES)
  .superRefine(unique());

/**
 * The network of a cluster that this stack creates. Adding a zone moves no subnet, new nodes start before old ones stop, and another NAT
 * mode replaces nothing. Another `cidr` or order of zones requires other subnets, which AWS rejects while a cluster uses the old ones.
 */
export const VpcSettings = z.strictObject({
  cidr: VpcCidr.default("10.0.0.0/16").describe("IPv4 block, /16 to /22, fixed after creation. Default 10.0.0.0/16."),
  zones: z
    .union([z.int(ZONES).min(2, ZONES).max(MAX_ZONES, ZONES), Zones], ZONES)
    .default(2)
    .describe("Number of availability zones, or names; append new ones. Default 2."),
  nat: z
    .enum(["single", "per-zone"])
    .default("single")
    .describe("NAT gateways; per-zone survives a zone failure. Default single."),
  endpoints: z
    .array(z.enum(["s3", "ecr.api", "ecr.dkr", "logs", "sts", "ec2", "eks-auth"]))
    .superRefine(unique())
    .default(["s3"])
    .describe("Services reached without NAT; all but s3 cost. Default s3."),
});
export type VpcSettings = z.infer<typeof VpcSettings>;

const SubnetIds = z
  .array(string(/^subnet-[0-9a-f]{8}([0-9a-f]{9})?$/, "a subnet ID, such as subnet-0123456789abcdef0"))
  .superRefine(unique());

/**
 * An existing network. Nothing in it is changed: load balancers only find subnets that their owner has tagged.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
 */
export const ExistingVpcSettings = z.strictObject({
  id: string(/^vpc-[0-9a-f]{8}([0-9a-f]{9})?$/, "a VPC ID, such as vpc-0123456789abcdef0").describe("ID."),
  privateSubnetIds: SubnetIds.min(2, "must have at least 2 subnets, in different availability zones").describe(
    "Subnets with outbound access; add only in the same zones.",
  ),
});
export type ExistingVpcSettings = z.infer<typeof ExistingVpcSettings>;
