import assert from "node:assert/strict";
import { RULES } from "../../../policies/pack.ts";
import { CASES } from "./all.ts";
import { describeRule } from "./cases.ts";

/** Judges outputs and no resources: its cases stand in kubeconfig.test.ts. */
const ELSEWHERE = ["cluster-kubeconfig-secret"];

describe("the rules", () => {
  it("each have good, bad and unknown cases", () => {
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

  it("have unique ids that begin with the family, a title, a reason, a fix and a source", () => {
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
