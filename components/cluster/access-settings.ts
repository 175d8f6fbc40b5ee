import ipaddr from "ipaddr.js";
import { z } from "zod";
import { relation } from "../schema/errors.ts";
import { string, unique } from "../schema/values.ts";

const PUBLIC_BLOCK =
  "must be an IPv4 CIDR block of public addresses from /8 to /32, such as 203.0.113.7/32, and never 0.0.0.0/0";
/** EKS sees a caller's address on the internet, and refuses blocks that cannot be one. */
const NOT_PUBLIC = new Set(["private", "carrierGradeNat", "loopback", "linkLocal", "multicast", "unspecified"]);

/** An IPv4 cluster takes no IPv6 blocks. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html */
function isPublicBlock(cidr: string): boolean {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)) return false;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const start = ipaddr.IPv4.networkAddressFromCIDR(cidr).toString();
  return prefix >= 8 && start === address.toString() && !NOT_PUBLIC.has(address.range());
}

/**
 * Who reaches the Kubernetes API. Pulumi makes Kubernetes objects through it, so it has to run where one of the two lets it in.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html
 */
export const EndpointAccess = z
  .strictObject({
    private: z.boolean().default(true).describe("Endpoint in the VPC, which nodes use. Default true."),
    public: z.boolean().default(false).describe("Public endpoint, limited to publicCidrs. Default false."),
    publicCidrs: z
      .array(z.string().refine(isPublicBlock, PUBLIC_BLOCK))
      .max(40)
      .superRefine(unique())
      .default([])
      .describe("CIDR blocks that may reach the public endpoint, never 0.0.0.0/0."),
  })
  .superRefine((access, context) => {
    if (access.public && access.publicCidrs.length === 0)
      relation(context, ["public", "publicCidrs"], "public requires at least one CIDR block in publicCidrs");
    if (!access.public && access.publicCidrs.length > 0)
      relation(context, ["public", "publicCidrs"], "publicCidrs requires public to be true");
    if (!access.public && !access.private)
      relation(context, ["public", "private"], "at least one of private and public must be true");
  });

/** @see https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html */
const ACCESS_POLICIES = [
  "AmazonEKSClusterAdminPolicy",
  "AmazonEKSAdminPolicy",
  "AmazonEKSAdminViewPolicy",
  "AmazonEKSEditPolicy",
  "AmazonEKSViewPolicy",
] as const;

/**
 * An IAM principal that may use the Kubernetes API. The one that makes the cluster is its admin without an entry.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
 */
const AccessEntrySettings = z
  .strictObject({
    principalArn: string(
      /^arn:aws[a-z-]*:iam::\d{12}:(role\/(?!aws-service-role\/)|user\/)\S+$/,
      "the ARN of an IAM role or user, such as arn:aws:iam::111122223333:role/developers",
    ).describe("IAM role or user."),
    groups: z
      .array(string(/^(?!system:)./, "a group that does not start with 'system:'"))
      .superRefine(unique())
      .default([])
      .describe("RBAC groups, such as those in teams[].members."),
    policy: z.enum(ACCESS_POLICIES).optional().describe("EKS access policy."),
    namespaces: z
      .array(z.string().min(1))
      .superRefine(unique())
      .default([])
      .describe("Namespaces that the policy is limited to. Default: all."),
  })
  .superRefine(({ groups, policy, namespaces }, context) => {
    if (policy !== undefined) return;
    if (groups.length === 0) relation(context, ["groups", "policy"], "at least one of groups and policy is required");
    if (namespaces.length > 0) relation(context, ["namespaces", "policy"], "namespaces requires a policy");
  });
export type AccessEntrySettings = z.infer<typeof AccessEntrySettings>;

/** EKS takes one entry a principal. */
export const AccessEntries = z
  .array(AccessEntrySettings)
  .superRefine(unique((entry) => entry.principalArn, ["principalArn"]));
