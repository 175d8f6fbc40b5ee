import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { COLLECTOR_IDS } from "../../../components/logging/settings.ts";
import type { Series, WatchedStack } from "../../../components/monitoring/alert.ts";
import { COLLECTOR_METRICS } from "../../../components/monitoring/alerts/collector-signals.ts";
import { ALERTS, alertsOf } from "../../../components/monitoring/alerts/index.ts";
import { grafanaDashboard } from "../../../components/monitoring/grafana-dashboard.ts";
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
  'coredns_build_info{namespace="kube-system",instance="10.0.0.7:9153"}': "1x30",
  'fluentbit_build_info{namespace="logging",instance="10.0.0.7:2020"}': "1x30",
  'up{namespace="kube-system",instance="10.0.0.7:9253"}': "1x30",
  'canary_last_run_timestamp_seconds{node="b"}': "0+60x30",
};

/** A test of promtool for several alerts, whose series do not meet. */
function unitTest(cases: readonly Case[]) {
  const given = new Set(cases.flatMap(({ series }) => Object.keys(series).map(kindOf)));
  const alive = Object.entries(ALIVE).filter(([selector]) => !given.has(kindOf(selector)));
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

/** A metric and the port at which it is served. */
function kindOf(selector: string): string {
  return `${nameOf(selector)} ${/:\d+"/.exec(selector)?.[0]}`;
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

/** A pod of another CoreDNS or collector raises no alert, and does not stand for the own one. */
function foreignCases(stack: WatchedStack): Case[] {
  return alertsOf(stack).flatMap(({ alert: { name }, condition: { expr, fires, quiet } }) => {
    const absent = /^absent\([^()]*\)$/.test(expr.replaceAll(/"[^"]*"/g, ""));
    const own = Object.entries(absent ? quiet : fires);
    const series = own.map(([selector, values]) => [
      selector.replace(/namespace="(kube-system|logging)"/, 'namespace="elsewhere"'),
      values,
    ]);
    const changed = own.some(([selector], at) => selector !== series[at]?.[0]);
    return changed ? [{ name, series: Object.fromEntries(series), firing: absent }] : [];
  });
}

/** An alert stays quiet as long as another explains it. */
const EXPLAINED = unitTest([
  {
    name: "CoreDnsForwardRefused",
    series: {
      'coredns_forward_max_concurrent_rejects_total{namespace="kube-system",instance="10.0.0.1:9153"}': "0+5x30",
      'coredns_proxy_request_duration_seconds_count{namespace="kube-system",instance="10.0.0.1:9153",proxy_name="forward"}':
        "0+60000x30",
      'coredns_proxy_conn_cache_hits_total{namespace="kube-system",instance="10.0.0.1:9153",proxy_name="forward"}':
        "0+60000x30",
      'coredns_proxy_conn_cache_misses_total{namespace="kube-system",instance="10.0.0.1:9153",proxy_name="forward"}':
        "0+10x30",
      'coredns_dns_requests_total{namespace="kube-system",instance="10.0.0.1:9153"}': "0+60100x30",
    },
    firing: false,
  },
]);

/** On a busy node errors need not outnumber the lines. */
const MANY_ERRORS = unitTest([
  {
    name: "CollectorErrors",
    series: {
      'fluentbit_logger_logs_total{namespace="logging",instance="10.0.1.1:2020",message_type="error"}': "0+66x30",
      'fluentbit_input_records_total{namespace="logging",instance="10.0.1.1:2020",name="tail.0"}': "0+60000x30",
    },
    firing: true,
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
  async function failures(rules: object, tests: readonly object[], evaluation = "1m"): Promise<string> {
    await writeFile(join(folder, "rules.yaml"), stringify(rules, { lineWidth: 0 }));
    await writeFile(
      join(folder, "tests.yaml"),
      stringify({ rule_files: ["rules.yaml"], evaluation_interval: evaluation, tests }, { lineWidth: 0 }),
    );
    return run(promtool ?? "", ["test", "rules", join(folder, "tests.yaml")]).then(
      () => "",
      (error) => `${error.stdout}${error.stderr}`,
    );
  }

  it("fire and stay quiet by their own data", async () => {
    assert.ok(alertsOf(WHOLE).length >= 35, `${alertsOf(WHOLE).length}`);
    assert.equal(await failures(ruleFile(WHOLE), [...testsOf(WHOLE), EXPLAINED, MANY_ERRORS]), "");
  });

  for (const collector of COLLECTOR_IDS)
    it(`fire and stay quiet by the metrics of ${collector}`, async () => {
      const stack = ofCollector(collector);
      const cases = casesOf(stack).filter(({ name }) => !name.startsWith("Canary") && name !== "ApiServerSilent");
      const foreign = foreignCases({ ...stack, canary: undefined });
      const scraped = COLLECTOR_METRICS[collector].path !== undefined;
      assert.ok(foreign.length >= (scraped ? 5 : 1), `${foreign.length}`);
      assert.equal(await failures(ruleFile(stack), packed([...cases, ...foreign]).map(unitTest)), "");
    });

  for (const collector of ["vector", "filebeat"] as const)
    it(`fire and stay quiet by the metrics of the reader of events beside ${collector}`, async () => {
      const alone = ofCollector(collector);
      const stack = { ...alone, eventReader: { ports: [2020] } };
      const own = (each: Case) => !each.name.startsWith("Canary") && each.name !== "ApiServerSilent";
      const cases = casesOf(stack).filter(own);
      const foreign = foreignCases({ ...stack, canary: undefined });
      const ofReader = ["EventReaderDown", "EventsUnreadable"];
      for (const name of [
        ...ofReader,
        "LinesDropped",
        "SendFailing",
        "BufferFilling",
        "IndexRefused",
        "CollectorErrors",
      ])
        assert.deepEqual(
          cases.flatMap((each) => (each.name === name && /fluentbit_/.test(metricsOf(each).join()) ? each.firing : [])),
          [true, false],
          name,
        );
      for (const part of [[...cases, ...foreign], casesOf(alone).filter(own)])
        assert.equal(await failures(ruleFile(stack), packed(part).map(unitTest)), "");
    });

  it("tell a CoreDNS in another namespace from their own", async () => {
    const foreign = foreignCases({ ...WHOLE, collector: undefined });
    assert.ok(foreign.length >= 20, `${foreign.length}`);
    assert.equal(await failures(ruleFile(WHOLE), packed(foreign).map(unitTest)), "");
  });

  it("count a CoreDNS pod once that two jobs scrape", async () => {
    const series = Object.fromEntries(
      [1, 2].flatMap((pod) =>
        ["a", "b"].map((job) => [
          `coredns_build_info{namespace="kube-system",instance="10.0.0.${pod}:9153",job="${job}"}`,
          "1x30",
        ]),
      ),
    );
    const missing = unitTest([{ name: "CoreDnsReplicaMissing", series, firing: true }]);
    assert.equal(await failures(ruleFile(WHOLE), [missing]), "");
  });

  it("see a pod that is read too slowly within for + 60 s, as the kubelet rotates it", async () => {
    // Rotated every 10 s and not read to the end: opened six times a minute and never closed, so that no counter of closed files is there.
    const pod = 'namespace="logging",instance="10.0.1.1:2020",name="tail.0"';
    const series = {
      [`fluentbit_input_files_opened_total{${pod}}`]: "12x12 13+1x60",
      [`fluentbit_input_bytes_total{${pod}}`]: "0x12 8000000+8000000x60",
    };
    const { promql_expr_test: _, ...test } = unitTest([{ name: "FilesRotateFast", series, firing: true }]);
    const expr = 'count(ALERTS{alertname="FilesRotateFast",alertstate="firing"})';
    const early = {
      ...test,
      interval: "10s",
      promql_expr_test: [{ expr, eval_time: "6m", exp_samples: [{ labels: "{}", value: 1 }] }],
    };
    assert.equal(await failures(ruleFile(WHOLE), [early], "15s"), "");
  });

  it("stay quiet while only their window still sees what another alert explained", async () => {
    const pod = 'namespace="kube-system",instance="10.0.0.1:9153"';
    const series = {
      [`coredns_forward_healthcheck_broken_total{${pod}}`]: "0+15x40 600x120",
      [`coredns_dns_responses_total{${pod},rcode="SERVFAIL"}`]: "0+100x40 4000x120",
      [`coredns_dns_responses_total{${pod},rcode="NOERROR"}`]: "0+250x160",
    };
    const { promql_expr_test: _, ...test } = unitTest([{ name: "CoreDnsServfail", series, firing: true }]);
    const count = (name: string, at: string, value: number) => ({
      expr: `count(ALERTS{alertname="${name}",alertstate="firing"}) or vector(0)`,
      eval_time: at,
      exp_samples: [{ labels: "{}", value }],
    });
    const after = ["13m", "14m", "15m", "16m"].map((at) => count("CoreDnsServfail", at, 0));
    const expected = [count("CoreDnsAllUpstreamsDown", "9m", 1), ...after];
    const fine = { ...test, interval: "15s", promql_expr_test: expected };
    assert.equal(await failures(ruleFile(WHOLE), [fine], "15s"), "");
  });

  it("are not raised by a collector's pod that was replaced", async () => {
    const gone = (values: string) => `${values} stale`;
    const pod = 'namespace="logging",instance="10.0.1.1:2020"';
    const series = {
      [`fluentbit_build_info{${pod}}`]: gone("1x12"),
      'fluentbit_build_info{namespace="logging",instance="10.0.1.2:2020"}': "_x12 1x30",
      [`fluentbit_output_retries_total{${pod},name="http.0"}`]: gone("0+5x12"),
      [`fluentbit_output_proc_records_total{${pod},name="http.0"}`]: gone("0+100x12"),
      [`fluentbit_input_records_total{${pod},name="tail.0"}`]: gone("0+100x5 500x7"),
    };
    for (const name of ["SendFailing", "CollectorSilent"]) {
      const { promql_expr_test, ...test } = unitTest([{ name, series, firing: false }]);
      const expected = ["15m", "16m", "17m", "20m", "23m"].flatMap((at) =>
        promql_expr_test.map((each) => ({ ...each, eval_time: at })),
      );
      assert.equal(await failures(ruleFile(WHOLE), [{ ...test, promql_expr_test: expected }]), "", name);
    }
  });

  it("see the first event of a counter that was not there before it", async () => {
    for (const collector of ["fluent-bit", "vector", "opentelemetry", "promtail"] as const) {
      const stack = ofCollector(collector);
      const { alive = "" } = COLLECTOR_METRICS[collector];
      const first = /^\w/.test(alive)
        ? alive
        : alive.replace(/^\{/, "otelcol_process_uptime{").replace(/,__name__=.*$/, "}");
      const pod = first.replace("}", ',instance="10.0.1.1:2020"}');
      const cases = casesOf(stack).flatMap((one) => {
        const own = Object.entries(one.series).filter(([, values]) => /^0x1\d [19]x/.test(values));
        if (!one.firing || own.length === 0) return [];
        const late = own.map(([selector, values]) => [selector, values.replace(/^0x/, "_x")]);
        return [{ ...one, series: { ...one.series, ...Object.fromEntries(late), [pod]: "1x30" } }];
      });
      assert.ok(cases.length > 0, collector);
      // Fluent Bit has its counters of dropped lines from the start on.
      const tried = cases.filter(({ name }) => collector !== "fluent-bit" || name !== "LinesDropped");
      assert.equal(
        await failures(
          ruleFile(stack),
          tried.map((one) => unitTest([one])),
        ),
        "",
        collector,
      );
      // A collector that was found with the counter has not raised it just now.
      const found = tried.map(({ name, series }) => ({
        name,
        series: Object.fromEntries(
          Object.entries<string>(series).map(([selector, values]) => [selector, values.replace(/^1x30$/, "_x17 1x30")]),
        ),
        firing: false,
      }));
      assert.equal(
        await failures(
          ruleFile(stack),
          found.map((one) => unitTest([one])),
        ),
        "",
        collector,
      );
    }
  });

  it("read both counters of lost lines of OpenTelemetry", async () => {
    const pod = 'namespace="logging",instance="10.0.1.1:2020"';
    const series = {
      [`otelcol_exporter_send_failed_log_records_total{${pod}}`]: "0x17 9x30",
      [`otelcol_exporter_enqueue_failed_log_records_total{${pod}}`]: "3x30",
    };
    const stack = ofCollector("opentelemetry");
    assert.equal(await failures(ruleFile(stack), [unitTest([{ name: "LinesDropped", series, firing: true }])]), "");
  });

  it("leave expressions that parse on the dashboard of each collector", async () => {
    const exprs = COLLECTOR_IDS.flatMap((collector) => {
      const dashboard = JSON.parse(JSON.stringify(grafanaDashboard({ ...WHOLE, collector })));
      const panels: { targets?: { expr: string }[] }[] = dashboard.panels;
      const annotations: { expr: string }[] = dashboard.annotations.list;
      return [...panels.flatMap(({ targets = [] }) => targets), ...annotations].map(({ expr }) => expr);
    });
    assert.ok(exprs.length > 200, `${exprs.length}`);
    const one = {
      promql_expr_test: [{ expr: "vector(1)", eval_time: "0m", exp_samples: [{ labels: "{}", value: 1 }] }],
    };
    const check = (all: readonly string[]) =>
      failures({ groups: [{ name: "graphs", rules: all.map((expr, at) => ({ record: `graph:${at}`, expr })) }] }, [
        one,
      ]);
    assert.equal(await check([...new Set(exprs)]), "");
    assert.match(await check(["sum("]), /parse error|unclosed/);
  });

  it("are refused where data or thresholds are changed", async () => {
    const series = { 'coredns_build_info{namespace="kube-system",instance="10.0.0.1:9153"}': "1x30" };
    const opposite = unitTest([{ name: "CoreDnsDown", series, firing: true }]);
    assert.match(await failures(ruleFile(WHOLE), [opposite]), /FAILED/);
    const rules = { groups: [{ name: "wrong", rules: [{ alert: "Wrong", expr: "sum(" }] }] };
    assert.match(await failures(rules, [opposite]), /parse error|unclosed/);
  });
});
