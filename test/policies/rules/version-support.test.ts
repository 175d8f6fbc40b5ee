import assert from "node:assert/strict";
import { daysBetween, supportOf } from "eks-dns-logging-corefile/addon";
import { verdictsOf } from "../../../policies/core/evaluate.ts";
import { Settings } from "../../../policies/core/rule.ts";
import { RULES } from "../../../policies/pack.ts";
import { component } from "./cluster-samples.ts";
import { stackOf } from "./samples.ts";

/** The rules that object to a version on a day, with what they say of it. */
function objections(version: string, asOf: string): string[] {
  return RULES.filter(({ id }) => id.startsWith("cluster-version-")).flatMap((rule) =>
    verdictsOf(rule, stackOf(component("version", version)), new Settings({ asOf })).map(
      ({ detail }) => `${rule.level}: ${/support .*/.exec(detail)?.[0]}`,
    ),
  );
}

describe("standard support of a Kubernetes version", () => {
  const days: readonly (readonly [version: string, day: string, objection?: string])[] = [
    ["1.35", "2026-12-26"],
    ["1.35", "2026-12-27", "advisory: support ends on 2027-03-27, in 90 days"],
    ["1.35", "2027-03-27", "advisory: support ends on 2027-03-27, in 0 days"],
    ["1.35", "2027-03-28", "mandatory: support ended on 2027-03-27"],
    ["1.34", "2026-11-28", "advisory: support ends on 2026-12-02, in 4 days"],
    ["1.34", "2026-12-03", "mandatory: support ended on 2026-12-02"],
    ["1.36", "2027-05-03"],
    ["1.36", "2027-05-04", "advisory: support ends on 2027-08-02, in 90 days"],
    ["1.36", "2029-01-31", "advisory: support ended on 2027-08-02, and this release knows no newer version"],
    ["1.37", "2029-01-31"],
    ["1.20", "2026-11-28", "mandatory: support ended long ago"],
  ];
  for (const [version, day, objection] of days)
    it(`of ${version} on ${day}: ${objection ?? "no objection"}`, () => {
      assert.deepEqual(objections(version, day), objection === undefined ? [] : [objection]);
    });

  it("is counted in whole days across a clock change", () => {
    assert.equal(daysBetween("2027-03-27", "2027-03-29"), 2);
    assert.equal(supportOf("1.36", "2027-08-02")?.daysLeft, 0);
    assert.equal(supportOf("1.36.1", "2027-08-02"), undefined);
  });
});
