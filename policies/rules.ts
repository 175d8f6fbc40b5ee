import type { Rule } from "./core/rule.ts";
import { AWS } from "./rules/aws.ts";
import { CLUSTER } from "./rules/cluster.ts";
import { COLLECTORS } from "./rules/collectors.ts";
import { COREDNS } from "./rules/coredns.ts";
import { POD_ISOLATION } from "./rules/pod-isolation.ts";
import { POD_KERNEL } from "./rules/pod-kernel.ts";
import { POD_WORKLOAD } from "./rules/pod-workload.ts";
import { TENANCY } from "./rules/tenancy.ts";

/** All rules of the pack, a family after the other. */
export const RULES: readonly Rule[] = [
  ...CLUSTER,
  ...COREDNS,
  ...TENANCY,
  ...POD_ISOLATION,
  ...POD_KERNEL,
  ...POD_WORKLOAD,
  ...COLLECTORS,
  ...AWS,
];
