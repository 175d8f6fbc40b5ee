import assert from "node:assert/strict";
import { verdictsOf } from "../../../policies/core/evaluate.ts";
import { ruleConfig } from "../../../policies/core/pack-config.ts";
import type { Rule } from "../../../policies/core/rule.ts";
import { messageOf } from "../../../policies/core/rule.ts";
import { type Sample, stackOf } from "./samples.ts";

/** What a rule must say of samples. */
export interface RuleCases {
  /** Nothing is wrong, by what each is. */
  readonly good: { readonly [what: string]: Sample };
  /** One way to be bad each, with the beginning of each message. */
  readonly bad: { readonly [what: string]: readonly [Sample, ...string[]] };
  /** The rule cannot decide, with the beginning of each message. */
  readonly unknown: { readonly [what: string]: readonly [Sample, ...string[]] };
  /** The rule leaves the decision to the deployment, with the beginning of each message. Default: none. */
  readonly deferred?: { readonly [what: string]: readonly [Sample, ...string[]] };
  /** Other settings than the rule's own, for all of its cases. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export type CasesByRule = { readonly [rule: string]: RuleCases };

/** Describes a rule by its cases. */
export function describeRule(rule: Rule, { good, bad, unknown, deferred = {}, config = {} }: RuleCases): void {
  const { settings, issues } = ruleConfig(rule, { [rule.id]: config });
  const saysOf = (sample: Sample) => verdictsOf(rule, stackOf(sample), settings);

  it("has valid settings", () => assert.deepEqual(issues, []));

  for (const [what, sample] of Object.entries(good)) {
    it(`accepts ${what}`, () => {
      assert.deepEqual(saysOf(sample).map(messageOf), []);
    });
  }
  for (const [what, [sample, ...messages]] of Object.entries(bad)) {
    it(`rejects ${what}`, () => {
      const verdicts = saysOf(sample);
      expectMessages(verdicts, messages);
      for (const verdict of verdicts) {
        assert.equal(verdict.outcome, "violated", verdict.detail);
        assert.match(messageOf(verdict), /\. Fix: \S/);
      }
    });
  }
  for (const [what, [sample, ...messages]] of Object.entries(unknown)) {
    it(`cannot decide ${what}`, () => {
      const verdicts = saysOf(sample);
      expectMessages(verdicts, messages);
      for (const { outcome, deferred: left, detail } of verdicts)
        assert.deepEqual([outcome, left], ["undecided", false], detail);
    });
  }
  for (const [what, [sample, ...messages]] of Object.entries(deferred)) {
    it(`leaves to the deployment ${what}`, () => {
      const verdicts = saysOf(sample);
      expectMessages(verdicts, messages);
      for (const { outcome, deferred: left, detail } of verdicts)
        assert.deepEqual([outcome, left], ["undecided", true], detail);
    });
  }
}

function expectMessages(verdicts: ReturnType<typeof verdictsOf>, wanted: readonly string[]): void {
  const messages = verdicts.map(messageOf);
  assert.ok(wanted.length > 0, "the case names no message");
  assert.equal(messages.length, wanted.length, `said ${JSON.stringify(messages, null, 2)}`);
  for (const [index, beginning] of wanted.entries()) {
    const message = messages[index] ?? "";
    assert.ok(message.startsWith(beginning), `said      ${message}\nexpected  ${beginning}`);
  }
}
