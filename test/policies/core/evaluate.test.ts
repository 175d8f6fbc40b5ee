import assert from "node:assert/strict";
import { evaluate, failing } from "../../../policies/core/evaluate.ts";
import type { Exemption } from "../../../policies/core/pack-config.ts";
import { Field, UNKNOWN } from "../../../policies/core/resource.ts";
import { count, flag, type Rule, renamed, Settings, text, texts } from "../../../policies/core/rule.ts";
import { stackOfPlan } from "../../../policies/core/stack.ts";
import { type Sample, stackOf } from "../rules/samples.ts";

const LIMIT = count("limit", "Most", 3, 1);
const WORDS = texts("words", "Words", ["a"]);
const SWITCH = flag("switch", "Switch", true);
const WAY = text("way", "Way", "up", ["up", "down"]);
const facts = {
  family: "pods",
  level: "mandatory",
  reason: "Because.",
  fix: "make it smaller",
  source: { id: "none", url: "https://example.com" },
} as const;
const SMALL: Rule = {
  ...facts,
  id: "pods-small",
  title: "Things are small",
  options: [LIMIT, WORDS, SWITCH, WAY],
  types: ["test:index:Thing"],
  check: (thing, report, settings) =>
    report.each(thing.at("sizes").items(), (size) => {
      if ((size.number() ?? 0) > settings.get(LIMIT)) report.wrong(size, "which is too much");
    }),
};
const FEW: Rule = {
  ...facts,
  id: "pods-few",
  level: "advisory",
  title: "Things are few",
  types: ["test:index:*"],
  checkStack: (stack, report) => {
    for (const thing of stack.resources.slice(1)) report.missing(thing, "is one too many");
  },
};
const RULES = [SMALL, FEW];

const thing = (name: string, sizes: Sample[number]["props"][string]): Sample[number] => ({
  type: "test:index:Thing",
  name,
  props: { sizes },
});
const ONE = stackOf([thing("one", [9, UNKNOWN, 1])]);
const exempt = (more: Partial<Exemption> = {}): Exemption => ({
  rule: "pods-small",
  resource: "one",
  reason: "it is an elephant",
  ...more,
});

describe("evaluate", () => {
  it("reports violations although other values are unknown, each once", () => {
    const { findings, rules } = evaluate(ONE, { rules: RULES });
    const urn = "urn:pulumi:dev::test::test:index:Thing::one";
    const about = { rule: "pods-small", level: "mandatory", urn, resource: "Thing/one" };
    assert.deepEqual(findings, [
      {
        ...about,
        outcome: "violated",
        detail: "sizes[0] is 9, which is too much",
        fix: "make it smaller",
        message: "Thing/one: sizes[0] is 9, which is too much. Fix: make it smaller",
      },
      {
        ...about,
        outcome: "undecided",
        detail: "sizes[1] is known only after deployment, so this cannot be decided yet: Things are small",
        message: "Thing/one: sizes[1] is known only after deployment, so this cannot be decided yet: Things are small",
      },
    ]);
    assert.equal(rules, 2);
  });

  it("fails only on mandatory findings, including undecided ones", () => {
    assert.equal(failing(evaluate(ONE, { rules: RULES })).length, 2);
    assert.equal(failing(evaluate(ONE, { rules: RULES, config: { "pods-small": "advisory" } })).length, 0);
    assert.equal(failing(evaluate(stackOf([thing("a", []), thing("b", [])]), { rules: RULES })).length, 0);
  });

  it("reads levels by rule, or for all, and a rule's own options", () => {
    const outcomes = (config: Record<string, unknown>) =>
      evaluate(ONE, { rules: RULES, config }).findings.map(({ level, outcome }) => `${level} ${outcome}`);
    assert.deepEqual(outcomes({ all: "disabled" }), []);
    assert.deepEqual(outcomes({ all: "disabled", "pods-small": "advisory" }), [
      "advisory violated",
      "advisory undecided",
    ]);
    assert.deepEqual(outcomes({ "pods-small": { limit: 9 } }), ["mandatory undecided"]);
    assert.deepEqual(outcomes({ "pods-small": { enforcementLevel: "disabled" } }), []);
  });

  it("allows what is exempt, with the reason, and lists it", () => {
    const config = { "pods-small": { exempt: [{ resource: "Thing/o*", reason: "it is an elephant" }] } };
    const { findings, exemptions, issues } = evaluate(ONE, { rules: RULES, config });
    assert.deepEqual(
      findings.map(({ outcome }) => outcome),
      ["exempt", "exempt"],
    );
    assert.match(findings[0]?.message ?? "", /sizes\[0\] is 9.*Allowed: it is an elephant$/);
    assert.deepEqual(exemptions, [{ ...exempt({ resource: "Thing/o*" }), findings: 2, matches: true }]);
    assert.deepEqual(issues, []);
  });

  it("allows only undecided findings if the exemption says so", () => {
    const config = { "pods-small": { exempt: [{ resource: "one", reason: "made elsewhere", only: "undecided" }] } };
    assert.deepEqual(
      failing(evaluate(ONE, { rules: RULES, config })).map(({ outcome }) => outcome),
      ["violated"],
    );
  });

  it("reports exemptions that are incomplete or unused, except built-in ones", () => {
    const said = (exemption: unknown) =>
      evaluate(ONE, { rules: RULES, config: { "pods-small": { exempt: [exemption] } } }).issues;
    assert.deepEqual(said({ resource: "one", reason: " " }), ["exemption of one from pods-small: reason must say why"]);
    assert.deepEqual(said({ reason: "x" }), ["exemption of no resource from pods-small: resource must not be empty"]);
    assert.deepEqual(said({ resource: "one", reason: "x", only: "violated" }), [
      'exemption of one from pods-small: only must be "undecided" or absent (found "violated")',
    ]);
    assert.deepEqual(said({ resource: "two", reason: "x" }), [
      "exemption of two from pods-small has no effect: there is no such resource; remove it",
    ]);
    const quiet = stackOf([thing("one", [1])]);
    const config = { "pods-small": { exempt: [{ resource: "one", reason: "x" }] } };
    assert.deepEqual(evaluate(quiet, { rules: RULES, config }).issues, [
      "exemption of one from pods-small has no effect: the rule finds nothing in it; remove it",
    ]);
    assert.deepEqual(evaluate(quiet, { rules: RULES, builtIn: [exempt()] }).issues, []);
    assert.equal(failing(evaluate(ONE, { rules: RULES, builtIn: [exempt()] })).length, 0);
  });

  it("reports every issue in a configuration, and runs the rule with its own options", () => {
    const config = {
      "pods-big": "mandatory",
      "pods-few": { exempt: "one" },
      "pods-small": { enforcementLevel: "strict", limit: 0, words: "a", switch: 1, way: "left", size: 1 },
    };
    const { issues, findings } = evaluate(ONE, { rules: RULES, config });
    assert.deepEqual(issues, [
      "pods-big: there is no such rule",
      'pods-small: enforcementLevel must be one of mandatory, advisory, disabled (found "strict")',
      "pods-small: limit must be an integer of at least 1 (found 0)",
      'pods-small: words must be a list of strings (found "a")',
      "pods-small: switch must be true or false (found 1)",
      'pods-small: way must be one of up, down (found "left")',
      "pods-small: unknown option size, must be one of enforcementLevel, exempt, limit, words, switch, way",
      "pods-few: exempt must be a list of {resource, reason}",
    ]);
    assert.equal(findings.length, 2);
  });

  it("reads a renamed option by its former name too, with a warning that names the new one", () => {
    const limit = renamed("most", LIMIT);
    const of = (config: Readonly<Record<string, unknown>>) => new Settings(config).get(limit);
    assert.deepEqual([of({}), of({ most: 5 }), of({ limit: 4 })], [3, 5, 4]);
    // The engine fills in the default of what is not set.
    assert.deepEqual([of({ limit: 3, most: 5 }), of({ limit: 4, most: 5 })], [5, 4]);

    const said = (config: object) => {
      const rules = [{ ...SMALL, options: [limit] }];
      const { issues, warnings } = evaluate(ONE, { rules, config: { "pods-small": config } });
      return { issues, warnings };
    };
    const warnings = ["pods-small: most is deprecated, use limit"];
    assert.deepEqual(said({ limit: 5 }), { issues: [], warnings: [] });
    assert.deepEqual(said({ most: 5 }), { issues: [], warnings });
    const issues = ["pods-small: limit must be an integer of at least 1 (found 0)"];
    assert.deepEqual(said({ most: 0 }), { issues, warnings });
  });
});

describe("the stack of a plan", () => {
  const MARK = {};
  const planned = {
    name: "a",
    type: "test:index:Thing",
    inputs: {},
    secrets: [],
    dependencies: [],
    provider: "",
    protect: false,
  };
  const plan = {
    resources: [
      { ...planned, urn: "provider", inputs: { namespace: "ts-team" } },
      {
        ...planned,
        urn: "a",
        inputs: { sizes: [MARK], password: "x" },
        secrets: ["password"],
        provider: "provider::1-2",
      },
      { ...planned, urn: "b", dependencies: ["a", "elsewhere"] },
    ],
  };
  const stack = stackOfPlan(plan, (value) => value === MARK);
  const [, a, b] = stack.resources;

  it("has unknown values, providers and dependencies as planned", () => {
    assert.ok(a !== undefined && b !== undefined);
    assert.equal(a.at("sizes", 0).isUnknown, true);
    assert.equal(a.provider.at("namespace").text(), "ts-team");
    assert.equal(b.provider.at("namespace").text(), undefined);
    assert.deepEqual(stack.dependenciesOf(b), [a]);
    assert.equal(stack.outputs, undefined);
  });

  it("never shows a secret or a very long value", () => {
    assert.ok(a !== undefined);
    assert.equal(a.at("password").shown, "[secret]");
    assert.equal(a.at("password", "part").shown, "[secret]");
    assert.equal(new Field(a, "x", "y".repeat(200)).shown.length, 78);
    assert.equal(a.at("sizes").shown, '["(unknown)"]');
  });
});
