import { FLUENT_BIT } from "../../../policies/rules/collector.ts";
import { EKS_COREFILE } from "../../../support/eks-corefile.ts";
import type { Json } from "./clean-objects.ts";

/** A violation in another object than a pod. */
export interface ObjectViolation {
  readonly what: string;
  /** What finds it, all of it: rule and object. */
  readonly findings: readonly string[];
  /** Object in which it is planted. */
  readonly object: string;
  readonly path: string;
  /** Undefined takes the field out. */
  readonly to: Json | undefined;
}

const violation = (rule: string, what: string, object: string, path: string, to?: Json): ObjectViolation => ({
  what,
  findings: [`${rule} ${object}`],
  object,
  path,
  to,
});
/** A violation that is reported of the namespace in which it is. */
const tenancy = (rule: string, what: string, object: string, path: string, to?: Json): ObjectViolation => ({
  ...violation(rule, what, object, path, to),
  findings: [`${rule} Namespace/web-team`],
});

const RULE = { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] };
const role = (rule: string, what: string, part: Json, object = "Role/payments/api") =>
  violation(rule, what, object, "rules.0", part);
const POLICY = "NetworkPolicy/web-team/default";
const open = (what: string, way: string, to: Json) =>
  violation("tenancy-default-deny", what, POLICY, `spec.${way}`, to);
const label = (mode: string, to?: string) =>
  violation(
    "tenancy-pod-security",
    `${mode} ${to ?? "not set"}`,
    "Namespace/payments",
    `metadata.labels."pod-security.kubernetes.io/${mode}"`,
    to,
  );
const CIDR = (cidr: string) => ({ ipBlock: { cidr } });
const HARD = { pods: "20", "requests.cpu": "4", "requests.memory": "8Gi", "limits.memory": "8Gi" };
const quota = (what: string, spec: Json, findings: readonly string[]): ObjectViolation => ({
  ...violation("tenancy-quota", what, "ResourceQuota/web-team/quota", "spec", spec),
  findings,
});
const ADMIN = { kind: "ClusterRole", name: "cluster-admin", apiGroup: "rbac.authorization.k8s.io" };

const COREDNS = "ConfigMap/kube-system/coredns";
function dns(rule: string, what: string, before: string | RegExp, after: string): ObjectViolation {
  const text = EKS_COREFILE.replace(before, after);
  if (text === EKS_COREFILE) throw new Error(`no ${before} in the Corefile`);
  return violation(rule, what, COREDNS, "data.Corefile", text);
}
const COLLECTOR = "DaemonSet/logging/fluent-bit";
const POD = "spec.template.spec";
function sends(rule: string, what: string, before: string, after: string): ObjectViolation {
  const text = FLUENT_BIT.replace(before, after);
  if (text === FLUENT_BIT) throw new Error(`no ${before} in the configuration`);
  return violation(rule, what, "ConfigMap/logging/fluent-bit", 'data."fluent-bit.yaml"', text);
}
const holds = (what: string, line: string) =>
  violation(
    "collectors-no-credentials",
    what,
    "ConfigMap/payments/app",
    'data."app.yaml"',
    `mode: production\n${line}\n`,
  );

export const OBJECT_VIOLATIONS: readonly ObjectViolation[] = [
  role("tenancy-no-wildcards", "all verbs", { ...RULE, verbs: ["*"] }),
  role("tenancy-no-wildcards", "all resources of a group", { ...RULE, apiGroups: ["apps"], resources: ["*"] }),
  role("tenancy-no-wildcards", "all groups", { ...RULE, apiGroups: ["*"] }),
  role("tenancy-no-wildcards", "a part of all resources", { ...RULE, resources: ["*/status"] }),
  role("tenancy-no-wildcards", "all paths", { nonResourceURLs: ["/apis/*"], verbs: ["get"] }, "ClusterRole/reader"),
  violation("tenancy-no-wildcards", "the rules of all roles", "ClusterRole/reader", "aggregationRule", {
    clusterRoleSelectors: [{}],
  }),
  violation("tenancy-no-cluster-admin", "an administrator", "ClusterRoleBinding/reader", "roleRef", ADMIN),
  violation(
    "tenancy-no-cluster-admin",
    "an administrator of a namespace",
    "RoleBinding/payments/api",
    "roleRef",
    ADMIN,
  ),
  violation("tenancy-no-cluster-admin", "a group of masters", "ClusterRoleBinding/reader", "subjects.1", {
    kind: "Group",
    name: "system:masters",
  }),
  ...["bind", "escalate", "impersonate"].map((verb) =>
    role("tenancy-no-escalation", verb, { ...RULE, resources: ["x"], verbs: ["get", verb] }, "ClusterRole/reader"),
  ),
  ...["get", "list", "watch"].map((verb) =>
    role("tenancy-no-secret-reading", `${verb} on secrets`, { ...RULE, resources: ["secrets"], verbs: [verb] }),
  ),
  {
    ...role("tenancy-no-secret-reading", "everything", { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }),
    findings: [
      "tenancy-no-escalation Role/payments/api",
      "tenancy-no-secret-reading Role/payments/api",
      "tenancy-no-wildcards Role/payments/api",
      "tenancy-nodes-proxy Role/payments/api",
    ],
  },
  role("tenancy-no-credential-issuing", "tokens of accounts", {
    ...RULE,
    resources: ["serviceaccounts/token"],
    verbs: ["create"],
  }),
  violation("tenancy-no-anonymous", "everybody without a name", "ClusterRoleBinding/reader", "subjects.1", {
    kind: "Group",
    name: "system:unauthenticated",
  }),
  role("tenancy-nodes-proxy", "nodes/proxy", { ...RULE, resources: ["nodes/proxy"] }, "ClusterRole/reader"),

  label("enforce"),
  label("enforce", "privileged"),
  label("enforce", "baseline"),
  label("audit"),
  label("warn", "baseline"),
  violation("tenancy-team-label", "no team", "Namespace/web-team", "metadata.labels.team"),
  tenancy("tenancy-default-deny", "no policy on what comes in", POLICY, "spec.policyTypes", ["Egress"]),
  {
    ...tenancy("tenancy-default-deny", "a policy for some pods", POLICY, "spec.podSelector", {
      matchLabels: { a: "b" },
    }),
    findings: ["tenancy-default-deny Namespace/web-team", "tenancy-dns-egress Namespace/web-team"],
  },
  open("all who come", "ingress", [{}]),
  open("all pods of the cluster", "ingress", [{ from: [{ namespaceSelector: {} }] }]),
  open("all addresses", "ingress", [{ from: [CIDR("0.0.0.0/0")] }]),
  open("all addresses in two halves", "ingress", [{ from: [CIDR("0.0.0.0/1"), CIDR("128.0.0.0/1")] }]),
  open("all addresses by IPv6", "ingress", [{ from: [CIDR("::/0")] }]),
  open("all ports of everybody", "ingress", [{ ports: [{ port: 1, endPort: 65535 }] }]),
  tenancy("tenancy-dns-egress", "no DNS", POLICY, "spec.egress", []),
  tenancy("tenancy-dns-egress", "DNS by UDP alone", POLICY, "spec.egress.0.ports", [{ port: 53, protocol: "UDP" }]),
  tenancy("tenancy-dns-egress", "DNS in the wrong namespace", POLICY, "spec.egress.0.to", [
    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "dns" } } },
  ]),
  quota("a quota without pods", { hard: { ...HARD, pods: "20", "requests.cpu": "4" }, scopes: ["Terminating"] }, [
    "tenancy-quota Namespace/web-team",
  ]),
  ...Object.keys(HARD).map((key) =>
    quota(`a quota without ${key}`, { hard: Object.fromEntries(Object.entries(HARD).filter(([one]) => one !== key)) }, [
      "tenancy-quota ResourceQuota/web-team/quota",
    ]),
  ),
  violation("tenancy-limits", "no default limit", "LimitRange/web-team/limits", "spec.limits.0.default"),
  violation("tenancy-limits", "no default request", "LimitRange/web-team/limits", "spec.limits.0.defaultRequest.cpu"),
  violation("tenancy-limits", "limits of pods", "LimitRange/web-team/limits", "spec.limits.0.type", "Pod"),
  ...["ConfigMap/payments/app", "Service/payments/api"].map((object) => ({
    ...violation("tenancy-no-default-namespace", `${object} in default`, object, "metadata.namespace", "default"),
    findings: [`tenancy-no-default-namespace ${object.replace("payments", "default")}`],
  })),

  ...["errors", "ready", "loop", "reload", "cache 30", "forward . /etc/resolv.conf"].map((line) =>
    dns("coredns-corefile-complete", `a Corefile without ${line}`, `    ${line}\n`, ""),
  ),
  dns("coredns-corefile-complete", "a Corefile without health", /health \{[^}]*\}/, ""),
  dns("coredns-corefile-complete", "a Corefile without kubernetes", /kubernetes [^}]*\}/, ""),
  dns("coredns-corefile-complete", "a Corefile for one zone alone", ".:53", "cluster.local:53"),
  dns("coredns-lameduck", "no lameduck", /health \{[^}]*\}/, "health"),
  dns("coredns-lameduck", "a lameduck that is too long", "lameduck 5s", "lameduck 30s"),
  violation("coredns-replicas", "one CoreDNS", "Deployment/kube-system/coredns", "spec.replicas", 1),
  violation(
    "coredns-replicas",
    "as many CoreDNS as Kubernetes takes",
    "Deployment/kube-system/coredns",
    "spec.replicas",
  ),

  sends("collectors-buffer-on-disk", "no buffer on the disk", "  storage.path: /state/buffer\n", ""),
  sends("collectors-buffer-on-disk", "a buffer in the pod", "storage.path: /state", "storage.path: /tmp"),
  sends("collectors-buffer-on-disk", "no positions", "      db: /state/positions.db\n", ""),
  sends("collectors-buffer-on-disk", "a buffer in memory", "storage.type: filesystem", "storage.type: memory"),
  sends("collectors-buffer-on-disk", "a buffer without end", "      storage.total_limit_size: 2G\n", ""),
  sends("collectors-retries", "one retry", "      retry_limit: no_limits\n", ""),
  sends("collectors-retries", "few retries", "retry_limit: no_limits", "retry_limit: 3"),
  sends("collectors-grace", "a grace as long as the pod's", "grace: 5", "grace: 15"),
  sends("collectors-own-logs", "its own logs", "      exclude_path: /var/log/containers/*_logging_*.log\n", ""),
  sends("collectors-tls", "no TLS", "      tls: on\n", ""),
  sends("collectors-tls", "TLS with whoever answers", "tls.verify: on", "tls.verify: off"),
  sends("collectors-index-names", "an index in capitals", "logstash_prefix: pods", "logstash_prefix: Pods"),
  violation(
    "collectors-host-paths",
    "logs that can be written",
    COLLECTOR,
    `${POD}.containers.0.volumeMounts.1.readOnly`,
  ),
  violation("collectors-host-paths", "the node's configuration", COLLECTOR, `${POD}.volumes.3`, {
    name: "etc",
    hostPath: { path: "/etc" },
  }),
  holds("a password in a ConfigMap", "password: hunter2"),
  holds("a key in a ConfigMap", "id: AKIAIOSFODNN7EXAMPLE"),
  holds("a private key in a ConfigMap", "-----BEGIN RSA PRIVATE KEY-----"),
  holds("a password in a URL in a ConfigMap", "upstream: https://app:hunter2@example.com"),
];
