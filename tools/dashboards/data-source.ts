import { z } from "zod";
import { dashboardName } from "../../components/monitoring/cloudwatch-alarms.ts";
import { Failure } from "../../lab/command-line.ts";
import type { Aws } from "../../lab/process.ts";
import type { Drawn, Picture, RangeSeries, Window } from "./picture.ts";

const DashboardAnswer = z.object({ DashboardBody: z.string() });
/** The fields of a CloudWatch dashboard that are drawn. */
const CloudWatchDashboard = z.object({
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
type Widget = z.infer<typeof CloudWatchDashboard>["widgets"][number];

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
  const { widgets } = CloudWatchDashboard.parse(JSON.parse(DashboardBody));
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

const Position = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });
/** The fields of a Grafana dashboard that are drawn. */
const GrafanaDashboard = z.object({
  title: z.string(),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("row"), title: z.string(), gridPos: Position }),
      z.object({
        type: z.literal("timeseries"),
        title: z.string(),
        gridPos: Position,
        targets: z.array(z.object({ expr: z.string() })),
        fieldConfig: z.object({
          defaults: z.object({
            thresholds: z.object({ steps: z.array(z.object({ color: z.string(), value: z.number().nullable() })) }),
          }),
        }),
      }),
    ]),
  ),
});

/**
 * Draws a Grafana dashboard with the data of a Prometheus.
 * @param dashboard Grafana's JSON, as in the ConfigMap `eks-dns-logging-dashboard`.
 * @param ask Evaluates its expressions.
 */
export async function grafanaPicture(dashboard: unknown, ask: Ask, window: Window): Promise<Picture> {
  const { title, panels, annotations } = GrafanaDashboard.parse(dashboard);
  const firing = (await Promise.all(annotations.list.map(({ expr }) => ask(expr, window)))).flat();
  const drawn: Drawn[] = [];
  for (const panel of panels) {
    const common = { title: panel.title, place: panel.gridPos };
    if (panel.type === "row") {
      drawn.push({ kind: "heading", ...common, thresholds: [], series: [], fired: [] });
      continue;
    }
    const series = (await Promise.all(panel.targets.map(({ expr }) => ask(expr, window)))).flat();
    const ofPanel = firing.filter(({ labels }) => labels.alertname === panel.title);
    drawn.push({
      kind: "graph",
      ...common,
      thresholds: panel.fieldConfig.defaults.thresholds.steps.flatMap(({ value }) => value ?? []),
      series,
      fired: ofPanel.flatMap(({ samples }) => periods(samples, window.step)),
    });
  }
  return { title, drawn };
}

/** Merges consecutive samples into periods. */
function periods(samples: readonly (readonly [number, number])[], step: number): [number, number][] {
  const found: [number, number][] = [];
  for (const [time] of samples) {
    const last = found.at(-1);
    if (last !== undefined && time - last[1] <= step * 1.5) last[1] = time;
    else found.push([time, time]);
  }
  return found.map(([from, to]) => [from, to + step]);
}

/** Answers range queries. */
export type Ask = (expr: string, window: Window) => Promise<readonly RangeSeries[]>;

const RangeAnswer = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.number(), z.string()])),
      }),
    ),
  }),
});

const BuildAnswer = z.object({ data: z.object({ version: z.string() }) });

/**
 * Queries ranges from a Prometheus.
 * @param url Its address, such as `http://127.0.0.1:9090`.
 * @throws {Failure} if it does not answer, or rejects the query.
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
 */
export function prometheusAt(url: string, get: typeof fetch = fetch): Ask {
  return async (expr, { from, to, step }) => {
    const query = new URLSearchParams({ query: expr, start: `${from}`, end: `${to}`, step: `${step}` });
    const { data } = await read(get, `${url}/api/v1/query_range?${query}`, RangeAnswer);
    return data.result.map(({ metric, values }) => ({
      labels: metric,
      samples: values.map(([time, value]) => [time, Number(value)] as const),
    }));
  };
}

/** Version of a Prometheus. @throws {Failure} if it does not answer. */
export async function prometheusVersion(url: string): Promise<string> {
  return (await read(fetch, `${url}/api/v1/status/buildinfo`, BuildAnswer)).data.version.replace(/\+.*$/, "");
}

async function read<T>(get: typeof fetch, url: string, schema: z.ZodType<T>): Promise<T> {
  const response = await get(url).catch((error: unknown) => {
    throw new Failure(`Prometheus does not answer: ${error instanceof Error ? error.message : String(error)}`);
  });
  const body = await response.text();
  if (!response.ok) throw new Failure(`Prometheus answers ${response.status}: ${body.slice(0, 300)}`);
  return schema.parse(JSON.parse(body));
}
