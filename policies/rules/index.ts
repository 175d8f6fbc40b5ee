import type { Rule } from "../core/rule.ts";
import { AWS } from "./aws.ts";
import { AWS_IAM } from "./aws-iam.ts";
import { CLUSTER_NODES, CLUSTER_NODES_ACCESS } from "./cluster-nodes.ts";
import { COLLECTORS } from "./collectors.ts";
import { COLLECTORS_DELIVERY, COLLECTORS_SENDING } from "./collectors-delivery.ts";
import { CLUSTER, CLUSTER_ADDONS } from "./control-plane.ts";
import { COREDNS } from "./coredns.ts";
import { POD_ISOLATION } from "./pod-isolation.ts";
import { POD_KERNEL } from "./pod-kernel.ts";
import { POD_TOKEN, POD_WORKLOAD } from "./pod-workload.ts";
import { TENANCY, TENANCY_DEFAULT_NAMESPACE, TENANCY_SHARES } from "./tenancy.ts";
import { TENANCY_NETWORK } from "./tenancy-network.ts";
import { TENANCY_RBAC } from "./tenancy-rbac.ts";

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
  ...POD_ISOLATION,
  ...POD_KERNEL,
  ...POD_WORKLOAD,
  ...POD_TOKEN,
  ...COLLECTORS,
  ...COLLECTORS_DELIVERY,
  ...COLLECTORS_SENDING,
  ...AWS_IAM,
  ...AWS,
];
