import type { Connection, Peer, Policy } from "./connectivity.ts";

type Json = Readonly<Record<string, unknown>>;

const CLUSTER = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" };

/** Pods, one an address, and addresses outside. The first two parts of a name are namespace and pod. */
export const PEERS: Readonly<Record<string, Peer>> = {
  "ts-team/curl": { namespace: "ts-team", address: "10.0.0.1", labels: { app: "curl", tier: "web" } },
  "sa-team/curl": { namespace: "sa-team", address: "10.0.0.2", labels: { app: "curl" }, ports: { "TCP http": 8080 } },
  "qa-team/batch": { namespace: "qa-team", address: "10.0.0.3", labels: { tier: "batch" } },
  "payments/api": {
    namespace: "payments",
    address: "10.0.0.4",
    labels: { app: "api", tier: "web" },
    namespaceLabels: { team: "pay", stage: "production" },
    ports: { "TCP http": 80, "UDP http": 8080 },
  },
  "payments-jobs/job": {
    namespace: "payments-jobs",
    address: "10.0.0.5",
    labels: { app: "job" },
    namespaceLabels: { team: "pay", stage: "test" },
  },
  "kube-system/coredns": { namespace: "kube-system", address: "10.0.0.6", labels: { "k8s-app": "kube-dns" } },
  "kube-system/proxy": { namespace: "kube-system", address: "10.0.0.7", labels: { "k8s-app": "kube-proxy" } },
  "ingress-nginx/controller": { namespace: "ingress-nginx", address: "10.0.0.8", labels: { app: "nginx" } },
  "monitoring/prometheus": { namespace: "monitoring", address: "10.0.0.9" },
  "web/fake": { namespace: "web", address: "10.0.0.10", labels: { "k8s-app": "kube-dns", tier: "web" } },
  "a resolver": { address: "8.8.8.8" },
  "the DNS Service": { address: "172.20.0.10" },
  "NodeLocal DNSCache": { address: "169.254.20.10" },
  "the Pod Identity agent": { address: "169.254.170.23" },
  "instance metadata": { address: "169.254.169.254" },
  "an API outside": { address: "203.0.113.9" },
  "the first address after its block": { address: "203.0.114.0" },
  "an IPv6 address": { address: "2001:db8::5" },
};

const PORTS: readonly NonNullable<Connection["port"]>[] = [
  { protocol: "TCP", port: 53 },
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 80 },
  { protocol: "TCP", port: 443 },
  { protocol: "TCP", port: 8080 },
  { protocol: "UDP", port: 8080 },
  { protocol: "TCP", port: 9105 },
  { protocol: "SCTP", port: 443 },
];

/** Stacks, by what is of interest in them: the teams, and other sections. */
export const STACKS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "peers one way and both ways": {
    cluster: CLUSTER,
    teams: [
      { name: "ts", peers: ["sa"] },
      { name: "sa", peers: ["ts"] },
      { name: "qa", peers: ["ts"] },
    ],
  },
  "ingress and egress": {
    cluster: CLUSTER,
    teams: [
      {
        name: "ts",
        ingress: [
          { namespaces: ["ingress-nginx"], ports: [8080] },
          { namespaces: ["monitoring"], ports: [{ port: 9100, endPort: 9110 }] },
          { cidrs: ["2001:db8::/32"] },
        ],
        egress: [
          { cidrs: ["203.0.113.0/24"], ports: [443, { port: 53, protocol: "UDP" }] },
          { namespaces: ["payments"] },
        ],
      },
    ],
  },
  "namespaces of one's own, and an identity": {
    cluster: CLUSTER,
    teams: [
      {
        name: "pay",
        namespaces: [{ name: "payments", adopt: true }, { name: "payments-jobs" }],
        podIdentity: { policyArns: ["arn:aws:iam::123456789012:policy/orders"] },
      },
      { name: "qa", peers: ["pay"] },
    ],
  },
  "Auto Mode": { cluster: { ...CLUSTER, compute: "auto", serviceCidr: "172.20.0.0/16" }, teams: [{ name: "ts" }] },
  "NodeLocal DNSCache": {
    cluster: CLUSTER,
    dns: { clusterDns: ["172.20.0.10"], nodeLocalCache: { mode: "iptables" } },
    teams: [{ name: "ts" }, { name: "sa", peers: ["ts"] }],
  },
};

const policy = (namespace: string, spec: Json): Policy => ({ namespace, spec });
const expression = (key: string, operator: string, values?: readonly string[]) => ({ key, operator, values });
const selector = (...matchExpressions: readonly Json[]) => ({ matchExpressions });
const deny = (namespace: string) => policy(namespace, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });

/** What this project does not write, but those who adopt a namespace may have there. */
export const POLICIES: Readonly<Record<string, readonly Policy[]>> = {
  "expressions on pods and namespaces": [
    policy("payments", {
      podSelector: selector(expression("tier", "In", ["web", "edge"])),
      policyTypes: ["Ingress"],
      ingress: [
        { from: [{ podSelector: selector(expression("tier", "Exists")), namespaceSelector: {} }] },
        {
          from: [
            {
              namespaceSelector: selector(
                expression("team", "In", ["pay"]),
                expression("stage", "NotIn", ["production"]),
              ),
            },
          ],
        },
      ],
    }),
    policy("web", {
      podSelector: selector(expression("tier", "DoesNotExist")),
      policyTypes: ["Ingress", "Egress"],
    }),
    policy("sa-team", {
      podSelector: selector(expression("tier", "NotIn", ["web"])),
      policyTypes: ["Egress"],
      egress: [
        {
          to: [
            {
              namespaceSelector: selector(expression("team", "DoesNotExist")),
              podSelector: { matchLabels: { tier: "web" }, ...selector(expression("k8s-app", "Exists")) },
            },
          ],
        },
      ],
    }),
  ],
  "blocks with exceptions": [
    policy("ts-team", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        {
          to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16", "203.0.113.0/28", "10.0.0.4/32"] } }],
          ports: [{ port: 443 }],
        },
        { to: [{ ipBlock: { cidr: "2001:db8::/32", except: ["2001:db8:1::/48"] } }] },
      ],
    }),
    policy("sa-team", {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/28", except: ["10.0.0.8/29"] } }] }],
    }),
  ],
  "named ports, ranges and protocols": [
    policy("payments", {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [
        {
          ports: [
            { protocol: "TCP", port: "http" },
            { protocol: "UDP", port: "http" },
          ],
        },
        { ports: [{ protocol: "SCTP" }] },
      ],
    }),
    policy("ts-team", {
      podSelector: { matchLabels: { app: "curl" } },
      policyTypes: ["Egress"],
      egress: [
        { to: [{ podSelector: {}, namespaceSelector: {} }], ports: [{ protocol: "TCP", port: "http" }] },
        { ports: [{ protocol: "TCP", port: 9100, endPort: 9110 }] },
      ],
    }),
  ],
  "two policies of one pod, and an own namespace": [
    deny("ts-team"),
    deny("sa-team"),
    policy("ts-team", { podSelector: {}, policyTypes: ["Egress"], egress: [{ to: [{ namespaceSelector: {} }] }] }),
    policy("sa-team", {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [
        { from: [{ podSelector: { matchLabels: { tier: "web" } } }] },
        {
          from: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ts-team" } },
              podSelector: { matchLabels: { tier: "web" } },
            },
          ],
        },
      ],
    }),
  ],
};

/** Every connection between two of the peers, in a fixed order. */
export function connections(): Connection[] {
  const peers = Object.values(PEERS);
  return peers.flatMap((from) =>
    peers.filter((to) => to !== from).flatMap((to) => PORTS.map((port) => ({ from, to, port }))),
  );
}
