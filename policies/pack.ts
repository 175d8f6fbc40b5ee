import type { Exemption } from "./core/pack-config.ts";
import type { Rule } from "./core/rule.ts";
import { AWS } from "./rules/aws/aws.ts";
import { AWS_IAM } from "./rules/aws/aws-iam.ts";
import { CLUSTER_NODES, CLUSTER_NODES_ACCESS } from "./rules/aws/cluster-nodes.ts";
import { CLUSTER, CLUSTER_ADDONS } from "./rules/aws/control-plane.ts";
import { POD_ISOLATION } from "./rules/kubernetes/pod-isolation.ts";
import { POD_KERNEL } from "./rules/kubernetes/pod-kernel.ts";
import { POD_IMAGES, POD_TOKEN, POD_WORKLOAD } from "./rules/kubernetes/pod-workload.ts";
import { TENANCY, TENANCY_DEFAULT_NAMESPACE, TENANCY_SHARES } from "./rules/kubernetes/tenancy.ts";
import { TENANCY_ESCALATION } from "./rules/kubernetes/tenancy-escalation.ts";
import { TENANCY_NETWORK } from "./rules/kubernetes/tenancy-network.ts";
import { TENANCY_RBAC } from "./rules/kubernetes/tenancy-rbac.ts";
import { COLLECTORS, COLLECTORS_SOURCES } from "./rules/programs/collectors-access.ts";
import { COLLECTORS_DELIVERY } from "./rules/programs/collectors-delivery.ts";
import { COREDNS } from "./rules/programs/coredns.ts";

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
  ...COLLECTORS_SOURCES,
  ...AWS_IAM,
  ...AWS,
];

/** Any stack of this project, but no other project. */
const PROJECT = "urn:pulumi:*::eks-dns-logging::";

/**
 * Exemptions of a resource of this project from several rules.
 * @param resource Component, type and name: a team's resource may have the same name.
 * @param because The common beginning of the reasons.
 * @param rules The rest of each reason, by rule.
 */
function exempt(resource: string, because: string, rules: Readonly<Record<string, string>>): Exemption[] {
  return Object.entries(rules).map(([rule, more]) => ({
    rule,
    resource: `${PROJECT}*${resource}`,
    reason: `${because}; ${more}`,
  }));
}

const READS_NODE = "the log collector reads all pods' log files on its node, which belong to root";
const CACHES_DNS = "NodeLocal DNSCache runs in the node's network, as in the Kubernetes manifest";
const NAMED_PRIVATE = "the subnets come from cluster.existingVpc.privateSubnetIds";
const TRIES_OUT = "the in-cluster OpenSearch is for evaluation";
const WRITES_CONFIG = "its image writes to its configuration folder at start";

/** Resources of this project that cannot work otherwise; the cache and OpenSearch are optional. */
export const BUILT_IN_EXEMPTIONS: readonly Exemption[] = [
  ...exempt("logging:LogCollection$*Namespace::logs-namespace", READS_NODE, {
    "tenancy-pod-security": "hostPath volumes need level privileged; audit and warn stay restricted",
  }),
  ...exempt("logging:CollectorDaemonSet$*DaemonSet::logs-*-daemonset", READS_NODE, {
    "pods-no-host-path": "collectors-host-paths limits its paths",
    "pods-non-root": "it has no capabilities and a read-only root file system",
  }),
  ...exempt("dns:NodeLocalCache$*DaemonSet::coredns-local-daemon", CACHES_DNS, {
    "pods-no-host-namespaces": "it creates an interface with the cache's address",
    "pods-no-host-probes": "the kubelet probes the cache at that address",
    "pods-drop-capabilities": "creating the interface needs NET_ADMIN",
    "pods-no-escalation": "it already runs as root",
    "pods-non-root": "only root can change the node's network",
    "pods-no-host-path": "it shares the iptables lock with kube-proxy",
    "pods-read-only-root": "it writes /etc/Corefile when it starts",
    "pods-seccomp": "it changes iptables rules",
  }),
  // Only undecided if the subnets are not the stack's own, but named in the settings.
  ...exempt("cluster:Nodes$aws:eks/nodeGroup:NodeGroup::*", NAMED_PRIVATE, {
    "cluster-nodes-private": "a plan cannot look them up",
  }).map((exemption) => ({ ...exemption, only: "undecided" as const })),
  ...exempt("logging:InClusterOpenSearch$*StatefulSet::logs-opensearch-node", TRIES_OUT, {
    "pods-read-only-root": WRITES_CONFIG,
  }),
  ...exempt("logging:InClusterOpenSearch$*Deployment::logs-opensearch-dashboards", TRIES_OUT, {
    "pods-read-only-root": WRITES_CONFIG,
  }),
];
