import assert from "node:assert/strict";
import { RULES } from "../../../policies/rules.ts";
import { AWS_CASES } from "./aws.ts";
import { type CasesByRule, describeRule } from "./cases.ts";
import { CLUSTER_CASES } from "./cluster.ts";
import { CLUSTER_NODES_CASES } from "./cluster-nodes.ts";
import { COLLECTORS_CASES } from "./collectors.ts";
import { COREDNS_CASES } from "./coredns.ts";
import { FLUENT_BIT_CASES } from "./fluent-bit.ts";
import { POD_ISOLATION_CASES } from "./pod-isolation.ts";
import { POD_KERNEL_CASES } from "./pod-kernel.ts";
import { POD_WORKLOAD_CASES } from "./pod-workload.ts";
import { TENANCY_CASES } from "./tenancy.ts";
import { TENANCY_RBAC_CASES } from "./tenancy-rbac.ts";

const CASES: CasesByRule = {
  ...AWS_CASES,
  ...CLUSTER_CASES,
  ...CLUSTER_NODES_CASES,
  ...COLLECTORS_CASES,
  ...COREDNS_CASES,
  ...FLUENT_BIT_CASES,
  ...POD_ISOLATION_CASES,
  ...POD_KERNEL_CASES,
  ...POD_WORKLOAD_CASES,
  ...TENANCY_CASES,
  ...TENANCY_RBAC_CASES,
};
/** Judges outputs and no resources: its cases stand in kubeconfig.test.ts. */
const ELSEWHERE = ["cluster-kubeconfig-secret"];

describe("the rules", () => {
  it("have good, bad and unknown cases each", () => {
    const tested = RULES.filter(({ id }) => !ELSEWHERE.includes(id));
    const lacking = (["good", "bad", "unknown"] as const).flatMap((kind) =>
      tested.filter(({ id }) => Object.keys(CASES[id]?.[kind] ?? {}).length === 0).map(({ id }) => `${id}: ${kind}`),
    );
    assert.deepEqual(lacking, []);
    const ids = RULES.map(({ id }) => id);
    assert.deepEqual(
      Object.keys(CASES).filter((id) => !ids.includes(id)),
      [],
    );
  });

  it("have ids of their own that begin with the family, and say what, why, how to mend it and where it is from", () => {
    assert.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length);
    for (const { id, family, title, reason, fix, source } of RULES) {
      assert.ok(id.startsWith(`${family}-`), id);
      for (const words of [title, reason, fix, source.id]) assert.ok(words.length > 3, id);
      assert.match(reason, /\.$/, id);
      assert.doesNotMatch(fix, /\.$/, id);
      assert.ok(URL.canParse(source.url), id);
    }
  });

  for (const rule of RULES) {
    const cases = CASES[rule.id];
    if (cases !== undefined) describe(rule.id, () => describeRule(rule, cases));
  }
});
