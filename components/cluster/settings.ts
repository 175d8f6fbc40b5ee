import { z } from "zod";
import { NodeGroupSettings } from "./node-group-settings.ts";
import { MAX_ZONES, vpcCidrMistake } from "./subnets.ts";
import { KUBERNETES_VERSIONS } from "./versions.ts";

/** How an existing cluster is reached. */
const ExistingClusterSettings = z.strictObject({
  kind: z.literal("existing").describe("A cluster that is there already."),
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe("Path of the kubeconfig; `~` is the home folder. Default: $KUBECONFIG, else ~/.kube/config."),
  context: z.string().min(1).optional().describe("Context of the kubeconfig. Default: the current one."),
});
export type ExistingClusterSettings = z.infer<typeof ExistingClusterSettings>;

const VpcCidr = z.string().superRefine((cidr, context) => {
  const message = vpcCidrMistake(cidr);
  if (message !== undefined) context.addIssue({ code: "custom", message, input: cidr });
});

const SubnetIds = z.array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, "a subnet id, such as subnet-0123456789abcdef0"));

/** The network of the cluster, made by this stack. */
export const VpcSettings = z.strictObject({
  cidr: VpcCidr.default("10.0.0.0/16").describe("IPv4 block of the VPC, /16 to /22. Default 10.0.0.0/16."),
  zones: z
    .union(
      [
        z.int().min(2).max(MAX_ZONES),
        z
          .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/))
          .min(2)
          .max(MAX_ZONES),
      ],
      `a number from 2 to ${MAX_ZONES}, or that many zones by name, such as [eu-central-1a, eu-central-1b]`,
    )
    .default(2)
    .describe("How many availability zones, or which. Default 2."),
  nat: z
    .enum(["single", "per-zone"])
    .default("single")
    .describe(
      "One NAT gateway for all zones, or one in each: dearer, and survives the loss of a zone. Default single.",
    ),
  endpoints: z
    .array(z.enum(["s3", "ecr.api", "ecr.dkr", "logs", "sts", "ec2", "eks-auth"]))
    .default(["s3"])
    .describe("AWS services reached without NAT. s3 is free; each other costs by zone and hour. Default s3."),
});

/** A network that is there already. */
const ExistingVpcSettings = z.strictObject({
  id: z
    .string()
    .regex(/^vpc-[0-9a-f]{8,17}$/, "a VPC id, such as vpc-0123456789abcdef0")
    .describe("The VPC."),
  privateSubnetIds: SubnetIds.min(2, "at least two subnets, in different zones").describe(
    "Subnets of the nodes, with a way out by NAT.",
  ),
  publicSubnetIds: SubnetIds.default([]).describe("Subnets of load balancers. Default: none."),
});
export type VpcSettings = z.infer<typeof VpcSettings>;

/** Retention periods that CloudWatch Logs takes, in days. @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
export const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const EndpointAccess = z
  .strictObject({
    private: z.boolean().default(true).describe("Reachable from the VPC. Default true; nodes use it."),
    public: z.boolean().default(false).describe("Reachable from the internet, by publicCidrs alone. Default false."),
    publicCidrs: z
      .array(
        z
          .union([z.cidrv4(), z.cidrv6()], "a CIDR block, such as 203.0.113.7/32")
          .refine((cidr) => !/\/0$/.test(cidr), "a block smaller than the whole internet"),
      )
      .default([])
      .describe("Who may reach the public endpoint: CIDR blocks, never 0.0.0.0/0. Default: none."),
  })
  .superRefine((access, context) => {
    const add = (path: string, message: string, input: unknown) =>
      context.addIssue({ code: "custom", path: [path], message, input });
    if (access.public && access.publicCidrs.length === 0)
      add("publicCidrs", "at least one CIDR block, since public is true", access.publicCidrs);
    if (!access.public && access.publicCidrs.length > 0)
      add("publicCidrs", "none, since public is false", access.publicCidrs);
    if (!access.public && !access.private) add("private", "true, since public is false", false);
  });

/**
 * An IAM principal that may use the Kubernetes API.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html
 */
const AccessEntrySettings = z
  .strictObject({
    principalArn: z
      .string()
      .regex(/^arn:aws[a-z-]*:iam::\d{12}:(role|user)\/\S+$/, "the ARN of an IAM role or user")
      .describe("IAM role or user."),
    groups: z
      .array(z.string().regex(/^(?!system:)./, "a group that does not start with 'system:'"))
      .default([])
      .describe("RBAC groups, such as a team's members. Default: none."),
    policy: z
      .enum(["AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy", "AmazonEKSEditPolicy", "AmazonEKSViewPolicy"])
      .optional()
      .describe("EKS access policy. Default: none, the groups' rights alone."),
    namespaces: z.array(z.string().min(1)).default([]).describe("Namespaces for which the policy holds. Default: all."),
  })
  .refine((entry) => entry.groups.length > 0 || entry.policy !== undefined, {
    path: ["groups"],
    message: "a group or a policy, or both",
  })
  .refine((entry) => entry.namespaces.length === 0 || entry.policy !== undefined, {
    path: ["policy"],
    message: "a policy, since namespaces are named",
  });
export type AccessEntrySettings = z.infer<typeof AccessEntrySettings>;

const AddonVersion = z
  .string()
  .regex(/^v\d+\.\d+\.\d+-eksbuild\.\d+$/, "a version of the add-on, such as v1.22.4-eksbuild.3");

const EksClusterSettings = z.strictObject({
  kind: z.literal("eks").describe("A new EKS cluster; `aws:region` says where."),
  name: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/, "1 to 100 letters, digits, '-' and '_', starting with a letter or digit")
    .default("eks-dns-logging")
    .describe("Name of the cluster. Another name makes another cluster. Default eks-dns-logging."),
  version: z
    .enum(KUBERNETES_VERSIONS)
    .default("1.35")
    .describe("Kubernetes version in quotes, one in standard support. Default '1.35'."),
  vpc: VpcSettings.optional().describe("A new VPC. Default: one with two zones and one NAT gateway."),
  existingVpc: ExistingVpcSettings.optional().describe("A VPC that is there already, instead of a new one."),
  nodeGroups: z
    .array(NodeGroupSettings)
    .min(1, "at least one node group")
    .prefault([{ name: "default" }])
    .describe("Nodes. Default: one group of two t4g.medium."),
  endpointAccess: EndpointAccess.prefault({}).describe("Who reaches the Kubernetes API. Default: the VPC alone."),
  accessEntries: z
    .array(AccessEntrySettings)
    .default([])
    .describe("IAM principals beside the one that deploys. Default: none."),
  logTypes: z
    .array(z.enum(["api", "audit", "authenticator", "controllerManager", "scheduler"]))
    .default(["api", "audit", "authenticator"])
    .describe("Logs of the control plane that are kept. Default api, audit and authenticator."),
  logRetentionDays: z.literal(RETENTION_DAYS).default(30).describe("How long they are kept, in days. Default 30."),
  deletionProtection: z.boolean().default(false).describe("EKS then refuses to delete the cluster. Default false."),
  addons: z
    .strictObject({
      vpcCni: AddonVersion.optional().describe("Version of vpc-cni. Default: a fixed one for each Kubernetes version."),
      kubeProxy: AddonVersion.optional().describe(
        "Version of kube-proxy. Default: a fixed one for each Kubernetes version.",
      ),
      podIdentityAgent: AddonVersion.optional().describe("Version of eks-pod-identity-agent. Default: a fixed one."),
    })
    .prefault({})
    .describe("Versions of the add-ons beside CoreDNS."),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .default({})
    .describe("Tags of every AWS resource. Default: none."),
});
export type EksClusterSettings = z.infer<typeof EksClusterSettings>;

export const ClusterSettings = z
  .discriminatedUnion("kind", [EksClusterSettings, ExistingClusterSettings])
  .superRefine((cluster, context) => {
    if (cluster.kind !== "eks") return;
    if (cluster.vpc !== undefined && cluster.existingVpc !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["existingVpc"],
        message: "either vpc or existingVpc",
        input: cluster.existingVpc,
      });
    }
    const names = cluster.nodeGroups.map((group) => group.name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      context.addIssue({
        code: "custom",
        path: ["nodeGroups", index, "name"],
        message: "a name that no other node group has",
        input: name,
      });
    }
  });
export type ClusterSettings = z.infer<typeof ClusterSettings>;
