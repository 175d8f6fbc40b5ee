/** Versions of the add-ons that this program installs beside CoreDNS. */
export interface AddonVersions {
  readonly vpcCni: string;
  readonly kubeProxy: string;
  readonly podIdentityAgent: string;
}

/**
 * Kubernetes versions in standard support, with versions of the add-ons that EKS offered for each in 2026.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-kube-proxy.html
 */
export const KUBERNETES_VERSIONS = ["1.34", "1.35", "1.36"] as const;
export type KubernetesVersion = (typeof KUBERNETES_VERSIONS)[number];

const VPC_CNI = "v1.22.4-eksbuild.3";
const POD_IDENTITY_AGENT = "v1.3.10-eksbuild.3";

export const ADDON_VERSIONS: Readonly<Record<KubernetesVersion, AddonVersions>> = {
  "1.34": { vpcCni: VPC_CNI, kubeProxy: "v1.34.6-eksbuild.21", podIdentityAgent: POD_IDENTITY_AGENT },
  "1.35": { vpcCni: VPC_CNI, kubeProxy: "v1.35.3-eksbuild.29", podIdentityAgent: POD_IDENTITY_AGENT },
  "1.36": { vpcCni: VPC_CNI, kubeProxy: "v1.36.0-eksbuild.25", podIdentityAgent: POD_IDENTITY_AGENT },
};
