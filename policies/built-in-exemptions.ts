import type { Exemption } from "./core/exemption.ts";

/** Of any stack of this project: what another project calls the same is not meant. */
const PROJECT = "urn:pulumi:*::eks-dns-logging::";

/** What one resource of this project is exempt from, by rule with the end of the reason. */
function exempt(resource: string, because: string, rules: Readonly<Record<string, string>>): Exemption[] {
  return Object.entries(rules).map(([rule, more]) => ({
    rule,
    resource: `${PROJECT}*${resource}`,
    reason: `${because}; ${more}`,
  }));
}

const READS_NODE = "the log collector reads the log files of all pods, which belong to root, on its node";
const CACHES_DNS = "NodeLocal DNSCache answers DNS in the node's own network, as Kubernetes' manifest has it";
const NAMED_PRIVATE = "the setting cluster.existingVpc.privateSubnetIds says that the subnets are private";
const TRIES_OUT = "the OpenSearch that inCluster brings is for trying out";
const WRITES_CONFIG = "its image writes its own configuration folder when it starts";

/** What stands exempt of itself: what cannot do its work otherwise. Of these, the cache and OpenSearch are by choice. */
export const BUILT_IN_EXEMPTIONS: readonly Exemption[] = [
  ...exempt("Namespace::logs-namespace", READS_NODE, {
    "tenancy-pod-security": "that needs the level privileged, and audit and warn stay restricted",
  }),
  ...exempt("DaemonSet::logs-*-daemonset", READS_NODE, {
    "pods-no-host-path": "collectors-host-paths says which paths it may mount",
    "pods-non-root": "it has no capability and a read-only root file system",
  }),
  ...exempt("DaemonSet::coredns-local-daemon", CACHES_DNS, {
    "pods-no-host-namespaces": "there it makes an interface with the cache's address",
    "pods-no-host-probes": "the kubelet asks the cache at the address of that interface",
    "pods-drop-capabilities": "it needs NET_ADMIN for that",
    "pods-no-escalation": "it is root already",
    "pods-non-root": "only root may change the node's network",
    "pods-no-host-path": "it shares the lock of iptables with kube-proxy",
    "pods-read-only-root": "it writes /etc/Corefile when it starts",
    "pods-seccomp": "it changes the node's network by iptables",
  }),
  // Undecided only where the subnets are not the stack's own, which is where the settings name them.
  ...exempt("aws:eks/nodeGroup:NodeGroup::*", NAMED_PRIVATE, {
    "cluster-nodes-private": "no plan can look them up",
  }).map((exemption) => ({ ...exemption, only: "undecided" as const })),
  ...exempt("StatefulSet::logs-opensearch-node", TRIES_OUT, { "pods-read-only-root": WRITES_CONFIG }),
  ...exempt("Deployment::logs-opensearch-dashboards", TRIES_OUT, { "pods-read-only-root": WRITES_CONFIG }),
];
