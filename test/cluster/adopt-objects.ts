import type { KubernetesObject } from "@kubernetes/client-node";

export const DNS_NAMESPACE = "lab-adopt-dns";
export const TEAM_NAMESPACE = "payments";
export const DEPLOYMENT = "resolver";
export const COREFILE = `# edited by hand
.:53 {
    errors
    health {
        lameduck 20s
    }
    ready
    rewrite name exact ledger.internal kubernetes.default.svc.cluster.local
    hosts /etc/zones/hosts {
        fallthrough
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    cache 30
    reload
    loadbalance
}
`;

const CURL_IMAGE = "docker.io/curlimages/curl:8.17.0";

/** A CoreDNS of one's own: other names, an edited Corefile, a second volume, a longer grace period. */
export function ownCoreDns(image: string): KubernetesObject[] {
  const labels = { app: DEPLOYMENT };
  const container = {
    name: "dns",
    image,
    args: ["-conf", "/etc/coredns/Corefile"],
    ports: [{ containerPort: 53, protocol: "UDP" }],
    readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
    resources: { requests: { cpu: "5m", memory: "24Mi" }, limits: { memory: "128Mi" } },
    volumeMounts: [
      { name: "config", mountPath: "/etc/coredns" },
      { name: "zones", mountPath: "/etc/zones" },
    ],
  };
  const spec = {
    serviceAccountName: DEPLOYMENT,
    dnsPolicy: "Default",
    terminationGracePeriodSeconds: 60,
    tolerations: [{ key: "dedicated", operator: "Equal", value: "dns", effect: "NoSchedule" }],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 50,
            podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: labels } },
          },
        ],
      },
    },
    containers: [container],
    volumes: [
      { name: "config", configMap: { name: "resolver-config" } },
      { name: "zones", configMap: { name: "zones" } },
    ],
  };
  return [
    namespace(DNS_NAMESPACE),
    named("v1", "ServiceAccount", DEPLOYMENT, DNS_NAMESPACE),
    binding(),
    named("v1", "ConfigMap", "resolver-config", DNS_NAMESPACE, { data: { Corefile: COREFILE } }),
    named("v1", "ConfigMap", "zones", DNS_NAMESPACE, { data: { hosts: "192.0.2.10 bank.example\n" } }),
    named("v1", "Service", DEPLOYMENT, DNS_NAMESPACE, {
      spec: {
        selector: labels,
        ports: ["UDP", "TCP"].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol })),
      },
    }),
    named("apps/v1", "Deployment", DEPLOYMENT, DNS_NAMESPACE, {
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    }),
  ];
}

/** A namespace of a team that was there before: three pods, a quota, limits, and people with rights. */
export function payments(): KubernetesObject[] {
  const labels = { app: "web" };
  const container = {
    name: "web",
    image: CURL_IMAGE,
    command: ["sleep", "3600"],
    // With 1m, the kubelet's status has the request at times and at times not.
    resources: { requests: { cpu: "5m", memory: "8Mi" }, limits: { memory: "64Mi" } },
  };
  const spec = { containers: [container], terminationGracePeriodSeconds: 0 };
  return [
    namespace(TEAM_NAMESPACE, { "pod-security.kubernetes.io/enforce": "baseline", "cost-center": "42" }),
    named("v1", "ResourceQuota", "own", TEAM_NAMESPACE, { spec: { hard: { pods: "10" } } }),
    named("v1", "LimitRange", "own", TEAM_NAMESPACE, {
      spec: { limits: [{ type: "Container", max: { memory: "256Mi" } }] },
    }),
    named("rbac.authorization.k8s.io/v1", "RoleBinding", "developers", TEAM_NAMESPACE, {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "developers" }],
    }),
    named("apps/v1", "Deployment", "web", TEAM_NAMESPACE, {
      spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    }),
  ];
}

function binding(): KubernetesObject {
  return named("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", DNS_NAMESPACE, undefined, {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects: [{ kind: "ServiceAccount", name: DEPLOYMENT, namespace: DNS_NAMESPACE }],
  });
}

function namespace(name: string, labels: Readonly<Record<string, string>> = {}): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { ...labels } } };
}

function named(
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | undefined,
  rest: object = {},
): KubernetesObject {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return Object.assign({ apiVersion, kind, metadata }, rest);
}
