import assert from "node:assert/strict";
import { grafanaDashboard } from "../../components/monitoring/prometheus-objects.ts";
import { prometheusAt } from "../../tools/dashboards/data-source.ts";
import { pictureOf } from "../../tools/dashboards/index.ts";
import { WHOLE } from "../components/monitoring/stacks.ts";

const WINDOW = { from: 1_795_000_000, to: 1_795_003_600, step: 60 };

/** A Prometheus that answers each range query with the series that a test gives for it. */
function answering(seriesOf: (expr: string) => readonly object[], status = 200) {
  const asked: string[] = [];
  const get: typeof fetch = async (url) => {
    const { searchParams } = new URL(String(url));
    asked.push(searchParams.get("query") ?? "");
    const result = seriesOf(searchParams.get("query") ?? "");
    return new Response(JSON.stringify({ status: "success", data: { resultType: "matrix", result } }), { status });
  };
  return { asked, ask: prometheusAt("http://prometheus.test", get) };
}

const values = (value: string) => [0, 1, 2, 3].map((at) => [WINDOW.from + at * 600, value]);

describe("the picture of a dashboard", function () {
  this.timeout(60_000);

  it("has each graph's title, the data of its expression, and the date and source", async () => {
    const dashboard = JSON.parse(JSON.stringify(grafanaDashboard(WHOLE)));
    const { asked, ask } = answering((expr) =>
      expr.startsWith("ALERTS")
        ? [{ metric: { alertname: "CoreDnsServfail" }, values: values("1") }]
        : expr.includes("SERVFAIL")
          ? [
              { metric: { instance: "10.0.0.1:9153" }, values: values("0.25") },
              { metric: { instance: "10.0.0.2:9153" }, values: values("NaN") },
            ]
          : [],
    );
    const svg = await pictureOf(dashboard, "Prometheus 9.9", ask, WINDOW);
    const graphs: { title: string; type: string; targets?: { expr: string }[] }[] = dashboard.panels;
    for (const { title } of graphs) assert.ok(svg.includes(`>${title}</text>`), title);
    assert.deepEqual(
      asked.slice(1),
      graphs.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    );
    assert.match(svg, />2026-11-18, 11:06 to 12:06 UTC\. Prometheus 9\.9\.</);
    assert.match(svg, />10\.0\.0\.1:9153, 10\.0\.0\.2:9153</);
    assert.ok(svg.includes("rgb(224,47,68)"), "the period in which the alert fired");
    assert.ok(svg.startsWith("<svg ") && svg.endsWith("</svg>"));
    assert.doesNotMatch(svg, /NaN/);
  });

  it("says if a graph has no data, and stays small", async () => {
    const none = await pictureOf(grafanaDashboard(WHOLE), "Prometheus", answering(() => []).ask, WINDOW);
    assert.equal(
      none.match(/>no data</g)?.length,
      grafanaDashboard(WHOLE).panels.filter((panel) => "targets" in panel).length,
    );
    assert.ok(none.length < 150_000, `${none.length}`);
  });

  it("stops if Prometheus rejects a query", async () => {
    const { ask } = answering(() => [], 422);
    await assert.rejects(pictureOf(grafanaDashboard(WHOLE), "Prometheus", ask, WINDOW), /Prometheus answers 422/);
  });
});
