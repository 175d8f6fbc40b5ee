import assert from "node:assert/strict";
import { alarmsOf, cloudWatchDashboard } from "../../components/monitoring/cloudwatch-alarms.ts";
import type { Aws } from "../../lab/process.ts";
import { cloudWatchPicture } from "../../tools/dashboards/data-source.ts";
import { drawPicture } from "../../tools/dashboards/picture.ts";
import { WHOLE } from "../components/monitoring/stacks.ts";

const WINDOW = { from: 1_795_000_000, to: 1_795_003_600, step: 60 };
const ALARMS = alarmsOf(WHOLE, { cluster: "dev", logGroupOf: () => "/pods" });
const time = (seconds: number) => new Date((WINDOW.from + seconds) * 1000).toISOString();
// As version 1 of the AWS CLI writes it.
const change = (name: string, seconds: number, oldState: string, newState: string) => ({
  AlarmName: name,
  Timestamp: WINDOW.from + seconds,
  HistoryData: JSON.stringify({ oldState: { stateValue: oldState }, newState: { stateValue: newState } }),
});

interface Query {
  readonly Id: string;
  readonly MetricStat: { readonly Metric: { readonly Namespace: string; readonly MetricName: string } };
}

/** A CloudWatch with the dashboard of a whole stack, that has data for two of its metrics. */
function answering(history: readonly object[] = [], states: readonly object[] = []) {
  const asked: (readonly string[])[] = [];
  const queries: Query[] = [];
  const aws: Aws = async (args) => {
    asked.push(args);
    switch (args[1]) {
      case "get-dashboard":
        return JSON.stringify({ DashboardBody: JSON.stringify(cloudWatchDashboard(ALARMS, "eu-central-1")) });
      case "get-metric-data": {
        queries.push(...JSON.parse(args[args.indexOf("--metric-data-queries") + 1] ?? ""));
        const idOf = (name: string) => queries.find(({ MetricStat }) => MetricStat.Metric.MetricName === name)?.Id;
        const part = (Id: string | undefined, ...seconds: number[]) => ({
          Id,
          Timestamps: seconds.map(time),
          Values: seconds.map((_, at) => at + 1),
        });
        // The second page has more of the first metric.
        const pages = [
          part(idOf("CanaryLost"), 0, 60),
          part(idOf("CoreDnsServfail"), 120),
          part(idOf("CanaryLost"), 300),
        ];
        const others = queries.filter(({ Id }) => !pages.some((page) => page.Id === Id)).map(({ Id }) => part(Id));
        return JSON.stringify({ MetricDataResults: [...pages, ...others], Messages: [] });
      }
      case "describe-alarms":
        return JSON.stringify({ MetricAlarms: states, CompositeAlarms: [] });
      default:
        return JSON.stringify({ AlarmHistoryItems: history });
    }
  };
  return { asked, queries, picture: () => cloudWatchPicture({ cluster: "dev", region: "eu-central-1" }, aws, WINDOW) };
}

describe("the picture of a dashboard of CloudWatch", () => {
  it("asks for the metric of each widget as its alarm does", async () => {
    const { asked, queries, picture } = answering();
    await picture();
    assert.deepEqual(asked[0]?.slice(0, 4), [
      "cloudwatch",
      "get-dashboard",
      "--dashboard-name",
      "dev-eu-central-1-dns-logging",
    ]);
    const expected = ALARMS.map(({ metric }, at) => ({
      Id: `widget${at}_0`,
      MetricStat: {
        Metric: {
          Namespace: metric.namespace,
          MetricName: metric.metricName,
          Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
        },
        Period: 60,
        Stat: metric.statistic,
      },
    }));
    assert.deepEqual(queries, expected);
    const call = asked.find((args) => args[1] === "get-metric-data") ?? [];
    assert.equal(call[call.indexOf("--start-time") + 1], time(0));
    assert.equal(call[call.indexOf("--end-time") + 1], time(3600));
  });

  it("joins the parts of an answer, and draws no line over minutes without data", async () => {
    const { drawn } = await answering().picture();
    const samplesOf = (name: string) => drawn.find(({ title }) => title === name)?.series.map(({ samples }) => samples);
    const at = WINDOW.from;
    assert.deepEqual(samplesOf("CanaryLost"), [
      [
        [at, 1],
        [at + 60, 2],
        [at + 120, Number.NaN],
        [at + 300, 1],
      ],
    ]);
    assert.deepEqual(samplesOf("CoreDnsServfail"), [[[at + 120, 1]]]);
    assert.deepEqual(samplesOf("CoreDnsDown"), []);
    assert.deepEqual(drawn.find(({ title }) => title === "CoreDnsServfail")?.thresholds, [100]);
  });

  it("marks the periods in which an alarm was firing, including those that started before", async () => {
    const history = [
      change("dev-CanaryLost", 600, "OK", "ALARM"),
      change("dev-CanaryLost", 900, "ALARM", "OK"),
      change("dev-CanaryLost", 3000, "OK", "ALARM"),
      change("dev-CoreDnsServfail", 60, "ALARM", "OK"),
      change("other-CoreDnsPanic", 60, "OK", "ALARM"),
    ];
    const states = [
      { AlarmName: "dev-CoreDnsDown", StateValue: "ALARM", StateUpdatedTimestamp: time(-60) },
      { AlarmName: "dev-CoreDnsReplicaMissing", StateValue: "ALARM", StateUpdatedTimestamp: time(4000) },
    ];
    const { drawn } = await answering(history, states).picture();
    const fired = Object.fromEntries(drawn.flatMap((one) => (one.fired.length > 0 ? [[one.title, one.fired]] : [])));
    const { from, to } = WINDOW;
    assert.deepEqual(fired, {
      CanaryLost: [
        [from + 600, from + 900],
        [from + 3000, to],
      ],
      CoreDnsServfail: [[from, from + 60]],
      CoreDnsDown: [[from, to]],
    });
  });

  it("is one SVG that says if there is no data", async () => {
    const svg = drawPicture(await answering().picture(), "CloudWatch", WINDOW);
    for (const { alert } of ALARMS) assert.ok(svg.includes(`>${alert.name}</text>`), alert.name);
    assert.equal(svg.match(/>no data</g)?.length, ALARMS.length - 2);
    assert.match(svg, />2026-11-18, 11:06 to 12:06 UTC\. CloudWatch\.</);
    assert.doesNotMatch(svg, /NaN/);
  });
});
