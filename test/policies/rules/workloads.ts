import type { Group } from "../../../policies/core/resource.ts";
import type { Sample, SampleResource } from "./samples.ts";

/** A container that every rule takes. */
export const CONTAINER: Group = {
  name: "app",
  image: "docker.io/curlimages/curl:8.17.0",
  env: [{ name: "MODE", value: "quiet" }],
  ports: [{ containerPort: 80 }],
  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
    runAsUser: 100,
  },
};

/** A pod's spec that every rule takes. */
const POD_SPEC: Group = {
  automountServiceAccountToken: false,
  containers: [CONTAINER],
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  serviceAccountName: "workload",
  volumes: [{ name: "tmp", emptyDir: {} }],
};

const POD: SampleResource = {
  type: "kubernetes:core/v1:Pod",
  name: "curl",
  props: { metadata: { name: "curl-ts", namespace: "ts-team" }, spec: POD_SPEC },
};

/** A pod that every rule takes. */
export const GOOD_POD: Sample = [POD];

/** A patch of one container of somebody else's Deployment. */
export const patchedDeployment = (container: Group): Sample => [
  {
    type: "kubernetes:apps/v1:DeploymentPatch",
    name: "patch",
    props: { metadata: { name: "app", namespace: "shop" }, spec: { template: { spec: { containers: [container] } } } },
  },
];
