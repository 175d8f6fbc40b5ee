import type { Rule } from "../core/rule.ts";
import { AWS } from "./aws/aws.ts";
import { AWS_IAM } from "./aws/aws-iam.ts";
import { CLUSTER_NODES, CLUSTER_NODES_ACCESS } from "./aws/cluster-nodes.ts";
import { CLUSTER, CLUSTER_ADDONS } from "./aws/control-plane.ts";
import { POD_IMAGES } from "./kubernetes/pod-images.ts";
import { POD_ISOLATION } from "./kubernetes/pod-isolation.ts";
import { POD_KERNEL } from "./kubernetes/pod-kernel.ts";
import { POD_TOKEN, POD_WORKLOAD } from "./kubernetes/pod-workload.ts";
import { TENANCY, TENANCY_DEFAULT_NAMESPACE, TENANCY_SHARES } from "./kubernetes/tenancy.ts";
import { TENANCY_ESCALATION } from "./kubernetes/tenancy-escalation.ts";
import { TENANCY_NETWORK } from "./kubernetes/tenancy-network.ts";
import { TENANCY_RBAC } from "./kubernetes/tenancy-rbac.ts";
import { COLLECTORS } from "./programs/collectors.ts";
import { COLLECTORS_DELIVERY } from "./programs/collectors-delivery.ts";
import { COLLECTORS_SENDING } from "./programs/collectors-sending.ts";
import { COLLECTORS_SOURCES } from "./programs/collectors-sources.ts";
import { COREDNS } from "./programs/coredns.ts";

/** All rules of the pack, by family. */
export const RULES: readonly Rule[] = [
  ...CLUSTER,
  ...CLUSTER_ADDONS,
  ...CLUSTER_NODES,
  ...CLUSTER_NODES_ACCESS,
  ...COREDNS,
  ...TENANCY,
  ...TENANCY_SHARES,
  ...TENANCY_DEFAULT_NAMESPACE,
  ...TENANCY_NETWORK,
  ...TENANCY_RBAC,
  ...TENANCY_ESCALATION,
  ...POD_ISOLATION,
  ...POD_KERNEL,
  ...POD_IMAGES,
  ...POD_WORKLOAD,
  ...POD_TOKEN,
  ...COLLECTORS,
  ...COLLECTORS_DELIVERY,
  ...COLLECTORS_SENDING,
  ...COLLECTORS_SOURCES,
  ...AWS_IAM,
  ...AWS,
];
