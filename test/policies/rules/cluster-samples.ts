import type { Value } from "../../../policies/core/resource.ts";
import { first, type Sample, type SampleResource } from "./samples.ts";

/** As a plan sees a cluster. */
export const COMPONENT: SampleResource = {
  type: "eks:index:Cluster",
  name: "dev",
  props: {
    authenticationMode: "API",
    corednsAddonOptions: { enabled: false },
    deletionProtection: false,
    enabledClusterLogTypes: ["api", "audit", "authenticator"],
    encryptionConfigKeyArn: "arn:aws:kms:eu-central-1:123456789012:key/1",
    endpointPublicAccess: true,
    kubeProxyAddonOptions: { enabled: false },
    publicAccessCidrs: ["203.0.113.10/32"],
    tags: { environment: "dev" },
    upgradePolicy: { supportType: "STANDARD" },
    useDefaultVpcCni: true,
    version: "1.35",
  },
};
/** As the engine sees one. */
export const CLUSTER: SampleResource = {
  type: "aws:eks/cluster:Cluster",
  name: "dev",
  props: {
    accessConfig: { authenticationMode: "API" },
    deletionProtection: false,
    enabledClusterLogTypes: ["audit", "authenticator"],
    encryptionConfig: {
      provider: { keyArn: "arn:aws:kms:eu-central-1:123456789012:key/1" },
      resources: ["secrets"],
    },
    tags: { environment: "dev" },
    upgradePolicy: { supportType: "STANDARD" },
    version: "1.35",
    vpcConfig: { endpointPublicAccess: true, publicAccessCidrs: ["203.0.113.10/32"] },
  },
};
export const component = (path: string, to: Value | undefined) => first([COMPONENT], path, to);
export const cluster = (path: string, to: Value | undefined) => first([CLUSTER], path, to);
export const BOTH: Record<string, Sample> = {
  "a cluster of @pulumi/eks": [COMPONENT],
  "a cluster of @pulumi/aws": [CLUSTER],
};
