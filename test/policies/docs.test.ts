import assert from "node:assert/strict";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { readPackConfig } from "../../lab/plan/policy-report.ts";
import { ruleConfig, unknownRules } from "../../policies/core/pack-config.ts";
import { RULES } from "../../policies/pack.ts";
import { EXAMPLE } from "../../tools/docs/rule-pages.ts";

describe("the page of the policies", () => {
  it("shows a valid configuration, like the project's own", async () => {
    assert.deepEqual(unknownRules(RULES, await readPackConfig(undefined)), []);
    assert.deepEqual(unknownRules(RULES, { undecidable: "mandatory" }), ["undecidable: there is no such rule"]);
    assert.deepEqual(unknownRules(RULES, EXAMPLE), []);
    const issues = RULES.filter(({ id }) => id in EXAMPLE).flatMap((rule) => ruleConfig(rule, EXAMPLE).issues);
    assert.deepEqual(issues, []);
  });
});

describe("the rules", () => {
  it("have a unique id in their family, a title, a reason, a fix and a source", () => {
    const ids = RULES.map(({ id }) => id);
    assert.deepEqual([...new Set(ids)], ids);
    for (const { id, family, title, reason, fix, source } of RULES) {
      assert.ok(id.startsWith(`${family}-`), id);
      for (const text of [title, reason, fix, source.id]) assert.ok(text.trim().length > 5, id);
      assert.match(source.url, /^https:\/\//, id);
    }
    assert.deepEqual([...new Set(RULES.map(({ family }) => family))].sort(), [
      "aws",
      "cluster",
      "collectors",
      "coredns",
      "pods",
      "tenancy",
    ]);
  });
});

describe("the configuration of the policies", () => {
  it("is read from a file, which errors name", async () => {
    await assert.rejects(readPackConfig("no/such.json"), /no policy configuration file no\/such\.json/);
    await assert.rejects(readPackConfig(join(PROJECT_ROOT, "LICENSE")), /must be a JSON object of rules/);
    assert.deepEqual(await readPackConfig(undefined), { undecided: "mandatory" });
    assert.deepEqual(await readPackConfig(undefined, "no/such/project"), {});
    assert.ok("name" in (await readPackConfig(join(PROJECT_ROOT, "policies", "package.json"))));
  });
});
