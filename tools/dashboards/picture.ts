import { LineChart, type LineSeriesOption } from "echarts/charts";
import {
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  type TitleComponentOption,
} from "echarts/components";
import { type ComposeOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { z } from "zod";
import type { RangeSeries, Window } from "./prometheus-data.ts";

use([LineChart, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TitleComponent, SVGRenderer]);
type Options = ComposeOption<LineSeriesOption | GridComponentOption | TitleComponentOption>;

const Position = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });
/** What is drawn of a dashboard of Grafana. */
export const Dashboard = z.object({
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
export type Dashboard = z.infer<typeof Dashboard>;
type Panel = Dashboard["panels"][number];
type Graph = Extract<Panel, { type: "timeseries" }>;

/** A graph with the answers to its expressions, and the periods in which its alert fired. */
export interface Drawn {
  readonly panel: Panel;
  readonly series: readonly RangeSeries[];
  readonly fired: readonly (readonly [number, number])[];
}

const WIDTH = 1200;
const HEADER = 64;
/** Pixels of one of the 24 columns, and of one line of the grid. */
const COLUMN = WIDTH / 24;
const LINE = 19;
/** Series of a graph that are drawn: more would be unreadable. */
const MAX_SERIES = 6;
const COLORS = ["#3274d9", "#56a64b", "#e0752d", "#a352cc", "#37872d", "#b877d9"];

/**
 * One SVG of a dashboard: each graph at its place, its threshold as a dashed line, the periods in which its alert fired as a red band.
 * @param subtitle Date and source of the data.
 */
export function drawDashboard(title: string, subtitle: string, drawn: readonly Drawn[], window: Window): string {
  const height = HEADER + Math.max(...drawn.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h)) * LINE;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  const graphs = drawn.flatMap(({ panel, ...data }) => (panel.type === "timeseries" ? [{ panel, ...data }] : []));
  const options: Options = {
    animation: false,
    backgroundColor: "#ffffff",
    color: COLORS,
    textStyle: { fontFamily: "sans-serif" },
    title: [
      {
        text: title,
        subtext: subtitle,
        left: 16,
        top: 12,
        textStyle: { fontSize: 18 },
        subtextStyle: { fontSize: 12 },
      },
      ...drawn.map(panelTitle),
    ],
    grid: graphs.map(({ panel }) => gridOf(panel)),
    xAxis: graphs.map((_, at) => ({
      type: "time" as const,
      gridIndex: at,
      min: window.from * 1000,
      max: window.to * 1000,
      splitNumber: 4,
      silent: true,
      axisTick: { show: false },
      axisLabel: { fontSize: 9, hideOverlap: true, formatter: (value: number) => clock(value / 1000) },
    })),
    yAxis: graphs.map(({ series, panel }, at) => ({
      type: "value" as const,
      gridIndex: at,
      min: series.some(({ samples }) => samples.some(([, value]) => value < 0)) ? undefined : 0,
      max: series.length === 0 ? 1 : (top: { max: number }) => Math.max(top.max, ...thresholds(panel)) || 1,
      splitNumber: 2,
      silent: true,
      axisLabel: { fontSize: 9, formatter: short },
      splitLine: { lineStyle: { color: "#eeeeee" } },
    })),
    series: graphs.flatMap(seriesOf),
  };
  chart.setOption(options);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function panelTitle({ panel, series }: Drawn): TitleComponentOption {
  const { x, y } = panel.gridPos;
  const row = panel.type === "row";
  return {
    text: panel.title,
    subtext: row ? "" : series.length === 0 ? "no data" : legend(series),
    itemGap: 2,
    left: x * COLUMN + 12,
    top: HEADER + y * LINE,
    textStyle: { fontSize: row ? 14 : 12, fontWeight: row ? "bold" : "normal" },
    subtextStyle: { fontSize: 9, color: "#777777" },
  };
}

/** Labels by which the series of a graph differ; all of them for a single series. */
function legend(series: readonly RangeSeries[]): string {
  const shown = series.slice(0, MAX_SERIES).map(({ labels }) => {
    const own = Object.entries(labels).filter(
      ([key, value]) =>
        key !== "__name__" && (series.length === 1 || series.some((other) => other.labels[key] !== value)),
    );
    return own.map(([, value]) => value).join(" ");
  });
  const left = series.length - shown.length;
  const text = [...shown.filter((each) => each !== ""), ...(left > 0 ? [`and ${left} more`] : [])].join(", ");
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}

function gridOf({ gridPos: { x, y, w, h } }: Graph): GridComponentOption {
  return { left: x * COLUMN + 56, top: HEADER + y * LINE + 36, width: w * COLUMN - 76, height: h * LINE - 60 };
}

const thresholds = ({ fieldConfig }: Graph) =>
  fieldConfig.defaults.thresholds.steps.flatMap(({ value }) => value ?? []);

function seriesOf({ panel, series, fired }: Drawn & { readonly panel: Graph }, at: number): LineSeriesOption[] {
  const [first, ...others] = series.slice(0, MAX_SERIES).map(
    ({ samples }): LineSeriesOption => ({
      type: "line",
      xAxisIndex: at,
      yAxisIndex: at,
      showSymbol: samples.length === 1,
      symbolSize: 3,
      lineStyle: { width: 1.2 },
      data: samples.map(([second, value]) => [
        second * 1000,
        Number.isFinite(value) ? Number(value.toPrecision(4)) : "-",
      ]),
    }),
  );
  return [
    {
      ...(first ?? { type: "line", xAxisIndex: at, yAxisIndex: at, data: [] }),
      markLine: {
        symbol: "none",
        silent: true,
        label: { show: false },
        lineStyle: { color: "#e02f44", type: "dashed", width: 1 },
        data: thresholds(panel).map((yAxis) => ({ yAxis })),
      },
      markArea: {
        silent: true,
        itemStyle: { color: "rgba(224, 47, 68, 0.15)" },
        data: fired.map(([from, to]) => [{ xAxis: from * 1000 }, { xAxis: to * 1000 }]),
      },
    },
    ...others,
  ];
}

/** Hour and minute in UTC. */
export function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}

function short(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}
