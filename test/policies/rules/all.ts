import { AWS_CASES } from "./aws.ts";
import { AWS_IAM_CASES } from "./aws-iam.ts";
import type { CasesByRule } from "./cases.ts";
import { CLUSTER_CASES } from "./cluster.ts";
import { CLUSTER_ADDONS_CASES } from "./cluster-addons.ts";
import { CLUSTER_NODES_CASES } from "./cluster-nodes.ts";
import { COLLECTORS_CASES } from "./collectors.ts";
import { COLLECTORS_FLUENT_BIT_CASES } from "./collectors-fluent-bit.ts";
import { COLLECTORS_SENDING_CASES } from "./collectors-sending.ts";
import { COLLECTORS_SOURCES_CASES } from "./collectors-sources.ts";
import { COREDNS_CASES } from "./coredns.ts";
import { COREDNS_COREFILE_CASES } from "./coredns-corefile.ts";
import { COREDNS_PODS_CASES } from "./coredns-pods.ts";
import { EXPOSURE_CASES } from "./exposure.ts";
import { POD_IMAGES_CASES } from "./pod-images.ts";
import { POD_ISOLATION_CASES } from "./pod-isolation.ts";
import { POD_KERNEL_CASES } from "./pod-kernel.ts";
import { POD_TOKEN_CASES } from "./pod-token.ts";
import { POD_WORKLOAD_CASES } from "./pod-workload.ts";
import { TENANCY_CASES } from "./tenancy.ts";
import { TENANCY_DEFAULT_NAMESPACE_CASES } from "./tenancy-default-namespace.ts";
import { TENANCY_DNS_CASES } from "./tenancy-dns.ts";
import { TENANCY_ESCALATION_CASES } from "./tenancy-escalation.ts";
import { TENANCY_NETWORK_CASES } from "./tenancy-network.ts";
import { TENANCY_POLICY_AGENT_CASES } from "./tenancy-policy-agent.ts";
import { TENANCY_RBAC_CASES } from "./tenancy-rbac.ts";
import { TENANCY_SHARES_CASES } from "./tenancy-shares.ts";

/** The cases of every rule, from one file for each file of `policies/rules`. */
export const CASES: CasesByRule = {
  ...AWS_CASES,
  ...AWS_IAM_CASES,
  ...CLUSTER_CASES,
  ...CLUSTER_ADDONS_CASES,
  ...CLUSTER_NODES_CASES,
  ...COLLECTORS_CASES,
  ...COLLECTORS_FLUENT_BIT_CASES,
  ...COLLECTORS_SENDING_CASES,
  ...COLLECTORS_SOURCES_CASES,
  ...COREDNS_CASES,
  ...COREDNS_COREFILE_CASES,
  ...COREDNS_PODS_CASES,
  ...EXPOSURE_CASES,
  ...POD_IMAGES_CASES,
  ...POD_ISOLATION_CASES,
  ...POD_KERNEL_CASES,
  ...POD_TOKEN_CASES,
  ...POD_WORKLOAD_CASES,
  ...TENANCY_CASES,
  ...TENANCY_DEFAULT_NAMESPACE_CASES,
  ...TENANCY_DNS_CASES,
  ...TENANCY_ESCALATION_CASES,
  ...TENANCY_NETWORK_CASES,
  ...TENANCY_POLICY_AGENT_CASES,
  ...TENANCY_RBAC_CASES,
  ...TENANCY_SHARES_CASES,
};
