import { output, replace, set } from "./mutate.ts";
import type { Case } from "./mutation-case.ts";

/** Another text in the configuration of the CoreDNS add-on. */
export const inAddon = (from: string, to: string) => replace("coredns-addon", "configurationValues", from, to);
const CLUSTER = "Cluster cluster";

/** Changes of what AWS makes: cluster, CoreDNS, account. */
export const PLATFORM: Readonly<Record<string, Case>> = {
  "a public endpoint for everybody": {
    change: set(CLUSTER, "publicAccessCidrs", ["0.0.0.0/0"]),
    rules: ["cluster-endpoint-restricted"],
    says: ["Cluster/cluster", "publicAccessCidrs[0]", '"0.0.0.0/0"'],
  },
  "a public endpoint without a list": {
    change: set(CLUSTER, "publicAccessCidrs", null),
    rules: ["cluster-endpoint-restricted"],
    says: ["publicAccessCidrs is not set"],
  },
  "Secrets without a key": {
    change: set(CLUSTER, "encryptionConfigKeyArn", null),
    rules: ["cluster-secrets-encrypted"],
    says: ["encryptionConfigKeyArn is not set"],
  },
  "audit logs off": {
    change: set(CLUSTER, "enabledClusterLogTypes", ["api", "authenticator"]),
    rules: ["cluster-logs"],
    says: ["enabledClusterLogTypes", "audit"],
  },
  "access by the aws-auth ConfigMap": {
    change: set(CLUSTER, "authenticationMode", "API_AND_CONFIG_MAP"),
    rules: ["cluster-authentication-mode"],
    says: ['authenticationMode is "API_AND_CONFIG_MAP"'],
  },
  "an old Kubernetes": {
    change: set(CLUSTER, "version", "1.29"),
    rules: ["cluster-version-supported"],
    says: ['version is "1.29"'],
  },
  "production without protection": {
    change: set(CLUSTER, "tags.environment", "production"),
    rules: ["cluster-deletion-protection"],
    says: ["deletionProtection is false"],
  },
  "a kubeconfig for everybody to see": {
    change: output("kubeconfig", "apiVersion: v1\nclusters: []\nusers: []\n"),
    rules: ["cluster-kubeconfig-secret"],
    says: ["outputs.kubeconfig"],
  },
  "an add-on without a version": {
    change: set("cluster-kube-proxy", "addonVersion", null),
    rules: ["cluster-addons-pinned"],
    says: ["Addon/cluster-kube-proxy", "addonVersion is not set"],
  },
  IMDSv1: {
    change: set("LaunchTemplate cluster-nodes-default", "metadataOptions.httpTokens", "optional"),
    rules: ["cluster-nodes-imdsv2"],
    says: ['metadataOptions.httpTokens is "optional"'],
  },
  "metadata for pods": {
    change: set("LaunchTemplate cluster-nodes-default", "metadataOptions.httpPutResponseHopLimit", 2),
    rules: ["cluster-nodes-imdsv2"],
    says: ["metadataOptions.httpPutResponseHopLimit is 2"],
  },
  "public addresses for nodes": {
    change: set("Subnet cluster-vpc-private-0", "mapPublicIpOnLaunch", true),
    rules: ["cluster-nodes-private"],
    says: ["NodeGroup/cluster-nodes-default", "subnetIds", "Subnet/cluster-vpc-private-0"],
  },
  "a Corefile without loop": {
    change: inAddon("\\n    loop", ""),
    rules: ["coredns-corefile-complete"],
    says: ["Addon/coredns-addon", "loop"],
  },
  "a lameduck that is cut off": {
    change: inAddon("lameduck 5s", "lameduck 45s"),
    rules: ["coredns-lameduck"],
    says: ["45s"],
  },
  "one CoreDNS alone": {
    change: inAddon('"replicaCount":2', '"replicaCount":1'),
    rules: ["coredns-replicas"],
    says: ["replicaCount"],
  },
  "a configuration that EKS refuses": {
    change: inAddon('"replicaCount":2', '"replicaCount":2,"tolerations":"all"'),
    rules: ["coredns-configuration-valid"],
    says: ['tolerations is "all", which must be an array'],
  },
  "a key that only an older version is known not to take": {
    change: inAddon('"replicaCount":2', '"replicaCount":2,"replicas":2'),
    rules: ["coredns-configuration-valid"],
    says: ["sets replicas, which is not in the schema of v1.12.3-eksbuild.1"],
  },
  "a conflict mode that EKS has not": {
    change: set("coredns-addon", "resolveConflictsOnCreate", "PRESERVE"),
    rules: ["coredns-conflict-modes"],
    says: ['resolveConflictsOnCreate is "PRESERVE"'],
  },
  "an IAM policy of all actions": {
    change: replace("RolePolicy logs-identity", "policy", '["logs:CreateLogStream","logs:PutLogEvents"]', '"logs:*"'),
    rules: ["aws-iam-actions"],
    says: ["RolePolicy/logs-identity", "logs:*"],
  },
  "an IAM policy of all resources": {
    change: replace(
      "RolePolicy logs-identity",
      "policy",
      "arn:aws:logs:eu-central-1:123456789012:log-group:/eks-dns-logging/eks-dns-logging-dev/pods:*",
      "*",
    ),
    rules: ["aws-iam-resources"],
    says: ["RolePolicy/logs-identity", "Resource *"],
  },
  "a role for everybody": {
    change: replace("Role cluster-nodes", "assumeRolePolicy", '{"Service":"ec2.amazonaws.com"}', '"*"'),
    rules: ["aws-iam-trust"],
    says: ["Role/cluster-nodes", "Principal *"],
  },
  "logs for ever": {
    change: set("LogGroup logs-group", "retentionInDays", null),
    rules: ["aws-log-retention"],
    says: ["LogGroup/logs-group", "retentionInDays is not set"],
  },
  "logs without a key": {
    change: set("LogGroup logs-group", "kmsKeyId", null),
    rules: ["aws-log-encryption"],
    says: ["kmsKeyId is not set"],
  },
  "a key for ever": {
    change: set("logs-group-key", "enableKeyRotation", false),
    rules: ["aws-kms-rotation"],
    says: ["enableKeyRotation is false"],
  },
  "a missing tag": {
    change: set("LogGroup logs-group", "tags.project", null),
    rules: ["aws-tags"],
    says: ["LogGroup/logs-group", "tags: no project"],
  },
};
