import type { Exemption } from "./core/pack-config.ts";

/** Any stack of this project, but no other project. */
const PROJECT = "urn:pulumi:*::eks-dns-logging::";

/**
 * Exemptions of a resource of this project, from each rule to the end of the reason.
 * @param resource Its component, type and name: a team's resource may have the same name.
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
