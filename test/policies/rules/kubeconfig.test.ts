import assert from "node:assert/strict";
import { verdictsOf } from "../../../policies/core/evaluate.ts";
import { isStackRule, messageOf, Settings } from "../../../policies/core/rule.ts";
import { stackOfPlan } from "../../../policies/core/stack.ts";
import { RULES } from "../../../policies/pack.ts";

const MARK = {};
const TEXT = "apiVersion: v1\nclusters:\n- name: dev\nusers:\n- name: dev\n";

function saysOf(outputs: Record<string, unknown>, secretOutputs: readonly string[] = []) {
  const rule = RULES.find(({ id }) => id === "cluster-kubeconfig-secret");
  assert.ok(rule !== undefined);
  const stack = stackOfPlan({ resources: [], outputs, secretOutputs }, (value) => value === MARK);
  return verdictsOf(rule, stack, new Settings({})).map((verdict) => `${verdict.outcome} ${messageOf(verdict)}`);
}

describe("cluster-kubeconfig-secret", () => {
  it("accepts a secret kubeconfig, known or not, and other outputs", () => {
    assert.deepEqual(saysOf({ kubeconfig: TEXT }, ["kubeconfig"]), []);
    assert.deepEqual(saysOf({ kubeconfig: MARK }, ["kubeconfig"]), []);
    assert.deepEqual(saysOf({ kubeconfig: "that of the existing cluster", names: ["a"], id: MARK }), []);
  });

  it("rejects a plain one, as text, as JSON and as an object, under any name, and does not print it", () => {
    const wanted =
      "violated Stack/outputs: outputs.access (value not shown), a kubeconfig that is not secret. Fix: wrap";
    for (const access of [TEXT, JSON.stringify({ clusters: [], users: [] }), { clusters: [{}], users: [{}] }]) {
      const [message = "", ...more] = saysOf({ access });
      assert.ok(message.startsWith(wanted), message);
      assert.deepEqual(more, []);
    }
  });

  it("cannot decide an unknown plain one", () => {
    const [message = ""] = saysOf({ kubeConfig: MARK });
    assert.ok(message.startsWith("undecided Stack/outputs: outputs.kubeConfig"), message);
  });

  it("is for plans only, since the engine gives a pack no outputs", () => {
    const rule = RULES.find(({ id }) => id === "cluster-kubeconfig-secret");
    assert.ok(rule !== undefined && isStackRule(rule) && rule.planOnly);
  });
});
