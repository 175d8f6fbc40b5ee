import { addonDefaults } from "eks-dns-logging-corefile/addon";
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { IAM_ARNS, partitionOf } from "../aws/partition.ts";
import { IP_FAMILIES, type IpFamily } from "../kubernetes/ip-family.ts";
import { relation, type SettingsIssue } from "../schema/errors.ts";
import { networkIssue, string, unique } from "../schema/values.ts";

/** Versions of the add-ons other than CoreDNS. */
export interface AddonVersions {
  readonly vpcCni: string;
  readonly kubeProxy: string;
  readonly podIdentityAgent: string;
}

/**
 * Kubernetes versions in standard support.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
 */
export const KUBERNETES_VERSIONS = ["1.34", "1.35", "1.36"] as const;
export type KubernetesVersion = (typeof KUBERNETES_VERSIONS)[number];

const VPC_CNI = addonDefaults("vpc-cni");
const KUBE_PROXY = addonDefaults("kube-proxy");
const POD_IDENTITY = addonDefaults("eks-pod-identity-agent");

/** Add-on versions that EKS offers for a Kubernetes version. @throws Error if the data lacks one. */
export function addonVersions(version: KubernetesVersion): AddonVersions {
  const [vpcCni, kubeProxy, podIdentityAgent] = [VPC_CNI[version], KUBE_PROXY[version], POD_IDENTITY[version]];
  if (vpcCni === undefined || kubeProxy === undefined || podIdentityAgent === undefined)
    throw new Error(`no add-on versions are known for Kubernetes ${version}`);
  return { vpcCni, kubeProxy, podIdentityAgent };
}

/** Version of the Pod Identity agent for a cluster whose Kubernetes version may be unknown. */
export const POD_IDENTITY_AGENT = addonVersions("1.36").podIdentityAgent;

/**
 * Tag keys. A resource has at most 50 tags; this program sets some itself.
 * @see https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
 */
const TAG = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu;
/** The tag of every AWS resource with the name of its stack. */
export const STACK_TAG = "eks-dns-logging/stack";
export const Tags = z
  .record(
    string(TAG, "a string of up to 128 letters, digits, spaces and _.:/=+-@, not starting with 'aws:'").refine(
      (key) => key.toLowerCase() !== STACK_TAG,
      `must not be ${STACK_TAG} in any case, since this program sets that tag`,
    ),
    string(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, "a string of up to 256 letters, digits, spaces and _.:/=+-@"),
  )
  .refine((tags) => Object.keys(tags).length <= 40, "must have at most 40 tags")
  .superRefine((tags, context) => {
    const first = new Map<string, string>();
    for (const key of Object.keys(tags)) {
      const other = first.get(key.toLowerCase());
      first.set(key.toLowerCase(), other ?? key);
      if (other !== undefined)
        relation(
          context,
          [other, key],
          `${other} and ${key} differ only in case, and IAM treats them as the same tag of a role`,
        );
    }
  });

/** Name of an EKS cluster. */
export const ClusterName = string(
  /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/,
  "a string of 1 to 100 letters, digits, '-' and '_', starting with a letter or digit",
);

const PUBLIC_BLOCK =
  "must be an IPv4 CIDR block of public addresses from /8 to /32, such as 203.0.113.7/32, and never 0.0.0.0/0";
/** EKS sees callers' public addresses, and rejects blocks that cannot be public. */
const NOT_PUBLIC = new Set(["private", "carrierGradeNat", "loopback", "linkLocal", "multicast", "unspecified"]);

/** An IPv4 cluster accepts no IPv6 blocks. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html */
function isPublicBlock(cidr: string): boolean {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)) return false;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const start = ipaddr.IPv4.networkAddressFromCIDR(cidr).toString();
  return prefix >= 8 && start === address.toString() && !NOT_PUBLIC.has(address.range());
}

export const PublicCidrs = z.array(z.string().refine(isPublicBlock, PUBLIC_BLOCK)).max(40).superRefine(unique());

/**
 * Access to the Kubernetes API. Pulumi creates Kubernetes objects through it, so it must run where one of the two endpoints is reachable.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html
 */
export const EndpointAccess = z
  .strictObject({
    private: z.boolean().default(true).describe("Endpoint in the VPC. Default true."),
    public: z.boolean().default(false).describe("Public endpoint, limited to publicCidrs. Default false."),
    publicCidrs: PublicCidrs.default([]).describe("CIDR blocks allowed there, never 0.0.0.0/0."),
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
  "AmazonEKSSecretReaderPolicy",
] as const;

/** ARN of an IAM principal. */
export const PrincipalArn = string(
  IAM_ARNS.principal,
  "the ARN of an IAM role or user, such as arn:aws:iam::111122223333:role/developers",
);

/**
 * An IAM principal with access to the Kubernetes API. The cluster's creator is admin without an entry.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
 */
const AccessEntrySettings = z
  .strictObject({
    principalArn: PrincipalArn.describe("IAM role or user."),
    groups: z
      .array(string(/^(?!system:)./, "a group that does not start with 'system:'"))
      .superRefine(unique())
      .default([])
      .describe("RBAC groups, as in teams[].members."),
    policy: z.enum(ACCESS_POLICIES).optional().describe("Access policy."),
    namespaces: z
      .array(string(/^[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?$/, "the name of a namespace, or a pattern such as dev-*"))
      .min(1, "must not be empty, which would give access to all namespaces")
      .superRefine(unique())
      .optional()
      .describe("Namespaces of the policy. Default: all."),
  })
  .superRefine(({ groups, policy, namespaces }, context) => {
    if (policy !== undefined) return;
    if (groups.length === 0) relation(context, ["groups", "policy"], "at least one of groups and policy is required");
    if (namespaces !== undefined) relation(context, ["namespaces", "policy"], "namespaces requires a policy");
  });
export type AccessEntrySettings = z.infer<typeof AccessEntrySettings>;

/** EKS accepts one entry per principal. */
export const AccessEntries = z
  .array(AccessEntrySettings)
  .superRefine(unique((entry) => entry.principalArn, ["principalArn"]));

/** For an existing cluster; new clusters use IPv4. */
export const IpFamilySetting = z
  .enum(IP_FAMILIES)
  .default("ipv4")
  .describe("IP family of pods and Services. Default ipv4.");

/** For an existing cluster; new ones always enforce policies. */
export const NetworkPoliciesSetting = z
  .boolean()
  .default(false)
  .describe("The cluster enforces NetworkPolicies. Default false.");

const SERVICE_CIDR = "must be an IPv4 CIDR block, such as 172.20.0.0/16";
/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html */
const SERVICE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Why no EKS cluster has this block for its Services; undefined if one may. */
function serviceCidrIssue(cidr: string): string | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)) return SERVICE_CIDR;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const isPrivate = SERVICE_NETWORKS.some((network) => address.match(ipaddr.IPv4.parseCIDR(network)));
  if (prefix < 12 || prefix > 24 || !isPrivate)
    return `must be a block from /12 to /24 within ${SERVICE_NETWORKS.join(", ")}, as EKS requires`;
  return networkIssue(cidr);
}

/** From its network address follows that of kube-dns. */
const ServiceCidr = z.string(SERVICE_CIDR).superRefine((cidr, context) => {
  const message = serviceCidrIssue(cidr);
  if (message !== undefined) context.addIssue({ code: "custom", message, input: cidr });
});

/** An EKS cluster that this stack did not create. Facts that the settings omit are looked up during deployment, and unknown in a plan. */
export const EksExistingSettings = z.strictObject({
  kind: z.literal("eks-existing").describe("An existing EKS cluster, in the region `aws:region`."),
  name: ClusterName.describe("Name of the cluster."),
  kubernetesVersion: z
    .enum(KUBERNETES_VERSIONS)
    .optional()
    .describe("Kubernetes version, quoted. Default: looked up, so unknown in plans."),
  compute: z
    .enum(["managed", "karpenter", "auto", "fargate"])
    .default("managed")
    .describe("Node groups, Karpenter, Auto Mode (no CoreDNS pods) or only Fargate (no DaemonSets). Default managed."),
  serviceCidr: ServiceCidr.optional().describe("IPv4 block of its Services. Default: 172.20.0.0/16 or 10.100.0.0/16."),
  ipFamily: IpFamilySetting,
  networkPolicies: NetworkPoliciesSetting,
  podIdentityAgent: z
    .boolean()
    .default(false)
    .describe("Install eks-pod-identity-agent, if the cluster lacks it. Default false."),
  kubeconfig: z
    .string()
    .min(1, "must be a path, such as ~/.kube/config")
    .optional()
    .describe("Path of a kubeconfig. Default: credentials from `aws eks get-token`."),
  context: z
    .string()
    .min(1, "must be the name of a context, such as prod")
    .optional()
    .describe("Context of a kubeconfig. Default: credentials from `aws eks get-token`."),
  accessEntries: AccessEntries.default([]).describe("Additional IAM principals."),
  tags: Tags.default({}).describe("Of AWS resources, at most 40."),
});
export type EksExistingSettings = z.infer<typeof EksExistingSettings>;

/** The address of the Service kube-dns: the tenth of the Service CIDR. */
export function dnsAddressOf(serviceCidr: string): string {
  const [address] = ipaddr.IPv4.parseCIDR(serviceCidr);
  const [a = 0, b = 0, c = 0, d = 0] = address.octets;
  return [a, b, c, d + 10].join(".");
}

/**
 * Default Service CIDRs of EKS, which chooses one.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
 */
const SERVICE_CIDRS = ["10.100.0.0/16", "172.20.0.0/16"];

/**
 * Possible addresses of the Service kube-dns on an EKS cluster: those of the default Service CIDRs that do not overlap the VPC. Empty with
 * IPv6, because EKS generates that range.
 */
export function clusterDnsOf({
  serviceCidr,
  vpcCidr,
  ipFamily,
}: {
  readonly serviceCidr?: string | undefined;
  /** CIDR block of the VPC, which is never larger than EKS's Service CIDRs. */
  readonly vpcCidr?: string | undefined;
  /** @default "ipv4" */
  readonly ipFamily?: IpFamily | undefined;
}): readonly string[] {
  if (ipFamily === "ipv6") return [];
  if (serviceCidr !== undefined) return [dnsAddressOf(serviceCidr)];
  const free = SERVICE_CIDRS.filter((cidr) => {
    const [vpc] = vpcCidr === undefined ? [] : ipaddr.IPv4.parseCIDR(vpcCidr);
    return vpc === undefined || !vpc.match(ipaddr.IPv4.parseCIDR(cidr));
  });
  return free.map(dnsAddressOf);
}

/** Node-local DNS addresses of a cluster that has no CoreDNS pods; empty for other clusters. */
export function nodeDnsAddresses(cluster: { readonly kind: string } | EksExistingSettings): readonly string[] {
  return "compute" in cluster && cluster.compute === "auto" ? clusterDnsOf(cluster) : [];
}

/** Settings of a cluster that contradict each other. Paths are relative to `cluster`. */
export function checkEksExisting(
  settings: Pick<EksExistingSettings, "compute" | "podIdentityAgent" | "networkPolicies" | "serviceCidr" | "ipFamily">,
): SettingsIssue[] {
  const { compute, podIdentityAgent, networkPolicies, serviceCidr, ipFamily } = settings;
  const issues: SettingsIssue[] = [];
  if (podIdentityAgent && (compute === "auto" || compute === "fargate")) {
    const why = compute === "auto" ? "EKS Auto Mode has the agent built in" : "Fargate runs no DaemonSets";
    issues.push({ path: ["podIdentityAgent"], message: `must be false with compute ${compute}: ${why}`, value: true });
  }
  if (networkPolicies && compute === "fargate") {
    const message = "must be false with compute fargate, whose pods no network policy restricts";
    issues.push({ path: ["networkPolicies"], message, value: true });
  }
  if (ipFamily === "ipv6" && serviceCidr !== undefined) {
    const message = "must not be set with ipFamily ipv6, where EKS chooses the addresses of Services";
    issues.push({ path: ["serviceCidr"], message, value: serviceCidr });
  }
  return issues;
}

/** The region that an EKS cluster needs, of any partition: a program of one's own may run in us-iso-east-1. */
export const ClusterRegion = z.object({
  region: string(/^[a-z]{2,4}(-[a-z]+)+-\d$/, "an AWS region, such as eu-central-1"),
});

/** IAM principals of another partition than the cluster's; paths are relative to `cluster`. */
export function principalIssues(
  entries: readonly Pick<AccessEntrySettings, "principalArn">[],
  region: string,
): SettingsIssue[] {
  const { id } = partitionOf(region);
  return entries.flatMap(({ principalArn }, index): SettingsIssue[] => {
    if (principalArn.startsWith(`arn:${id}:`)) return [];
    const message = `must start with arn:${id}:, the partition of ${region}`;
    return [{ path: ["accessEntries", index, "principalArn"], message, value: principalArn }];
  });
}
