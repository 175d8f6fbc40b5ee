import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { serviceRole } from "../../aws/iam.ts";
import { addonVersions } from "../eks-settings.ts";
import type { EksClusterSettings } from "../settings.ts";

/** Dependencies of a new cluster's add-ons. */
export interface AddonsArgs {
  /** Cluster settings, complete with defaults. */
  readonly settings: EksClusterSettings;
  /** AWS partition as in an ARN, such as `aws`. */
  readonly partition: string;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  /** The cluster to install them on. */
  readonly cluster: pulumi.Resource;
}

/** Add-ons that nodes need to become ready. CoreDNS is separate, because it needs nodes. */
export interface Addons {
  /** All add-ons. */
  readonly all: readonly aws.eks.Addon[];
  /** The Pod Identity agent. */
  readonly agent: aws.eks.Addon;
}

/**
 * Installs vpc-cni, kube-proxy and the Pod Identity agent. None waits for a node: a DaemonSet without nodes is complete.
 *
 * vpc-cni runs its NetworkPolicy agent, and has its own role through Pod Identity, so that the nodes' role needs no permission to manage
 * addresses. This works on a new node, because both use the host's network and the Pod Identity agent tolerates nodes that are not ready.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
 */
export function installAddons(name: string, args: AddonsArgs, options: pulumi.CustomResourceOptions): Addons {
  const { settings, partition, tags, cluster } = args;
  const versions = addonVersions(settings.version);
  const chosen = settings.addons;
  const { role, attachments } = serviceRole(
    `${name}-vpc-cni`,
    {
      service: "pods.eks.amazonaws.com",
      actions: ["sts:AssumeRole", "sts:TagSession"],
      policies: ["AmazonEKS_CNI_Policy"],
      partition,
      tags,
    },
    options,
  );
  const install = (
    addonName: string,
    addonVersion: string,
    more: Pick<aws.eks.AddonArgs, "configurationValues" | "podIdentityAssociations"> = {},
    after: readonly pulumi.Resource[] = [],
  ) =>
    new aws.eks.Addon(
      `${name}-${addonName}`,
      {
        clusterName: settings.name,
        addonName,
        addonVersion,
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
        tags,
        ...more,
      },
      { ...options, dependsOn: [cluster, ...after] },
    );

  const cni = install(
    "vpc-cni",
    chosen.vpcCni ?? versions.vpcCni,
    {
      // The add-on's schema requires a string.
      configurationValues: JSON.stringify({ enableNetworkPolicy: "true" }),
      podIdentityAssociations: [{ roleArn: role.arn, serviceAccount: "aws-node" }],
    },
    attachments,
  );
  const proxy = install("kube-proxy", chosen.kubeProxy ?? versions.kubeProxy);
  const agent = install("eks-pod-identity-agent", chosen.podIdentityAgent ?? versions.podIdentityAgent);
  return { all: [cni, proxy, agent], agent };
}
