import type { Field } from "../core/field.ts";
import type { Resource } from "../core/resource.ts";

/** An EKS cluster as a plan sees it: the arguments of @pulumi/eks. */
export const EKS_COMPONENT = "eks:index:Cluster";
/** An EKS cluster as the engine sees it. */
export const EKS_CLUSTER = "aws:eks/cluster:Cluster";
export const CLUSTERS: readonly string[] = [EKS_COMPONENT, EKS_CLUSTER];

/** What the rules read of a control plane, wherever each form of it keeps that. */
export interface ControlPlane {
  readonly endpointPublicAccess: Field;
  readonly publicAccessCidrs: Field;
  readonly logTypes: Field;
  readonly authenticationMode: Field;
  readonly version: Field;
  readonly supportType: Field;
  readonly deletionProtection: Field;
  readonly tags: Field;
  readonly subnetIds: Field;
}

export function controlPlane(cluster: Resource): ControlPlane {
  const isComponent = cluster.type === EKS_COMPONENT;
  const network = isComponent ? cluster.inputs : cluster.at("vpcConfig");
  const shared = {
    endpointPublicAccess: network.at("endpointPublicAccess"),
    publicAccessCidrs: network.at("publicAccessCidrs"),
    logTypes: cluster.at("enabledClusterLogTypes"),
    version: cluster.at("version"),
    supportType: cluster.at("upgradePolicy", "supportType"),
    deletionProtection: cluster.at("deletionProtection"),
    tags: cluster.at("tags"),
  };
  if (!isComponent)
    return {
      ...shared,
      authenticationMode: cluster.at("accessConfig", "authenticationMode"),
      subnetIds: network.at("subnetIds"),
    };
  return { ...shared, authenticationMode: cluster.at("authenticationMode"), subnetIds: cluster.at("subnetIds") };
}

/** Where each form names the KMS key of the Secrets, whether or not it is set. */
export function secretsKey(cluster: Resource): Field {
  if (cluster.type === EKS_COMPONENT) return cluster.at("encryptionConfigKeyArn");
  return cluster.at("encryptionConfig", "provider", "keyArn");
}
