import { UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { named, without } from "./samples.ts";
import { inTeam, NAMESPACE, NETWORK, NS, namespace, OTHERS, POLICY } from "./tenancy-samples.ts";

export const TENANCY_NETWORK_CASES: CasesByRule = {
  "tenancy-default-deny": {
    good: {
      "a denial of both ways": NETWORK,
      "a policy without types, as Kubernetes fills them in": without(
        named(NETWORK, "dns", "spec.policyTypes", undefined),
        "deny",
      ),
      "a namespace without a team": OTHERS,
      "a denial and a completely unknown policy": [
        inTeam(POLICY, "more", { podSelector: UNKNOWN, policyTypes: UNKNOWN }),
        ...NETWORK,
      ],
      "every address but some, on one port": named(NETWORK, "dns", "spec.egress.0", {
        to: [{ ipBlock: { cidr: "0.0.0.0/0" } }],
        ports: [{ port: 443 }],
      }),
      "half of all addresses for other pods each": [
        ...NETWORK,
        ...["0.0.0.0/1", "128.0.0.0/1"].map((cidr) =>
          inTeam(POLICY, cidr, {
            podSelector: { matchLabels: { app: cidr.slice(0, 1) } },
            egress: [{ to: [{ ipBlock: { cidr } }] }],
          }),
        ),
      ],
      "ranges that leave a port out, and ports of other protocols": named(NETWORK, "dns", "spec.egress.0", {
        ports: [
          { port: 1, endPort: 79 },
          { port: 81, endPort: 65535 },
          { port: 80, protocol: "UDP" },
          { port: "http" },
        ],
      }),
      "half of all addresses by half of all ports": named(NETWORK, "dns", "spec.egress", [
        { to: [{ ipBlock: { cidr: "0.0.0.0/1" } }], ports: [{ port: 1, endPort: 443 }] },
        { to: [{ ipBlock: { cidr: "128.0.0.0/1" } }], ports: [{ port: 444, endPort: 65535 }] },
      ]),
      "everybody by IPv6 but a network": named(NETWORK, "dns", "spec.egress.0", {
        to: [{ ipBlock: { cidr: "::/0", except: ["fd12:3456::/64"] } }],
      }),
      "every address but those inside": named(NETWORK, "dns", "spec.egress.0", {
        to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }],
      }),
    },
    bad: {
      "a policy without types, which denies no egress without a section for it": [
        without(named(NETWORK, "deny", "spec.policyTypes", undefined), "dns"),
        `${NS}no NetworkPolicy denies Egress for all of its pods`,
      ],
      "two ranges that together are all ports": [
        named(NETWORK, "deny", "spec.ingress", [
          {
            ports: [
              { port: 30000, endPort: 65535 },
              { port: 1, endPort: 30000 },
            ],
          },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is",
      ],
      "two rules with half of all ports each": [
        named(NETWORK, "deny", "spec.ingress", [
          {
            ports: [
              { port: 1, endPort: 1023 },
              { port: 53, protocol: "UDP" },
            ],
          },
          { from: [{ namespaceSelector: {} }], ports: [{ port: 1024, endPort: 65535 }] },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress is",
      ],
      "rules with a part of all addresses and ports each": [
        named(NETWORK, "deny", "spec.ingress", [
          { from: [{ ipBlock: { cidr: "0.0.0.0/1" } }] },
          { from: [{ ipBlock: { cidr: "128.0.0.0/1" } }], ports: [{ port: 1, endPort: 443 }] },
          { from: [{ namespaceSelector: {} }], ports: [{ port: 444, endPort: 65535 }] },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress is",
      ],
      "everybody except single hosts and unassigned addresses": [
        named(NETWORK, "dns", "spec.egress.0", {
          to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16", "10.0.0.1/32", "224.0.0.0/4"] } }],
        }),
        "NetworkPolicy/ts-team/dns: spec.egress[0] is",
      ],
      "everybody except some, who are allowed separately": [
        named(NETWORK, "dns", "spec.egress.0", {
          to: [
            { ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } },
            { ipBlock: { cidr: "10.0.0.0/8" } },
            { ipBlock: { cidr: UNKNOWN } },
          ],
        }),
        "NetworkPolicy/ts-team/dns: spec.egress[0] is",
      ],
      "two policies with half of all addresses each": [
        [
          ...NETWORK,
          inTeam(POLICY, "low", { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/1" } }] }] }),
          inTeam(POLICY, "high", { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "128.0.0.0/1" } }] }] }),
        ],
        `${NS}its NetworkPolicies together allow all Egress. Fix: add a NetworkPolicy`,
      ],
      "no policy": [
        [NAMESPACE],
        `${NS}no NetworkPolicy denies Ingress for all of its pods. Fix: add a NetworkPolicy`,
        `${NS}no NetworkPolicy denies Egress for all of its pods`,
      ],
      "a denial of only ingress": [
        without(named(NETWORK, "deny", "spec.policyTypes", ["Ingress"]), "dns"),
        `${NS}no NetworkPolicy denies Egress`,
      ],
      "a denial for some pods": [
        without(named(NETWORK, "deny", "spec.podSelector", { matchLabels: { app: "a" } }), "dns"),
        `${NS}no NetworkPolicy denies Ingress`,
        `${NS}no NetworkPolicy denies Egress`,
      ],
      "a rule that lets everything in": [
        named(NETWORK, "deny", "spec.ingress", [{}]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is {}, which allows all Ingress",
      ],
      "a rule that names every address": [
        named(NETWORK, "dns", "spec.egress", [
          { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }, { ipBlock: { cidr: "::/0" } }] },
        ]),
        "NetworkPolicy/ts-team/dns: spec.egress[0] is",
      ],
      "a rule that names every namespace": [
        named(NETWORK, "deny", "spec.ingress", [{ from: [{ namespaceSelector: {} }] }]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is",
      ],
      "a rule that names both halves of all addresses": [
        named(NETWORK, "deny", "spec.ingress", [
          { from: [{ ipBlock: { cidr: "0.0.0.0/1" } }, { ipBlock: { cidr: "128.0.0.0/1" } }] },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is",
      ],
      "every namespace by the label that each has": [
        named(NETWORK, "deny", "spec.ingress", [
          {
            from: [
              { namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "Exists" }] } },
            ],
          },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is",
      ],
      "every namespace but some": [
        named(NETWORK, "deny", "spec.ingress", [
          {
            from: [
              {
                namespaceSelector: { matchExpressions: [{ key: "team", operator: "NotIn", values: ["none"] }] },
                podSelector: {},
              },
            ],
          },
          { from: [{ namespaceSelector: { matchExpressions: [{ key: "isolated", operator: "DoesNotExist" }] } }] },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is",
        "NetworkPolicy/ts-team/deny: spec.ingress[1] is",
      ],
      "everybody by every port of a protocol": [
        named(NETWORK, "deny", "spec.ingress", [
          { from: [{ namespaceSelector: {} }], ports: [{ protocol: "TCP" }] },
          { ports: [{ protocol: "TCP", port: 1, endPort: 65535 }] },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress[0] is",
        "NetworkPolicy/ts-team/deny: spec.ingress[1] is",
      ],
      "two rules with half of all IPv6 addresses each": [
        named(NETWORK, "deny", "spec.ingress", [
          { from: [{ ipBlock: { cidr: "::/1" } }] },
          { from: [{ ipBlock: { cidr: "8000::/1" } }] },
        ]),
        "NetworkPolicy/ts-team/deny: spec.ingress is",
      ],
      "a denial in another namespace": [
        named(NETWORK, "deny", "metadata.namespace", "sa-team"),
        `${NS}no NetworkPolicy denies Ingress`,
      ],
      "a rule that lets everything out": [
        named(NETWORK, "dns", "spec.egress", [{ ports: [] }]),
        'NetworkPolicy/ts-team/dns: spec.egress[0] is {"ports":[]}, which allows all Egress',
      ],
    },
    unknown: {
      "an unknown port and a part of all": [
        named(NETWORK, "dns", "spec.egress.0", { ports: [{ port: 1, endPort: 443 }, { port: UNKNOWN }] }),
        "NetworkPolicy/ts-team/dns: spec.egress[0].ports[1].port is known only",
      ],
      "a denial and an unknown rule": [
        named(NETWORK, "deny", "spec.ingress", UNKNOWN),
        "NetworkPolicy/ts-team/deny: spec.ingress is known only",
      ],
      "a policy in an unknown namespace": [
        named(without(NETWORK, "dns"), "deny", "metadata.namespace", UNKNOWN),
        "NetworkPolicy/deny: metadata.namespace is known only",
      ],
      "unknown ways": [
        without(named(NETWORK, "deny", "spec.policyTypes", UNKNOWN), "dns"),
        "NetworkPolicy/ts-team/deny: spec.policyTypes is known only",
      ],
      "an unknown label": [namespace(UNKNOWN, { team: UNKNOWN }), "Namespace/namespace: metadata.name is known only"],
    },
  },
};
