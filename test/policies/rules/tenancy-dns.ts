import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { named, type SampleResource, without } from "./samples.ts";
import { inTeam, NETWORK, NS, POLICY } from "./tenancy-samples.ts";

/** Selectors of pods in the namespace of DNS that are not DNS's. */
const OTHER_PODS: readonly Value[] = [
  { matchLabels: { "k8s-app": "coredns" } },
  { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["coredns", "dns"] }] },
  { matchExpressions: [{ key: "k8s-app", operator: "NotIn", values: ["kube-dns"] }] },
];

/** Ports that the chart declares for a CoreDNS without the right to listen at 53. */
const PORTS: Value = [
  { name: "udp-5353", containerPort: 5353, protocol: "UDP" },
  { name: "tcp-5353", containerPort: 5353, protocol: "TCP" },
  { name: "tcp-9153", containerPort: 9153, protocol: "TCP" },
];

/** A CoreDNS as its Helm chart installs it. */
const chart = (namespace: string, image: Value = "coredns/coredns:1.13.1"): SampleResource => ({
  type: "kubernetes:apps/v1:Deployment",
  name: "dns-coredns",
  props: {
    metadata: { name: "dns-coredns", namespace },
    spec: {
      template: {
        metadata: { labels: { "k8s-app": "coredns", "app.kubernetes.io/instance": "dns" } },
        spec: { containers: [{ name: "coredns", image, ports: PORTS }] },
      },
    },
  },
});

const LABELS = "spec.template.metadata.labels";

/** A policy that lets DNS out to pods of the namespace `dns`. */
const toDns = (matchLabels: Readonly<Record<string, string>>) =>
  named(NETWORK, "dns", "spec.egress.0.to", [
    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "dns" } }, podSelector: { matchLabels } },
  ]);

/** The same by ports. */
const ofPorts = (ports: Value) => named(toDns({ "k8s-app": "coredns" }), "dns", "spec.egress.0.ports", ports);

export const TENANCY_DNS_CASES: CasesByRule = {
  "tenancy-dns-egress": {
    good: {
      "both protocols": NETWORK,
      "both by name and by range": named(NETWORK, "dns", "spec.egress.0.ports", [
        { port: "dns", protocol: "UDP" },
        { port: 50, endPort: 60 },
      ]),
      "no denial of egress, so DNS is open": without(named(NETWORK, "deny", "spec.policyTypes", ["Ingress"]), "dns"),
      "a policy without types, as Kubernetes fills them in": named(NETWORK, "dns", "spec.policyTypes", undefined),
      "everything let out": named(NETWORK, "dns", "spec.egress", [{}]),
      "all ports of the namespace of DNS": named(NETWORK, "dns", "spec.egress", [
        { to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }] },
      ]),
      "all ports of a protocol": named(NETWORK, "dns", "spec.egress.0.ports", [
        { protocol: "UDP" },
        { protocol: "TCP" },
      ]),
      "a label that the stack gives to the namespace of DNS": [
        ...named(NETWORK, "dns", "spec.egress.0.to", [{ namespaceSelector: { matchLabels: { name: "kube-system" } } }]),
        {
          type: "kubernetes:core/v1:NamespacePatch",
          name: "kube-system",
          props: { metadata: { name: "kube-system", labels: { name: "kube-system" } } },
        },
      ],
      "DNS's pods, by the label that they have and by others that they may have": named(
        NETWORK,
        "dns",
        "spec.egress.0.to",
        [
          {
            namespaceSelector: {},
            podSelector: {
              matchLabels: { "k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns" },
              matchExpressions: [{ key: "pod-template-hash", operator: "Exists" }],
            },
          },
        ],
      ),
      "DNS's pods among others, by an expression": named(NETWORK, "dns", "spec.egress.0.to", [
        {
          namespaceSelector: {},
          podSelector: { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["coredns", "kube-dns"] }] },
        },
      ]),
      "a CoreDNS with another label": [
        ...named(NETWORK, "dns", "spec.egress.0.to", [
          { namespaceSelector: {}, podSelector: { matchLabels: { "k8s-app": "coredns" } } },
        ]),
        {
          type: "kubernetes:apps/v1:Deployment",
          name: "coredns",
          props: {
            metadata: { name: "coredns", namespace: "kube-system" },
            spec: { template: { metadata: { labels: { "k8s-app": "coredns" } } } },
          },
        },
      ],
      "a CoreDNS in another namespace, by its labels": [
        ...toDns({ "k8s-app": "coredns", "app.kubernetes.io/instance": "dns" }),
        chart("dns"),
      ],
      "a CoreDNS in another namespace, from a mirror of its image": [
        ...toDns({ "k8s-app": "coredns" }),
        chart("dns", "rancher/hardened-coredns:v1.13.1-build20251015"),
      ],
      "a CoreDNS in another namespace, at the port to which its Service leads": [
        ...ofPorts([
          { port: 5353, protocol: "UDP" },
          { port: 5000, endPort: 5999 },
        ]),
        chart("dns"),
      ],
      "the address of DNS": named(NETWORK, "dns", "spec.egress.0.to", [{ ipBlock: { cidr: "10.100.0.10/32" } }]),
      "allowed DNS and a completely unknown policy": [
        inTeam(POLICY, "more", { podSelector: {}, policyTypes: ["Egress"], egress: UNKNOWN }),
        ...NETWORK,
      ],
    },
    bad: {
      "no DNS": [
        without(NETWORK, "dns"),
        `${NS}no NetworkPolicy allows DNS over UDP 53. Fix: allow port 53 for both`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "UDP alone": [
        named(NETWORK, "dns", "spec.egress.0.ports", [{ port: 53, protocol: "UDP" }]),
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "only TCP, the default protocol": [
        named(NETWORK, "dns", "spec.egress.0.ports", [{ port: 53 }]),
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
      ],
      "to the pods of its own namespace, where DNS is not": [
        named(NETWORK, "dns", "spec.egress.0.to", [{ podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }]),
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to a namespace by a label that none has": [
        named(NETWORK, "dns", "spec.egress.0.to", [
          { namespaceSelector: { matchLabels: { name: "kube-system" } }, podSelector: {} },
        ]),
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to a CoreDNS in another namespace, at ports that are not DNS's": [
        [...ofPorts([{ port: 5354, protocol: "UDP" }, { port: 9153 }]), chart("dns")],
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to a CoreDNS in another namespace, at ports below its own": [
        [
          ...ofPorts([
            { port: 5352, protocol: "UDP" },
            { port: 5000, endPort: 5352 },
          ]),
          chart("dns"),
        ],
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to pods of its own namespace, at the port of a CoreDNS in another": [
        [
          ...named(ofPorts([{ port: 5353, protocol: "UDP" }, { port: 5353 }]), "dns", "spec.egress.0.to", [
            { ipBlock: { cidr: "10.100.0.10/32" } },
            { podSelector: { matchLabels: { "k8s-app": "coredns" } } },
          ]),
          chart("dns"),
        ],
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to the port of a CoreDNS elsewhere": [
        [...ofPorts([{ port: 5353, protocol: "UDP" }, { port: 5353 }]), chart("web")],
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to another namespace": [
        named(NETWORK, "dns", "spec.egress.0.to", [
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "logging" } } },
        ]),
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to a workload with only a known image, which is not CoreDNS's": [
        [...toDns({ "k8s-app": "coredns" }), ...named([chart("dns", "nginx:1.29.8")], "dns-coredns", LABELS, UNKNOWN)],
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to a CoreDNS in another namespace, by a label that it has not": [
        [...toDns({ "k8s-app": "kube-dns" }), chart("dns")],
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      ...Object.fromEntries(
        OTHER_PODS.map((podSelector) => [
          `to other pods of its namespace: ${JSON.stringify(podSelector)}`,
          [
            named(NETWORK, "dns", "spec.egress.0.to", [{ namespaceSelector: {}, podSelector }]),
            `${NS}no NetworkPolicy allows DNS over UDP 53`,
            `${NS}no NetworkPolicy allows DNS over TCP 53`,
          ],
        ]),
      ),
      "another port": [
        named(NETWORK, "dns", "spec.egress.0.ports", [
          { port: 54, endPort: 60 },
          { port: 50, endPort: 52, protocol: "UDP" },
        ]),
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "a policy without types, whose egress denies all else": [
        without(
          named(named(NETWORK, "dns", "spec.policyTypes", undefined), "dns", "spec.egress.0.ports", [{ port: 443 }]),
          "deny",
        ),
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "to pods with a label that the CoreDNS of another namespace lacks": [
        [
          ...named(NETWORK, "dns", "spec.egress.0.to", [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "dns" } },
              podSelector: { matchExpressions: [{ key: "tier", operator: "Exists" }] },
            },
          ]),
          chart("dns"),
        ],
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
      "for some pods": [
        named(NETWORK, "dns", "spec.podSelector", { matchExpressions: [{ key: "app", operator: "Exists" }] }),
        `${NS}no NetworkPolicy allows DNS over UDP 53`,
        `${NS}no NetworkPolicy allows DNS over TCP 53`,
      ],
    },
    unknown: {
      "unknown ports": [
        named(NETWORK, "dns", "spec.egress.0.ports", UNKNOWN),
        "NetworkPolicy/ts-team/dns: spec.egress[0].ports is known only",
      ],
      "a workload there that may be CoreDNS": [
        [...toDns({ "k8s-app": "coredns" }), chart("dns", UNKNOWN)],
        "Deployment/dns/dns-coredns: spec.template.spec.containers[0].image is known only",
      ],
    },
  },
};
