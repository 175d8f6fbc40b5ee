import { judgeComponent, minorOf } from "eks-dns-logging-corefile/addon";
import { z } from "zod";
import { relation, type SettingsIssue } from "../schema/errors.ts";
import { string, unique } from "../schema/values.ts";
import { ExistingVpcSettings, VpcSettings } from "./eks/network-settings.ts";
import { NodeGroups } from "./eks/node-group-settings.ts";
import {
  AccessEntries,
  ClusterName,
  checkEksExisting,
  clusterDnsOf,
  EksExistingSettings,
  EndpointAccess,
  IpFamilySetting,
  KUBERNETES_VERSIONS,
  NetworkPoliciesSetting,
  principalIssues,
  Tags,
} from "./eks-settings.ts";

/** How to reach an existing cluster. */
export const ExistingClusterSettings = z.strictObject({
  kind: z.literal("existing").describe("An existing cluster."),
  kubeconfig: z
    .string()
    .min(1, "must be a path, such as ~/.kube/config")
    .optional()
    .describe("Path of the kubeconfig. Default: $KUBECONFIG, else ~/.kube/config."),
  context: z
    .string()
    .min(1, "must be the name of a context, such as kind-lab")
    .optional()
    .describe("Context of the kubeconfig. Default: the current one."),
  identifier: z
    .string()
    .min(1, "must be a name of your choice")
    .default("eks-dns-logging-existing")
    .describe("The cluster's identity for Pulumi. A change deletes everything and creates it in the new cluster."),
  ipFamily: IpFamilySetting,
  networkPolicies: NetworkPoliciesSetting,
});
export type ExistingClusterSettings = z.infer<typeof ExistingClusterSettings>;
/** How to find a kubeconfig. */
export type KubeconfigSettings = Pick<ExistingClusterSettings, "kubeconfig" | "context">;

/**
 * Retention periods that CloudWatch Logs supports, in days.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
export const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const AddonVersion = string(/^v\d+\.\d+\.\d+-eksbuild\.\d+$/, "a version of the add-on, such as v1.22.4-eksbuild.3");

export const EksClusterSettings = z.strictObject({
  kind: z.literal("eks").describe("A new EKS cluster, in the region `aws:region`."),
  name: ClusterName.default("eks-dns-logging").describe(
    "Name of the cluster, fixed after creation. Default eks-dns-logging.",
  ),
  version: z.enum(KUBERNETES_VERSIONS).default("1.36").describe("Kubernetes version, quoted. Default '1.36'."),
  vpc: VpcSettings.optional().describe("A new VPC."),
  existingVpc: ExistingVpcSettings.optional().describe("An existing VPC."),
  nodeGroups: NodeGroups.prefault([{ name: "default" }]).describe("Managed node groups. Default: two t4g.medium."),
  endpointAccess: EndpointAccess.prefault({}).describe("Access to the Kubernetes API."),
  accessEntries: AccessEntries.default([]).describe("IAM principals, besides the deploying one."),
  logTypes: z
    .array(z.enum(["api", "audit", "authenticator", "controllerManager", "scheduler"]))
    .superRefine(unique())
    .default(["api", "audit", "authenticator"])
    .describe("Control-plane logs. Default api, audit and authenticator."),
  logRetentionDays: z.literal(RETENTION_DAYS).default(30).describe("Days to keep these logs. Default 30."),
  deletionProtection: z
    .boolean()
    .default(false)
    .describe("EKS refuses to delete the cluster, and `pulumi destroy` deletes nothing. Default false."),
  addons: z
    .strictObject({
      vpcCni: AddonVersion.optional().describe("Version of vpc-cni."),
      kubeProxy: AddonVersion.optional().describe("Version of kube-proxy."),
      podIdentityAgent: AddonVersion.optional().describe("Version of eks-pod-identity-agent."),
    })
    .prefault({})
    .describe("Versions of other add-ons. Default: by Kubernetes version."),
  tags: Tags.default({}).describe("Of AWS resources, at most 40."),
});
export type EksClusterSettings = z.infer<typeof EksClusterSettings>;

export const ClusterSettings = z
  .discriminatedUnion("kind", [EksClusterSettings, EksExistingSettings, ExistingClusterSettings])
  .superRefine((cluster, context) => {
    if (cluster.kind !== "eks") return;
    if (cluster.vpc !== undefined && cluster.existingVpc !== undefined) {
      relation(context, ["vpc", "existingVpc"], "vpc and existingVpc are mutually exclusive");
    }
    const { endpointAccess } = cluster;
    if (endpointAccess.public && !endpointAccess.private && cluster.existingVpc === undefined) {
      context.addIssue({
        code: "custom",
        path: ["endpointAccess", "private"],
        message:
          "must be true with a new VPC, since the address of its NAT gateway, from which nodes would come, is not known yet",
        input: false,
      });
    }
  });
export type ClusterSettings = z.infer<typeof ClusterSettings>;

/** Possible addresses of the Service kube-dns; empty if unknown. */
export function kubeDnsAddresses(cluster: ClusterSettings): readonly string[] {
  if (cluster.kind === "existing") return [];
  return clusterDnsOf(cluster.kind === "eks" ? { vpcCidr: cluster.vpc?.cidr } : cluster);
}

/** Default quota of managed node groups per cluster. @see https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html */
const DEFAULT_NODE_GROUPS = 30;

/**
 * Instance types whose network interfaces have addresses for only four pods.
 * @see https://github.com/awslabs/amazon-eks-ami/blob/main/templates/shared/runtime/eni-max-pods.txt
 */
const TINY_INSTANCE = /^t\w+\.(nano|micro)$/;

function instanceIssues({ nodeGroups }: EksClusterSettings): SettingsIssue[] {
  return nodeGroups.flatMap(({ instanceTypes }, group) =>
    instanceTypes.flatMap((value, index): SettingsIssue[] => {
      if (!TINY_INSTANCE.test(value)) return [];
      const message =
        "has room for four pods, three of which are vpc-cni, kube-proxy and the Pod Identity agent: CoreDNS, the collector or a team's pods stay pending";
      return [{ path: ["nodeGroups", group, "instanceTypes", index], message, value, severity: "warning" }];
    }),
  );
}

function nodeGroupIssues({ nodeGroups: { length } }: EksClusterSettings): SettingsIssue[] {
  if (length <= DEFAULT_NODE_GROUPS) return [];
  const message = `has ${length} node groups, but EKS creates at most ${DEFAULT_NODE_GROUPS} unless the account's quota 'Managed node groups per cluster' is raised`;
  return [{ path: ["nodeGroups"], message, severity: "warning" }];
}

/** @see https://docs.aws.amazon.com/eks/latest/userguide/managing-vpc-cni.html */
function vpcCniIssues({ version, addons: { vpcCni } }: EksClusterSettings): SettingsIssue[] {
  if (vpcCni === undefined) return [];
  const { standing, wanted } = judgeComponent("vpc-cni", vpcCni, { from: version, to: version });
  if (standing !== "before") return [];
  const message = `must be v1.8.0 or newer; EKS's default with Kubernetes ${version} is ${wanted}`;
  return [{ path: ["addons", "vpcCni"], message, value: vpcCni }];
}

/** @see https://kubernetes.io/releases/version-skew-policy/#kube-proxy */
function kubeProxyIssues({ version, addons: { kubeProxy } }: EksClusterSettings): SettingsIssue[] {
  if (kubeProxy === undefined) return [];
  if (judgeComponent("kube-proxy", kubeProxy, { from: version, to: version }).standing !== "before") return [];
  const minor = minorOf(version) ?? 0;
  const message = `must be a version from v1.${minor - 3} to v1.${minor} with cluster.version ${version}, since kube-proxy is never newer than the control plane, and at most three minor versions older`;
  return [{ path: ["addons", "kubeProxy"], message, value: kubeProxy }];
}

/** Issues of the cluster settings in the stack's region; paths are relative to `cluster`. */
export function checkCluster(settings: ClusterSettings, region: string | undefined): SettingsIssue[] {
  if (settings.kind === "existing") return [];
  const issues =
    settings.kind === "eks-existing"
      ? checkEksExisting(settings)
      : [
          ...kubeProxyIssues(settings),
          ...vpcCniIssues(settings),
          ...nodeGroupIssues(settings),
          ...instanceIssues(settings),
        ];
  if (region === undefined) return issues;
  const zones = settings.kind === "eks" && Array.isArray(settings.vpc?.zones) ? settings.vpc.zones : [];
  return [
    ...issues,
    ...zones.flatMap((zone, index): SettingsIssue[] =>
      zone.slice(0, -1) === region
        ? []
        : [
            {
              path: ["vpc", "zones", index],
              message: `must be an availability zone of aws:region, such as ${region}a`,
              value: zone,
            },
          ],
    ),
    ...principalIssues(settings.accessEntries, region),
  ];
}
