import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { SettingsIssue } from "../schema/errors.ts";
import { AccessEntries } from "./access-settings.ts";
import { ClusterName, KUBERNETES_VERSIONS, Tags } from "./eks-common-settings.ts";

const ServiceCidr = z.cidrv4("must be an IPv4 CIDR block, such as 172.20.0.0/16");

/** An EKS cluster that this stack did not create. What is not stated here is looked up in a deployment, and unknown in a plan. */
export const EksExistingSettings = z.strictObject({
  kind: z.literal("eks-existing").describe("An existing EKS cluster, in the region `aws:region`."),
  name: ClusterName.describe("Name of the cluster, as `aws eks list-clusters` shows it."),
  kubernetesVersion: z
    .enum(KUBERNETES_VERSIONS)
    .optional()
    .describe("Kubernetes version, quoted. Default: looked up, so that the version of CoreDNS is unknown in a plan."),
  compute: z
    .enum(["managed", "karpenter", "auto", "fargate"])
    .default("managed")
    .describe(
      "What runs pods: node groups, Karpenter's nodes, EKS Auto Mode (no CoreDNS pods) or only Fargate (no DaemonSets). Default managed.",
    ),
  serviceCidr: ServiceCidr.optional().describe(
    "Addresses of the cluster's Services; DNS answers on the tenth. Default: either of EKS's two, 172.20.0.0/16 and 10.100.0.0/16.",
  ),
  networkPolicies: z
    .boolean()
    .default(false)
    .describe("Whether the cluster enforces NetworkPolicies; `lab verify` then expects it. Default false."),
  podIdentityAgent: z
    .boolean()
    .default(false)
    .describe("Install the add-on eks-pod-identity-agent, if the cluster does not have it yet. Default false."),
  kubeconfig: z
    .string()
    .min(1, "must be a path, such as ~/.kube/config")
    .optional()
    .describe("Path of a kubeconfig; may start with `~`. Default: none, credentials come from `aws eks get-token`."),
  context: z
    .string()
    .min(1, "must be the name of a context, such as prod")
    .optional()
    .describe("Context of a kubeconfig to use. Default: none, credentials come from `aws eks get-token`."),
  accessEntries: AccessEntries.default([]).describe("IAM principals with access, in addition to those that have it."),
  tags: Tags.default({}).describe("Tags of every AWS resource."),
});
export type EksExistingSettings = z.infer<typeof EksExistingSettings>;

/** The address of the Service kube-dns: the tenth of the Services' block. */
export function dnsAddressOf(serviceCidr: string): string {
  const [address] = ipaddr.IPv4.parseCIDR(serviceCidr);
  const [a = 0, b = 0, c = 0, d = 0] = address.octets;
  return [a, b, c, d + 10].join(".");
}

/** Addresses that may answer DNS in the cluster's Services. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html */
function clusterDnsOf({ serviceCidr }: Pick<EksExistingSettings, "serviceCidr">): readonly string[] {
  return serviceCidr === undefined ? ["10.100.0.10", "172.20.0.10"] : [dnsAddressOf(serviceCidr)];
}

/** Addresses that answer DNS on each node where no CoreDNS pods do; none on other clusters. */
export function nodeDnsAddresses(cluster: { readonly kind: string } | EksExistingSettings): readonly string[] {
  return "compute" in cluster && cluster.compute === "auto" ? clusterDnsOf(cluster) : [];
}

/** Statements about a cluster that contradict each other. Paths are below `cluster`. */
export function checkEksExisting(settings: EksExistingSettings): SettingsIssue[] {
  const { compute, podIdentityAgent, networkPolicies } = settings;
  const issues: SettingsIssue[] = [];
  if (podIdentityAgent && (compute === "auto" || compute === "fargate")) {
    const why = compute === "auto" ? "EKS Auto Mode has the agent built in" : "Fargate runs no DaemonSets";
    issues.push({ path: ["podIdentityAgent"], message: `must be false with compute ${compute}: ${why}`, value: true });
  }
  if (networkPolicies && compute === "fargate") {
    const message = "must be false with compute fargate, whose pods no network policy restricts";
    issues.push({ path: ["networkPolicies"], message, value: true });
  }
  return issues;
}
