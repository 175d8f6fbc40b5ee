import assert from "node:assert/strict";
import { COLLECTOR_IDS } from "../../../components/logging/settings.ts";
import type { WatchedStack } from "../../../components/monitoring/alerts/alert.ts";
import { alertsOf, ruleFile } from "../../../components/monitoring/alerts/alert-table.ts";
import { COLLECTOR_METRICS } from "../../../components/monitoring/alerts/collector-signals.ts";
import { grafanaDashboard } from "../../../components/monitoring/prometheus-objects.ts";
import { type Case, casesOf, foreignCases, metricsOf, ofCollector, packed, promtool, unitTest } from "./promtool.ts";
import { NOTHING, WHOLE } from "./stacks.ts";

/** An alert stays quiet as long as another explains it. */
const EXPLAINED = unitTest([
  {
    name: "CoreDnsForwardRefused",
    series: {
      'coredns_forward_max_concurrent_rejects_total{namespace="kube-system",instance="10.0.0.1:9153"}': "0+5x30",
      'coredns_proxy_request_duration_seconds_count{namespace="kube-system",instance="10.0.0.1:9153",proxy_name="forward",rcode="SERVFAIL"}':
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

/** Errors of a busy node: a full disk's need not outnumber the lines, and those of a collector that is behind mean no loss. */
const MANY_ERRORS = [
  { errors: 66, waiting: "_x30", firing: true },
  { errors: 300, waiting: "19x30", firing: false },
  // Each other scrape sees none waiting.
  { errors: 300, waiting: "0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19 0 19", firing: false },
  { errors: 3000, waiting: "19x30", firing: true },
].map(({ errors, waiting, firing }) =>
  unitTest([
    {
      name: "CollectorErrors",
      series: {
        'fluentbit_logger_logs_total{namespace="logging",instance="10.0.1.1:2020",message_type="error"}': `0+${errors}x30`,
        'fluentbit_input_records_total{namespace="logging",instance="10.0.1.1:2020",name="tail.0"}': "0+60000x30",
        'fluentbit_storage_fs_chunks_down{namespace="logging",instance="10.0.1.1:2020"}': waiting,
      },
      firing,
    },
  ]),
);

const testsOf = (stack: WatchedStack) => packed(casesOf(stack)).map(unitTest);

describe("the alerts in promtool", function () {
  this.timeout(180_000);
  const failures = promtool();

  it("fire and stay quiet with their own data", async () => {
    assert.ok(alertsOf(WHOLE).length >= 35, `${alertsOf(WHOLE).length}`);
    assert.equal(await failures(ruleFile(WHOLE), [...testsOf(WHOLE), EXPLAINED, ...MANY_ERRORS]), "");
  });

  for (const collector of COLLECTOR_IDS)
    it(`fire and stay quiet with the metrics of ${collector}`, async () => {
      const stack = ofCollector(collector);
      const cases = casesOf(stack).filter(({ name }) => !name.startsWith("Canary") && name !== "ApiServerSilent");
      const foreign = foreignCases({ ...stack, canary: undefined });
      const scraped = COLLECTOR_METRICS[collector].path !== undefined;
      assert.ok(foreign.length >= (scraped ? 5 : 1), `${foreign.length}`);
      assert.equal(await failures(ruleFile(stack), packed([...cases, ...foreign]).map(unitTest)), "");
    });

  for (const collector of ["vector", "filebeat"] as const)
    it(`fire and stay quiet with the metrics of the event reader beside ${collector}`, async () => {
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

  it("distinguish a CoreDNS in another namespace from their own", async () => {
    const foreign = foreignCases({ ...WHOLE, collector: undefined });
    assert.ok(foreign.length >= 20, `${foreign.length}`);
    assert.equal(await failures(ruleFile(WHOLE), packed(foreign).map(unitTest)), "");
  });

  it("cover a CoreDNS in another namespace if it is adopted", async () => {
    const coredns = WHOLE.coredns && { ...WHOLE.coredns, namespace: "dns" };
    const stack = { ...NOTHING, coredns, kubeStateMetrics: true };
    const alive = { 'coredns_build_info{namespace="dns",instance="10.0.0.8:9153"}': "1x30" };
    const isGiven = (each: Case) => metricsOf(each).includes("coredns_build_info");
    const cases = casesOf(stack).map((each) =>
      isGiven(each) ? each : { ...each, series: { ...each.series, ...alive } },
    );
    assert.ok(cases.length >= 38, `${cases.length}`);
    assert.equal(await failures(ruleFile(stack), packed(cases).map(unitTest)), "");
    // That of kube-system does not stand for it.
    const other = { 'coredns_build_info{namespace="kube-system",instance="10.0.0.1:9153"}': "1x30" };
    const down = unitTest([{ name: "CoreDnsDown", series: other, firing: true }]);
    assert.equal(await failures(ruleFile(stack), [down]), "");
  });

  it("give each collector's dashboard expressions that parse", async () => {
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

  it("fail if data or thresholds are changed", async () => {
    const series = { 'coredns_build_info{namespace="kube-system",instance="10.0.0.1:9153"}': "1x30" };
    const opposite = unitTest([{ name: "CoreDnsDown", series, firing: true }]);
    assert.match(await failures(ruleFile(WHOLE), [opposite]), /FAILED/);
    const rules = { groups: [{ name: "wrong", rules: [{ alert: "Wrong", expr: "sum(" }] }] };
    assert.match(await failures(rules, [opposite]), /parse error|unclosed/);
  });
});
