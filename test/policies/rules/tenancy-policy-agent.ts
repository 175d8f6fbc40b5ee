import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import type { Sample } from "./samples.ts";
import { inTeam, NETWORK, POLICY } from "./tenancy-samples.ts";

const ANYWHERE_BUT_PRIVATE = { ipBlock: { cidr: "0.0.0.0/0", except: ["192.168.0.0/16", "10.0.0.0/8"] } };
const DNS = [
  { port: 53, protocol: "UDP" },
  { port: 53, protocol: "TCP" },
];
const ports = (count: number): Value[] => Array.from({ length: count }, (_, index) => ({ port: 8000 + index }));

/** A namespace with a policy for some of its pods, beside those for all. */
const withPolicy = (egress: Value, podSelector: Value = { matchLabels: { app: "web" } }): Sample => [
  ...NETWORK,
  inTeam(POLICY, "web", { podSelector, policyTypes: ["Egress"], egress }),
];

const CLASH = (rule: string, name = "web") =>
  `NetworkPolicy/ts-team/web: spec.egress[0].to[0].ipBlock.except is ["192.168.0.0/16","10.0.0.0/8"], of which the agent denies 192.168.0.0/16 also to ${rule} of NetworkPolicy/ts-team/${name}`;

export const TENANCY_POLICY_AGENT_CASES: CasesByRule = {
  "tenancy-policy-agent": {
    good: {
      "policies that name pods": NETWORK,
      "an exception and a rule for pods": withPolicy([
        { to: [ANYWHERE_BUT_PRIVATE] },
        { to: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "db" } } }] },
      ]),
      "an exception, and rules for it or a part of it": withPolicy([
        { to: [ANYWHERE_BUT_PRIVATE] },
        { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }, { ipBlock: { cidr: "10.20.0.0/16" } }], ports: DNS },
      ]),
      "two rules with the same exception": withPolicy([
        { to: [ANYWHERE_BUT_PRIVATE], ports: [{ port: 443 }] },
        { to: [ANYWHERE_BUT_PRIVATE], ports: [{ port: 80 }] },
      ]),
      "an exception and a rule for other addresses": withPolicy([
        { to: [ANYWHERE_BUT_PRIVATE] },
        { to: [{ ipBlock: { cidr: "172.16.0.0/12" } }, { ipBlock: { cidr: "::/0" } }] },
      ]),
      "24 ports, a range, and one of them twice": withPolicy([
        {
          to: [{ ipBlock: { cidr: "203.0.113.0/24" } }],
          ports: [...ports(22), { port: 8000 }, { port: 1, endPort: 99 }],
        },
      ]),
      "an exception of other pods": [
        ...withPolicy([{ to: [ANYWHERE_BUT_PRIVATE] }]),
        inTeam(POLICY, "names", {
          podSelector: { matchLabels: { app: "db" } },
          policyTypes: ["Egress"],
          egress: [{ ports: DNS }],
        }),
      ],
    },
    bad: {
      "all addresses but private ones, and DNS anywhere": [
        withPolicy([{ to: [ANYWHERE_BUT_PRIVATE] }, { ports: DNS }]),
        CLASH("spec.egress[1]"),
      ],
      "the same with DNS to all addresses": [
        withPolicy([{ to: [ANYWHERE_BUT_PRIVATE] }, { to: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: DNS }]),
        CLASH("spec.egress[1]"),
      ],
      "DNS anywhere in the policy for all pods": [
        [
          ...withPolicy([{ to: [ANYWHERE_BUT_PRIVATE] }]),
          inTeam(POLICY, "names", { podSelector: {}, policyTypes: ["Egress"], egress: [{ ports: DNS }] }),
        ],
        CLASH("spec.egress[0]", "names"),
      ],
      "25 ports": [
        withPolicy([{ to: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: ports(25) }]),
        "NetworkPolicy/ts-team/web: spec.egress[0].ports: 25 ports and ranges, of which the agent enforces any 24",
      ],
    },
    unknown: {
      "peers that are known later": [
        withPolicy([{ to: [ANYWHERE_BUT_PRIVATE] }, { to: UNKNOWN, ports: DNS }]),
        "NetworkPolicy/ts-team/web: spec.egress[1].to is known only after deployment",
      ],
    },
  },
};
