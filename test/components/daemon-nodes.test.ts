import assert from "node:assert/strict";
import { planOnce } from "../support/plans.ts";
import { configOf, OWN_SEARCH } from "./monitoring/stacks.ts";

const EXCEPT_FARGATE = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: "eks.amazonaws.com/compute-type", operator: "NotIn", values: ["fargate"] }] },
      ],
    },
  },
};

describe("the DaemonSets of a cluster that also has Fargate and Windows nodes", () => {
  it("run on Linux nodes that take them, and wait on no other", async () => {
    const sections = {
      dns: { corefile: { profile: "tuned" }, nodeLocalCache: { mode: "kubelet" } },
      logging: OWN_SEARCH,
      monitoring: { kind: "prometheus-operator" },
    };
    const { resources } = await planOnce({ name: "daemons", config: configOf("eks", sections) });
    const pods = resources
      .filter(({ type }) => type === "kubernetes:apps/v1:DaemonSet")
      .map(({ name, inputs }) => [name, JSON.parse(JSON.stringify(inputs)).spec.template.spec]);
    const names = ["coredns-local-daemon", "logs-fluent-bit-daemonset", "monitoring-canary-daemonset"];
    assert.deepEqual(pods.map(([name]) => name).sort(), names);
    for (const [name, { affinity, nodeSelector }] of pods) {
      assert.deepEqual(affinity, EXCEPT_FARGATE, name);
      assert.deepEqual(nodeSelector, { "kubernetes.io/os": "linux" }, name);
    }
  });
});
