import assert from "node:assert/strict";
import { verdictsOf } from "../../../policies/core/evaluate.ts";
import { ruleConfig } from "../../../policies/core/pack-config.ts";
import { messageOf } from "../../../policies/core/rule.ts";
import { RULES } from "../../../policies/pack.ts";
import { cpuTime } from "../../support/cpu-time.ts";
import { type SampleResource, stackOf } from "./samples.ts";

const TEAMS = Array.from({ length: 300 }, (_, number) => `t${number}-team`);

/** Policies of a namespace that keep DNS from its pods, and let them out to four others. */
const policies = (namespace: string, index: number): SampleResource[] => [
  {
    type: "kubernetes:core/v1:Namespace",
    name: namespace,
    props: { metadata: { name: namespace, labels: { team: namespace } } },
  },
  ...["deny", "a", "b", "c"].map((name): SampleResource => {
    const others = [1, 2, 3, 4].map((step) => TEAMS[(index + step) % TEAMS.length] ?? "");
    const to = others.map((other) => ({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": other } },
    }));
    const egress = name === "deny" ? [] : [{ to, ports: [{ port: 8080 }, { port: 8443 }] }];
    return {
      type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      name: `${namespace}-${name}`,
      props: { metadata: { name, namespace }, spec: { podSelector: {}, policyTypes: ["Egress"], egress } },
    };
  }),
];

const workload = (namespace: string, index: number): SampleResource => ({
  type: "kubernetes:apps/v1:Deployment",
  name: `${namespace}-${index}`,
  props: {
    metadata: { name: `web-${index}`, namespace },
    spec: {
      template: {
        metadata: { labels: { app: `web-${index}` } },
        spec: { containers: [{ name: "web", image: `registry.example.com/shop/web-${index}:1.2.3` }] },
      },
    },
  },
});

describe("A stack of thousands of workloads and policies", () => {
  it("is asked for DNS in seconds, though each peer of each policy may be a CoreDNS", () => {
    const workloads = TEAMS.flatMap((name) => Array.from({ length: 10 }, (_, index) => workload(name, index)));
    const stack = stackOf([...TEAMS.flatMap(policies), ...workloads]);
    const rule = RULES.find(({ id }) => id === "tenancy-dns-egress") ?? assert.fail();
    const elapsed = cpuTime();
    const messages = verdictsOf(rule, stack, ruleConfig(rule, {}).settings).map(messageOf);
    const milliseconds = elapsed();
    assert.equal(messages.length, 2 * TEAMS.length);
    assert.match(messages[0] ?? "", /no NetworkPolicy allows DNS over UDP 53/);
    assert.ok(milliseconds < 5000, `took ${milliseconds} ms`);
  });
});
