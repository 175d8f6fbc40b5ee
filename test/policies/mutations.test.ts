import assert from "node:assert/strict";
import { policyReport, stops } from "../../lab/plan/policy-report.ts";
import { type Recording, UNKNOWN } from "../../lab/plan/recording.ts";
import { readStack } from "../../lab/stack-file.ts";
import { planOnce } from "../support/plans.ts";
import { ON_ITS_DAY } from "./as-of.ts";
import { set } from "./mutate.ts";
import type { Stack } from "./mutation-case.ts";
import { PLATFORM } from "./platform-mutations.ts";
import { WORKLOADS } from "./workload-mutations.ts";

describe("one invalid field in a planned stack", () => {
  const plans = new Map<Stack, Recording>();
  before(async () => {
    for (const stack of ["dev", "local"] as const) plans.set(stack, await planOnce(await readStack(stack)));
  });
  const planOf = (stack: Stack): Recording => {
    const plan = plans.get(stack);
    assert.ok(plan !== undefined);
    return plan;
  };

  for (const [name, { change, stack = "dev", rules, says }] of Object.entries({ ...PLATFORM, ...WORKLOADS })) {
    it(`${name}: ${rules.join(", ")}`, () => {
      const evaluation = policyReport(change(planOf(stack)), ON_ITS_DAY);
      const open = evaluation.findings.filter(({ outcome }) => outcome !== "exempt");
      assert.deepEqual([...new Set(open.map(({ rule }) => rule))].sort(), [...rules].sort());
      const messages = open.map(({ message }) => message);
      for (const text of says) {
        const isSaid = (message: string) => (typeof text === "string" ? message.includes(text) : text.test(message));
        assert.ok(messages.some(isSaid), `no message has ${text}:\n${messages.join("\n")}`);
      }
      for (const { message, outcome } of open) {
        if (outcome === "undecided") assert.match(message, /so this cannot be decided yet: \S/);
        else assert.match(message, /Fix: \S/);
        assert.ok(!message.includes("hunter2"), "a secret in a message");
      }
      assert.equal(
        stops(evaluation),
        open.some(({ level }) => level === "mandatory"),
      );
    });
  }

  it("fails on an undecided mandatory rule, unless that is allowed by name", () => {
    const plan = set("ts-curl-pod", "spec.containers[0].image", UNKNOWN)(planOf("local"));
    const evaluation = policyReport(plan);
    const open = evaluation.findings.filter(({ outcome }) => outcome === "undecided");
    assert.deepEqual([...new Set(open.map(({ rule }) => rule))].sort(), [
      "pods-image-registries",
      "pods-images-pinned",
    ]);
    for (const { message } of open)
      assert.match(message, /^Pod\/ts-team\/curl-ts: spec\.containers\[0\]\.image is known only after/);
    assert.ok(stops(evaluation));

    const exempt = [{ resource: "ts-curl-pod", reason: "the image is made by the same run", only: "undecided" }];
    const allowed = policyReport(plan, { "pods-images-pinned": { exempt }, "pods-image-registries": { exempt } });
    assert.deepEqual(allowed.issues, []);
    assert.ok(!stops(allowed));
  });
});
