import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { COLLECTOR_IDS } from "../../../components/logging/settings.ts";
import type { Series, WatchedStack } from "../../../components/monitoring/alert.ts";
import { ALERTS, alertsOf } from "../../../components/monitoring/alerts/index.ts";
import { ruleFile } from "../../../components/monitoring/prometheus-rules.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { NOTHING, WHOLE } from "./stacks.ts";

const run = promisify(execFile);

/** Minutes after the beginning of its series at which an alert must fire, or not. */
const AT = "20m";

/** With these series an alert fires, or does not. */
interface Case {
  readonly name: string;
  readonly series: Series;
  readonly firing: boolean;
}

/** Without these CoreDNS and the collector count as down, which explains other alerts. */
const ALIVE: Series = {
  'coredns_build_info{instance="10.0.0.7:9153"}': "1x30",
  'fluentbit_build_info{instance="10.0.0.7:2020"}': "1x30",
};

/** A test of promtool for several alerts, whose series do not meet. */
function unitTest(cases: readonly Case[]) {
  const given = new Set(cases.flatMap(metricsOf));
  const alive = Object.entries(ALIVE).filter(([selector]) => !given.has(nameOf(selector)));
  return {
    name: cases.map(({ name, firing }) => `${name} ${firing ? "fires" : "stays quiet"}`).join(", "),
    interval: "1m",
    input_series: [...alive, ...cases.flatMap(({ series }) => Object.entries(series))].map(([selector, values]) => ({
      series: selector,
      values,
    })),
    promql_expr_test: cases.map(({ name, firing }) => ({
      expr: `count(ALERTS{alertname="${name}",alertstate="firing"}) or vector(0)`,
      eval_time: AT,
      exp_samples: [{ labels: "{}", value: firing ? 1 : 0 }],
    })),
  };
}

function metricsOf({ series }: Case): string[] {
  return Object.keys(series).map(nameOf);
}

function nameOf(selector: string): string {
  return selector.replace(/\{.*$/, "");
}

/** Whether two cases change each other's outcome in one test: by a metric that both have, or since one explains the other. */
function meet(one: Case, other: Case): boolean {
  const own = metricsOf(one);
  const explained = (a: Case, b: Case) =>
    ALERTS.some(({ name, explainedBy = [] }) => name === a.name && explainedBy.includes(b.name));
  return metricsOf(other).some((metric) => own.includes(metric)) || explained(one, other) || explained(other, one);
}

/** Each test of promtool makes a database of its own, which takes most of its time: cases that do not meet share one. */
function packed(cases: readonly Case[]): Case[][] {
  const tests: Case[][] = [];
  for (const each of cases) {
    const free = tests.find((test) => !test.some((other) => meet(each, other)));
    if (free === undefined) tests.push([each]);
    else free.push(each);
  }
  return tests;
}

function casesOf(stack: WatchedStack): Case[] {
  return alertsOf(stack).flatMap(({ alert: { name }, condition: { fires, quiet } }) => [
    { name, series: fires, firing: true },
    { name, series: quiet, firing: false },
  ]);
}

/** An alert stays quiet as long as another explains it. */
const EXPLAINED = unitTest([
  {
    name: "CoreDnsForwardRefused",
    series: {
      'coredns_forward_max_concurrent_rejects_total{instance="10.0.0.1:9153"}': "0+5x30",
      'coredns_proxy_request_duration_seconds_count{instance="10.0.0.1:9153",proxy_name="forward"}': "0+60000x30",
      'coredns_dns_requests_total{instance="10.0.0.1:9153"}': "0+60100x30",
    },
    firing: false,
  },
]);

const testsOf = (stack: WatchedStack) => packed(casesOf(stack)).map(unitTest);

/** Without what is the same with every collector. */
const ofCollector = (collector: WatchedStack["collector"]): WatchedStack => ({
  ...NOTHING,
  collector,
  kubeStateMetrics: true,
  canary: { readsLines: false },
});

describe("the alerts in promtool", function () {
  this.timeout(180_000);
  const promtool = findProgram("promtool");
  let folder: string;
  before(async function () {
    if (promtool === undefined) {
      leaveOut(this, whyMissing("promtool"));
    }
    folder = await mkdtemp(join(tmpdir(), "promtool-"));
  });
  after(() => (folder === undefined ? undefined : rm(folder, { recursive: true })));

  /** What promtool says of rules and their tests; empty where all is right. */
  async function failures(rules: object, tests: readonly object[]): Promise<string> {
    await writeFile(join(folder, "rules.yaml"), stringify(rules, { lineWidth: 0 }));
    await writeFile(
      join(folder, "tests.yaml"),
      stringify({ rule_files: ["rules.yaml"], evaluation_interval: "1m", tests }, { lineWidth: 0 }),
    );
    return run(promtool ?? "", ["test", "rules", join(folder, "tests.yaml")]).then(
      () => "",
      (error) => `${error.stdout}${error.stderr}`,
    );
  }

  it("fire and stay quiet by their own data", async () => {
    assert.ok(alertsOf(WHOLE).length >= 35, `${alertsOf(WHOLE).length}`);
    assert.equal(await failures(ruleFile(WHOLE), [...testsOf(WHOLE), EXPLAINED]), "");
  });

  for (const collector of COLLECTOR_IDS)
    it(`fire and stay quiet by the metrics of ${collector}`, async () => {
      const stack = ofCollector(collector);
      const cases = casesOf(stack).filter(({ name }) => !name.startsWith("Canary") && name !== "ApiServerSilent");
      assert.equal(await failures(ruleFile(stack), packed(cases).map(unitTest)), "");
    });

  it("are refused where data or thresholds are changed", async () => {
    const series = { 'coredns_build_info{instance="10.0.0.1:9153"}': "1x30" };
    const opposite = unitTest([{ name: "CoreDnsDown", series, firing: true }]);
    assert.match(await failures(ruleFile(WHOLE), [opposite]), /FAILED/);
    const rules = { groups: [{ name: "wrong", rules: [{ alert: "Wrong", expr: "sum(" }] }] };
    assert.match(await failures(rules, [opposite]), /parse error|unclosed/);
  });
});
