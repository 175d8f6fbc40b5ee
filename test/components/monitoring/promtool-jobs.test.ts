import assert from "node:assert/strict";
import { ALERTS, ruleFile } from "../../../components/monitoring/alerts/alert-table.ts";
import { type Case, casesOf, packed, promtool, unitTest } from "./promtool.ts";
import { WHOLE } from "./stacks.ts";

/** What Prometheus has where a second job scrapes the same pods, as kube-prometheus-stack does with CoreDNS. */
const twice = (one: Case): Case => ({
  ...one,
  series: Object.fromEntries(
    Object.entries(one.series).flatMap(([selector, values]) =>
      ["a", "b"].map((job) => [selector.replace("}", `,job="${job}"}`), values]),
    ),
  ),
});

describe("the alerts in promtool, with two jobs that scrape CoreDNS", function () {
  this.timeout(180_000);
  const failures = promtool();

  it("fire and stay quiet as with one job", async () => {
    const own = new Set(ALERTS.flatMap(({ name, group }) => (group === "coredns" ? [name] : [])));
    const tests = packed(casesOf(WHOLE).filter(({ name }) => own.has(name)));
    assert.ok(tests.length > 1);
    assert.equal(
      await failures(
        ruleFile(WHOLE),
        tests.map((each) => unitTest(each.map(twice))),
      ),
      "",
    );
  });
});
