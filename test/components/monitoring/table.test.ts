import assert from "node:assert/strict";
import type { Dashboard } from "@grafana/schema";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import { COLLECTOR_IDS } from "../../../components/logging/settings.ts";
import type { WatchedStack } from "../../../components/monitoring/alerts/alert.ts";
import { ALERTS, alertsOf, ruleFile } from "../../../components/monitoring/alerts/alert-table.ts";
import { grafanaDashboard, graphOf } from "../../../components/monitoring/prometheus-objects.ts";
import { scrapeTargets } from "../../../components/monitoring/scrape-targets.ts";
import { NOTHING, WHOLE } from "./stacks.ts";

/** Names of metrics in an expression: words that are no function, label or keyword. */
const metricsIn = (expr: string) =>
  [...expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/\b[a-z]+_[a-z_]+\b(?!\s*(?:\(|!?=~?""))/g)].map(
    ([name]) => name,
  );

const names = (stack: WatchedStack) => alertsOf(stack).map(({ alert }) => alert.name);

/** A type of Grafana's with the values of its enums as they stand in JSON. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends readonly (infer E)[]
    ? readonly Plain<E>[]
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T;

describe("the table of alerts", () => {
  it("has at least 24 alerts, each with a unique name and all texts", () => {
    assert.ok(ALERTS.length >= 24);
    assert.equal(new Set(ALERTS.map(({ name }) => name)).size, ALERTS.length);
    for (const { name, summary, cause, steps } of ALERTS) {
      assert.match(name, /^([A-Z][a-z]+)+$/);
      for (const text of [summary, cause]) assert.match(text, /^[A-Z`].*\.$/, name);
      assert.ok(steps.length > 0, name);
    }
  });

  it("shows the logs of each pod by name, even if only one was restarted", () => {
    const shown = ALERTS.flatMap(({ steps }) => steps.filter((step) => /kubectl .*\blogs /.test(step)));
    assert.ok(shown.length >= 10);
    for (const step of shown) {
      // Of a DaemonSet, kubectl shows one pod; at the first pod without earlier logs it stops.
      assert.doesNotMatch(step, /logs (daemonset|deployment)\//);
      if (/ -l /.test(step)) assert.match(step, / --prefix\b/);
      if (/ -l .*--previous/.test(step)) assert.match(step, / --ignore-errors\b/);
    }
  });

  it("gives a complete stack all alerts, and a stack without parts none", () => {
    assert.deepEqual(
      names(WHOLE),
      ALERTS.map(({ name }) => name),
    );
    assert.deepEqual(names(NOTHING), []);
    assert.deepEqual(ruleFile(NOTHING).groups, []);
  });

  it("keeps an alert quiet while another explains it", () => {
    const known = new Set(ALERTS.map(({ name }) => name));
    for (const { name, explainedBy = [] } of ALERTS)
      for (const cause of explainedBy) assert.ok(known.has(cause) && cause !== name, `${name}: ${cause}`);
    const rules = ruleFile(WHOLE).groups.flatMap((group) => group.rules);
    const expr = rules.find(({ alert }) => alert === "CoreDnsForwardRefused")?.expr ?? "";
    assert.match(
      expr,
      /^\(sum by .* > 0\) unless on\(\) \(ALERTS\{alertname=~"CoreDnsLoop"\} or last_over_time\(ALERTS\{alertname=~"CoreDnsLoop",alertstate="firing"\}\[1m\]\)\)$/,
    );
  });

  it("does not use kube-state-metrics if it is not scraped", () => {
    for (const { alert, condition } of alertsOf({ ...WHOLE, kubeStateMetrics: false }))
      assert.doesNotMatch(condition.expr, /kube_/, alert.name);
  });

  it("has the alerts that each collector's metrics allow", () => {
    for (const collector of COLLECTOR_IDS) {
      const own = names({ ...NOTHING, collector, canary: { readsLines: false } });
      const scraped = scrapeTargets({ ...NOTHING, collector }).length === 1;
      assert.equal(own.includes("CollectorDown"), scraped, collector);
      assert.equal(own.includes("LinesDropped"), scraped, collector);
      if (scraped) assert.equal(typeof COLLECTORS[collector]?.ports.metrics, "number");
    }
    assert.equal(names({ ...NOTHING, collector: "promtail" }).includes("BufferFilling"), false);
  });

  it("does not report a silent collector on a node where nothing logs", () => {
    assert.equal(names({ ...WHOLE, canary: undefined }).includes("CollectorSilent"), false);
  });

  it("has no alerts on lines that the canary cannot find", () => {
    const blind = names({ ...WHOLE, canary: { readsLines: false } });
    assert.deepEqual(
      ["CanaryLost", "CanaryLate", "CanaryDuplicate", "CanaryLookupFailing"].map((name) => blind.includes(name)),
      [false, false, false, true],
    );
  });

  it("has each expression on a single line, as people write it in Prometheus", () => {
    for (const collector of COLLECTOR_IDS)
      for (const { alert, condition } of alertsOf({ ...WHOLE, collector }))
        assert.doesNotMatch(condition.expr, /\n|^ | $| {2}|\( | \)/, alert.name);
  });

  it("has test series of the metrics in its expression", () => {
    for (const collector of COLLECTOR_IDS)
      for (const { alert, condition } of alertsOf({ ...WHOLE, collector })) {
        const asked = new Set(metricsIn(condition.expr));
        for (const selector of Object.keys(condition.series).filter(
          (each) => condition.series[each]?.fires !== undefined,
        )) {
          const metric = selector.replace(/\{.*$/, "");
          // That CoreDNS runs, so that alerts on its absence stay quiet beside.
          const isAlive = metric === "up" || metric === "coredns_build_info";
          const known = asked.has(metric) || condition.expr.includes("__name__=~") || isAlive;
          assert.ok(known, `${alert.name} is tested with ${metric} and asks ${[...asked]}`);
        }
      }
  });
});

describe("the Grafana dashboard", () => {
  it("has a graph for each alert, with its metrics", () => {
    const { panels } = grafanaDashboard(WHOLE);
    const graphs = panels.filter((panel) => "targets" in panel);
    assert.equal(graphs.length, ALERTS.length);
    const expressions = new Map(alertsOf(WHOLE).map(({ alert, condition }) => [alert.name, condition.expr]));
    for (const panel of graphs) {
      const { title, targets } = JSON.parse(JSON.stringify(panel));
      const expr = expressions.get(title) ?? "";
      const graph = targets[0].expr;
      assert.ok(graph.length > 0 && expr.startsWith(graph), `${title}: ${graph}`);
      for (const metric of metricsIn(graph)) assert.ok(metricsIn(expr).includes(metric), `${title}: ${metric}`);
    }
  });

  it("has numbered graphs that do not overlap", () => {
    const panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[] = JSON.parse(
      JSON.stringify(grafanaDashboard(WHOLE).panels),
    );
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length);
  });

  it("shows what a condition compares, and its threshold", () => {
    assert.deepEqual(graphOf('a{b=~"x>1"} / 2 > 0.85'), { expr: 'a{b=~"x>1"} / 2', threshold: 0.85 });
    assert.deepEqual(graphOf("a == 0"), { expr: "a", threshold: 0 });
    assert.deepEqual(graphOf("absent(a)"), { expr: "absent(a)", threshold: undefined });
    assert.deepEqual(graphOf("a / (-deriv(a[15m]) > 0) / 3600 < 4"), {
      expr: "a / (-deriv(a[15m]) > 0) / 3600",
      threshold: 4,
    });
    assert.deepEqual(graphOf("a > 0 unless b > 0"), { expr: "a > 0 unless b > 0", threshold: undefined });
  });

  it("follows Grafana's schema", () => {
    // The type check compares them.
    const dashboard: Plain<Dashboard> = grafanaDashboard(WHOLE);
    assert.ok((dashboard.panels?.length ?? 0) > 40);
    const ids = dashboard.panels?.map((panel) => ("id" in panel ? panel.id : undefined));
    assert.equal(new Set(ids).size, dashboard.panels?.length);
  });
});
