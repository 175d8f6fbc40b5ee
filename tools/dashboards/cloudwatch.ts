import { z } from "zod";
import { dashboardName } from "../../components/monitoring/cloudwatch-alarms.ts";
import type { Aws } from "../../lab/process.ts";
import type { Drawn, Picture, RangeSeries, Window } from "./picture.ts";

const DashboardAnswer = z.object({ DashboardBody: z.string() });
/** The fields of a CloudWatch dashboard that are drawn. */
const Dashboard = z.object({
  widgets: z.array(
    z.object({
      x: z.number(),
      y: z.number(),
      width: z.number(),
      height: z.number(),
      properties: z.object({
        title: z.string(),
        stat: z.string(),
        period: z.number(),
        metrics: z.array(z.tuple([z.string(), z.string()], z.string())),
        annotations: z.object({ horizontal: z.array(z.object({ value: z.number() })) }),
      }),
    }),
  ),
});
type Widget = z.infer<typeof Dashboard>["widgets"][number];

/** Seconds since 1970. The AWS CLI prints times as ISO 8601 in version 2, as numbers in version 1. */
const Time = z.union([z.number(), z.string().transform((text) => Date.parse(text) / 1000)]);
const DataAnswer = z.object({
  MetricDataResults: z.array(z.object({ Id: z.string(), Timestamps: z.array(Time), Values: z.array(z.number()) })),
});
const AlarmsAnswer = z.object({
  MetricAlarms: z.array(z.object({ AlarmName: z.string(), StateValue: z.string(), StateUpdatedTimestamp: Time })),
});
const HistoryAnswer = z.object({
  AlarmHistoryItems: z.array(z.object({ AlarmName: z.string(), Timestamp: Time, HistoryData: z.string() })),
});
const Change = z.object({
  oldState: z.object({ stateValue: z.string() }),
  newState: z.object({ stateValue: z.string() }),
});

/** Rows of Grafana's grid, which the picture uses, per row of CloudWatch's. */
const GRAFANA_LINES = 4 / 3;

/**
 * The dashboard of a cluster, with the data and alarms of CloudWatch.
 * @param cluster Name of the cluster; `region` is its own.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
export async function cloudWatchPicture(
  { cluster, region }: { readonly cluster: string; readonly region: string },
  aws: Aws,
  window: Window,
): Promise<Picture> {
  const title = dashboardName(cluster, region);
  const ask = async <T>(schema: z.ZodType<T>, action: string, ...args: string[]) =>
    schema.parse(JSON.parse(await aws(["cloudwatch", action, ...args, "--output", "json"])));
  const { DashboardBody } = await ask(DashboardAnswer, "get-dashboard", "--dashboard-name", title);
  const { widgets } = Dashboard.parse(JSON.parse(DashboardBody));
  const nameOf = ({ properties }: Widget) => `${cluster}-${properties.title}`;
  const [from, to] = [instant(window.from), instant(window.to)];
  const [{ MetricDataResults }, { MetricAlarms }, { AlarmHistoryItems }] = await Promise.all([
    ask(
      DataAnswer,
      "get-metric-data",
      ...["--start-time", from, "--end-time", to, "--scan-by", "TimestampAscending"],
      ...["--metric-data-queries", JSON.stringify(widgets.flatMap(queriesOf))],
    ),
    ask(AlarmsAnswer, "describe-alarms", "--alarm-names", ...widgets.map(nameOf)),
    ask(
      HistoryAnswer,
      "describe-alarm-history",
      ...["--history-item-type", "StateUpdate", "--scan-by", "TimestampAscending"],
      ...["--start-date", from, "--end-date", to],
    ),
  ]);
  const drawn = widgets.map((widget, at): Drawn => {
    const { x, y, width, height, properties } = widget;
    const name = nameOf(widget);
    const alarm = MetricAlarms.find(({ AlarmName }) => AlarmName === name);
    const firesThroughout =
      alarm !== undefined && alarm.StateUpdatedTimestamp <= window.from && alarm.StateValue === "ALARM";
    const unchanged: Drawn["fired"] = firesThroughout ? [[window.from, window.to]] : [];
    const changes = AlarmHistoryItems.flatMap(({ AlarmName, Timestamp, HistoryData }) =>
      AlarmName === name ? [{ at: Timestamp, ...Change.parse(JSON.parse(HistoryData)) }] : [],
    );
    return {
      kind: "graph",
      title: properties.title,
      place: { x, y: y * GRAFANA_LINES, w: width, h: height * GRAFANA_LINES },
      thresholds: properties.annotations.horizontal.map(({ value }) => value),
      series: queriesOf(widget, at).flatMap(({ Id }) => {
        // The results of several pages have several parts.
        const parts = MetricDataResults.filter((part) => part.Id === Id);
        const samples = parts.flatMap(({ Timestamps, Values }) =>
          Timestamps.map((time, index) => [time, Values[index] ?? Number.NaN] as const),
        );
        return samples.length === 0 ? [] : [seriesWithGaps(samples, properties.period)];
      }),
      fired: changes.length === 0 ? unchanged : firedIn(changes, window),
    };
  });
  return { title, drawn };
}

/** The queries of a widget, each with an id that is unique among all widgets. */
function queriesOf({ properties: { metrics, stat, period } }: Widget, at: number) {
  return metrics.map(([Namespace, MetricName, ...dimensions], index) => ({
    Id: `widget${at}_${index}`,
    MetricStat: {
      Metric: {
        Namespace,
        MetricName,
        Dimensions: dimensions.flatMap((Name, place) =>
          place % 2 === 0 ? [{ Name, Value: dimensions[place + 1] ?? "" }] : [],
        ),
      },
      Period: period,
      Stat: stat,
    },
  }));
}

/** Interrupts the line at periods without data. */
function seriesWithGaps(samples: readonly (readonly [number, number])[], period: number): RangeSeries {
  const spread = samples.flatMap(([time, value], index) => {
    const last = samples[index - 1];
    const gap = last !== undefined && time - last[0] > period * 1.5;
    return gap ? [[last[0] + period, Number.NaN] as const, [time, value] as const] : [[time, value] as const];
  });
  return { labels: {}, samples: spread };
}

/** Periods in state ALARM. */
function firedIn(
  changes: readonly ({ readonly at: number } & z.infer<typeof Change>)[],
  window: Window,
): [number, number][] {
  const periods: [number, number][] = [];
  let since = changes[0]?.oldState.stateValue === "ALARM" ? window.from : undefined;
  for (const { at, newState } of changes) {
    if (newState.stateValue === "ALARM") since ??= at;
    else if (since !== undefined) {
      periods.push([since, at]);
      since = undefined;
    }
  }
  return since === undefined ? periods : [...periods, [since, window.to]];
}

const instant = (seconds: number) => new Date(seconds * 1000).toISOString();
