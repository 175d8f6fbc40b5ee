import type * as pulumi from "@pulumi/pulumi";
import type { PodIdentityHost } from "../aws/partition.ts";
import type { IpFamily } from "../kubernetes/ip-family.ts";
import type { SettingsIssue } from "../schema/errors.ts";

/**
 * What a cluster gives to the components that run on it. An EKS cluster and an existing one give the same handle, and a
 * component asks the handle what it can do, never where it is.
 */
export interface ClusterHandle {
  /** The EKS cluster's name, or the kubeconfig context of an existing one (`current` when none is named). */
  readonly name: string;
  /** The provider that every Kubernetes object of this stack is made by. */
  readonly provider: pulumi.ProviderResource;
  /**
   * What must stand before a pod can run: nodes and network. Workloads depend on it, so that they are made after it and
   * destroyed before it.
   */
  readonly ready: readonly pulumi.Resource[];
  /** Kubeconfig as a secret; undefined where the cluster's owner already holds it as a file. */
  readonly kubeconfig?: pulumi.Output<string> | undefined;
  /** Whether NetworkPolicies are known to be enforced; an existing cluster's network may ignore them, of which a team warns. Default false. */
  readonly enforcesNetworkPolicies?: boolean;
  /** Whether DaemonSets run, which Fargate alone has none of. Default true. */
  readonly runsDaemonSets?: boolean;
  /** Addresses that the Service kube-dns may have, empty where nobody says. Default: those that EKS may give it. */
  readonly dnsAddresses?: readonly string[] | undefined;
  /** IP family of pods and Services. Default: ipv4. */
  readonly ipFamily?: IpFamily | undefined;
  /** Set where the cluster takes EKS add-ons; elsewhere CoreDNS is not managed here. */
  readonly addons?: AddonHost | undefined;
  /** Set where IAM principals reach the Kubernetes API by EKS access entries. */
  readonly access?: Pick<AddonHost, "clusterName" | "tags"> | undefined;
  /** Set where pods can have an AWS identity; AWS destinations need it. */
  readonly podIdentity?: PodIdentityHost | undefined;
  /** Logs that the control plane of an EKS cluster writes, such as `audit`. Where they are not known they are not checked. */
  readonly logTypes?: pulumi.Input<readonly string[] | undefined>;
}

/** Where an EKS add-on is installed. */
export interface AddonHost {
  readonly clusterName: pulumi.Input<string>;
  /** Kubernetes minor version, such as `1.35`; undefined where only a deployment looks it up. */
  readonly kubernetesVersion: string | undefined;
  /** Whether what an add-on installed stays on the cluster when the add-on is deleted. Default false. */
  readonly preserve?: boolean;
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * The error of what only a DaemonSet does, on a cluster that runs none.
 * @param issue Its message is what is required, as `must be false`.
 */
export function daemonSetIssues(
  { runsDaemonSets = true }: Pick<ClusterHandle, "runsDaemonSets">,
  { path, message, value }: Pick<SettingsIssue, "path" | "message" | "value">,
): SettingsIssue[] {
  const why = "on a cluster of Fargate alone, which runs no DaemonSet";
  return runsDaemonSets ? [] : [{ path, message: `${message} ${why}`, ...(value === undefined ? {} : { value }) }];
}

/** Of network policies that nothing may enforce: they are made all the same, and keep nobody apart. */
export function policyWarnings({
  name,
  runsDaemonSets = true,
  enforcesNetworkPolicies = false,
}: Pick<ClusterHandle, "name" | "runsDaemonSets" | "enforcesNetworkPolicies">): string[] {
  if (!runsDaemonSets)
    return [`network policies have no effect on cluster ${name}, whose pods run on Fargate, which enforces none`];
  if (enforcesNetworkPolicies) return [];
  return [
    `network policies are not known to be enforced on cluster ${name}: set its networkPolicies to true where its network does`,
  ];
}
