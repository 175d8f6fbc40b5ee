import assert from "node:assert/strict";
import { planStack } from "../../lab/plan/plan.ts";
import { formatPolicies, policyReport, stops } from "../../lab/policies/report.ts";
import { readStack, stackNames } from "../../lab/stack.ts";
import type { Evaluation } from "../../policies/core/evaluate.ts";
import { STANDING_EXEMPTIONS } from "../../policies/exemptions.ts";
import { RULES } from "../../policies/rules.ts";

describe("the stacks of this repository, by the policies", () => {
  const evaluations = new Map<string, Evaluation>();
  before(async () => {
    for (const name of await stackNames()) evaluations.set(name, policyReport(await planStack(await readStack(name))));
  });

  it("break no rule but those that they are exempt from, and leave none open", () => {
    assert.ok(evaluations.size >= 2);
    for (const [name, { findings, mistakes, rules }] of evaluations) {
      assert.deepEqual(
        findings.filter(({ outcome }) => outcome !== "exempt").map(({ message }) => message),
        [],
        name,
      );
      assert.deepEqual(mistakes, [], name);
      assert.equal(rules, RULES.length);
    }
  });

  it("use each standing exemption, and nothing else is exempt", () => {
    const used = new Set([...evaluations.values()].flatMap(({ exemptions }) => exemptions.map(({ rule }) => rule)));
    assert.deepEqual([...used].sort(), STANDING_EXEMPTIONS.map(({ rule }) => rule).sort());
    for (const { exemptions } of evaluations.values())
      assert.deepEqual([...new Set(exemptions.map(({ reason }) => reason))].length, STANDING_EXEMPTIONS.length);
  });

  it("list what is exempt, each with its reason, and say that nothing stops them", () => {
    for (const [name, evaluation] of evaluations) {
      const text = formatPolicies(evaluation);
      assert.ok(!stops(evaluation), name);
      for (const { rule, reason } of STANDING_EXEMPTIONS) {
        assert.match(text, new RegExp(`exempt, mandatory: ${rule}`));
        assert.ok(text.includes(`Allowed: ${reason}`));
      }
      assert.match(text, /rules: none stops this plan/);
    }
  });

  it("are exempt as this project's stacks alone", async () => {
    const plan = await planStack(await readStack("local"));
    const elsewhere = plan.resources.map((one) => ({
      ...one,
      urn: one.urn.replace("::eks-dns-logging::", "::other::"),
    }));
    const { findings } = policyReport({ ...plan, resources: elsewhere });
    assert.deepEqual(
      [...new Set(findings.filter(({ outcome }) => outcome === "violated").map(({ rule }) => rule))].sort(),
      STANDING_EXEMPTIONS.map(({ rule }) => rule).sort(),
    );
  });
});
