import { z } from "zod";
import { string } from "../schema/values.ts";

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
export const POD_IDENTITY_AGENT = "v1.3.10-eksbuild.3";

export const ADDON_VERSIONS: Readonly<Record<KubernetesVersion, AddonVersions>> = {
  "1.34": { vpcCni: VPC_CNI, kubeProxy: "v1.34.6-eksbuild.21", podIdentityAgent: POD_IDENTITY_AGENT },
  "1.35": { vpcCni: VPC_CNI, kubeProxy: "v1.35.3-eksbuild.29", podIdentityAgent: POD_IDENTITY_AGENT },
  "1.36": { vpcCni: VPC_CNI, kubeProxy: "v1.36.0-eksbuild.25", podIdentityAgent: POD_IDENTITY_AGENT },
};

/**
 * A resource takes 50 tags; some are set by this program.
 * @see https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
 */
const TAG = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu;
export const Tags = z
  .record(
    string(TAG, "a string of up to 128 letters, digits, spaces and _.:/=+-@, not starting with 'aws:'"),
    string(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, "a string of up to 256 letters, digits, spaces and _.:/=+-@"),
  )
  .refine((tags) => Object.keys(tags).length <= 40, "must have at most 40 tags");

/** Name of an EKS cluster. */
export const ClusterName = string(
  /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/,
  "a string of 1 to 100 letters, digits, '-' and '_', starting with a letter or digit",
);
