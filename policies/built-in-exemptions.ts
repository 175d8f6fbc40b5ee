import type { Exemption } from "./core/pack-config.ts";

/** Any stack of this project, but no resource of another project. */
const PROJECT = "urn:pulumi:*::eks-dns-logging::";

/**
 * What one resource of this project is exempt from, by rule with the end of the reason.
 * @param resource Component that makes it, type and name: a name alone may be that of a team's resource too.
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
  // Undecided only where the subnets are not the stack's own, which is where the settings name them.
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
