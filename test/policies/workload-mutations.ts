import { remove, replace, set } from "./mutate.ts";
import type { Case } from "./mutation-case.ts";

const POD = "spec.containers[0]";
const AGENT = "spec.template.spec";
const inConfig = (from: string, to: string) => replace("logs-fluent-bit-config", 'data["fluent-bit.yaml"]', from, to);

/** Changes of what Kubernetes makes: teams, rights, pods, collectors. */
export const WORKLOADS: Readonly<Record<string, Case>> = {
  "a missing quota": {
    change: remove("ts-quota"),
    stack: "local",
    rules: ["tenancy-quota"],
    says: ["Namespace/ts-team"],
  },
  "missing limits": {
    change: remove("sa-limits"),
    stack: "local",
    rules: ["tenancy-limits"],
    says: ["Namespace/sa-team"],
  },
  "a missing Pod Security label": {
    change: set("ts-namespace", 'metadata.labels["pod-security.kubernetes.io/enforce"]', null),
    stack: "local",
    rules: ["tenancy-pod-security"],
    says: ["Namespace/ts-team", "pod-security.kubernetes.io/enforce", "not set"],
  },
  "a missing team label": {
    change: set("ts-namespace", "metadata.labels.team", null),
    stack: "local",
    rules: ["tenancy-team-label"],
    says: ["metadata.labels.team"],
  },
  "a policy that lets everybody in": {
    change: set("ts-allow-peers", "spec.ingress[0].from", null),
    stack: "local",
    rules: ["tenancy-default-deny"],
    says: ["NetworkPolicy/ts-team/allow-peers", "spec.ingress[0]"],
  },
  "DNS by UDP alone": {
    change: set("ts-allow-dns", "spec.egress[0].ports", [{ port: 53, protocol: "UDP" }]),
    stack: "local",
    rules: ["tenancy-dns-egress"],
    says: ["ts-team", "TCP"],
  },
  "a pod in default": {
    change: set("ts-curl-pod", "metadata.namespace", "default"),
    stack: "local",
    rules: ["tenancy-no-default-namespace"],
    says: ["Pod/default/curl-ts", 'metadata.namespace is "default"'],
  },
  "a wildcard role": {
    change: set("ts-member", "rules[0].verbs", ["*"]),
    stack: "local",
    rules: ["tenancy-no-wildcards"],
    says: ["Role/ts-team/team-member", "rules[0].verbs[0]", '"*"'],
  },
  "a role that reads Secrets": {
    change: set("ts-member", "rules[1].resources[0]", "secrets"),
    stack: "local",
    rules: ["tenancy-no-secret-reading"],
    says: ["Role/ts-team/team-member", "rules[1]", "get"],
  },
  "a role that impersonates": {
    change: set("ts-member", "rules[1].verbs[0]", "impersonate"),
    stack: "local",
    rules: ["tenancy-no-escalation"],
    says: ['rules[1].verbs[0] is "impersonate"'],
  },
  "cluster-admin": {
    change: set("logs-fluent-bit-binding", "roleRef.name", "cluster-admin"),
    stack: "local",
    rules: ["tenancy-no-cluster-admin"],
    says: ["ClusterRoleBinding/", 'roleRef.name is "cluster-admin"'],
  },
  "nodes/proxy for nobody": {
    change: set("logs-fluent-bit-role", "rules[0].resources[0]", "nodes/proxy"),
    stack: "local",
    rules: ["tenancy-nodes-proxy"],
    says: ['"nodes/proxy"'],
  },
  "the image latest": {
    change: set("ts-curl-pod", `${POD}.image`, "docker.io/curlimages/curl:latest"),
    stack: "local",
    rules: ["pods-images-pinned"],
    says: ["Pod/ts-team/curl-ts", "spec.containers[0].image", "curl:latest"],
  },
  "an image of nobody": {
    change: set("ts-curl-pod", `${POD}.image`, "registry.example/curl:8.17.0"),
    stack: "local",
    rules: ["pods-image-registries"],
    says: ["registry.example/curl:8.17.0"],
  },
  "a privileged pod": {
    change: set("ts-curl-pod", `${POD}.securityContext.privileged`, true),
    stack: "local",
    rules: ["pods-not-privileged"],
    says: ["spec.containers[0].securityContext.privileged is true"],
  },
  "an init container that escalates": {
    change: set("ts-curl-pod", "spec.initContainers[0].securityContext.allowPrivilegeEscalation", null),
    stack: "local",
    rules: ["pods-no-escalation"],
    says: ["spec.initContainers[0].securityContext.allowPrivilegeEscalation is not set"],
  },
  "the network of the node": {
    change: set("logs-fluent-bit-daemonset", `${AGENT}.hostNetwork`, true),
    stack: "local",
    rules: ["pods-no-host-namespaces"],
    says: ["DaemonSet/logging/fluent-bit", "spec.template.spec.hostNetwork is true"],
  },
  "no memory limit": {
    change: set("ts-curl-pod", `${POD}.resources.limits`, null),
    stack: "local",
    rules: ["pods-resources"],
    says: ["spec.containers[0].resources.limits.memory is not set"],
  },
  "a password in the environment": {
    change: set("ts-curl-pod", `${POD}.env`, [{ name: "DB_PASSWORD", value: "hunter2" }]),
    stack: "local",
    rules: ["pods-no-literal-secrets"],
    says: ["DB_PASSWORD"],
  },
  "a token that nothing needs": {
    change: set("ts-curl-pod", "spec.automountServiceAccountToken", true),
    stack: "local",
    rules: ["pods-service-account-token"],
    says: ["spec.automountServiceAccountToken is true"],
  },
  "the node's logs to be written": {
    change: set("logs-fluent-bit-daemonset", `${AGENT}.containers[0].volumeMounts[3].readOnly`, false),
    stack: "local",
    rules: ["collectors-host-paths"],
    says: ["volumeMounts[3].readOnly is false", "/var/log/pods"],
  },
  "a literal password in the ConfigMap": {
    change: inConfig("format: json_lines", "http_passwd: hunter2"),
    stack: "local",
    rules: ["collectors-no-credentials"],
    says: ["ConfigMap/logging/fluent-bit", "value not shown"],
  },
  "retry_limit 1": {
    change: inConfig("retry_limit: no_limits", "retry_limit: 1"),
    stack: "local",
    rules: ["collectors-retries"],
    says: ["ConfigMap/logging/fluent-bit", /Retry_Limit of stdout is 1/i],
  },
  "a buffer in memory": {
    change: inConfig("storage.type: filesystem", "storage.type: memory"),
    stack: "local",
    rules: ["collectors-buffer-on-disk"],
    says: ["storage.type of tail is memory"],
  },
  "positions that go with the pod": {
    change: inConfig("db: /var/lib/fluent-bit/positions.db", "db: /tmp/positions.db"),
    stack: "local",
    rules: ["collectors-buffer-on-disk"],
    says: ["/tmp/positions.db"],
  },
  "a grace that is cut off": {
    change: set("logs-fluent-bit-daemonset", `${AGENT}.terminationGracePeriodSeconds`, 1),
    stack: "local",
    rules: ["collectors-grace"],
    says: [/Grace is \d/i, "gets 1 s"],
  },
  "its own logs": {
    change: inConfig("exclude_path:", "exclude_paths:"),
    stack: "local",
    rules: ["collectors-own-logs"],
    says: ["Exclude_Path of tail is not set"],
  },
  "an index that no server makes": {
    change: inConfig("- name: stdout\n      format: json_lines", "- name: opensearch\n      index: Logs-*"),
    stack: "local",
    rules: ["collectors-index-names"],
    says: ["Logs-*"],
  },
  "a certificate that nobody looks at": {
    change: inConfig(
      "- name: stdout\n      format: json_lines",
      "- name: opensearch\n      host: logs.example\n      tls: on\n      tls.verify: off",
    ),
    stack: "local",
    rules: ["collectors-tls"],
    says: ["tls.verify of opensearch is off", "logs.example"],
  },
};
