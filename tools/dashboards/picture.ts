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

use([LineChart, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TitleComponent, SVGRenderer]);
type Options = ComposeOption<LineSeriesOption | GridComponentOption | TitleComponentOption>;

/** A period, in seconds since 1970, and the interval between samples. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** A series: labels, and pairs of time (seconds since 1970) and value. NaN is a gap. */
export interface RangeSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [number, number])[];
}

/** Position in a grid of 24 columns. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A heading, or a graph with its data and the periods in which its alert was firing. */
export interface Drawn {
  readonly kind: "heading" | "graph";
  readonly title: string;
  readonly place: Place;
  readonly thresholds: readonly number[];
  readonly series: readonly RangeSeries[];
  readonly fired: readonly (readonly [number, number])[];
}

/** A dashboard with its data. */
export interface Picture {
  readonly title: string;
  readonly drawn: readonly Drawn[];
}

const WIDTH = 1200;
const HEADER = 64;
/** Pixels per column and row of the grid. */
const COLUMN = WIDTH / 24;
const LINE = 19;
/** Maximum number of series per graph, to keep it readable. */
const MAX_SERIES = 6;
const COLORS = ["#3274d9", "#56a64b", "#e0752d", "#a352cc", "#37872d", "#b877d9"];

/**
 * Draws a dashboard as one SVG: each graph at its position, its threshold as a dashed line, the firing periods of its alert as a red band.
 * @param source Source of the data, such as `Prometheus 3.9.1`.
 */
export function drawPicture({ title, drawn }: Picture, source: string, window: Window): string {
  const day = new Date(window.from * 1000).toISOString().slice(0, 10);
  const subtext = `${day}, ${clock(window.from)} to ${clock(window.to)} UTC. ${source}.`;
  const height = HEADER + Math.max(...drawn.map(({ place }) => place.y + place.h)) * LINE;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  const graphs = drawn.filter(({ kind }) => kind === "graph");
  const options: Options = {
    animation: false,
    backgroundColor: "#ffffff",
    color: COLORS,
    textStyle: { fontFamily: "sans-serif" },
    title: [
      { text: title, subtext, left: 16, top: 12, textStyle: { fontSize: 18 }, subtextStyle: { fontSize: 12 } },
      ...drawn.map(titleOf),
    ],
    grid: graphs.map(({ place }) => gridOf(place)),
    xAxis: graphs.map((_, index) => ({
      type: "time" as const,
      gridIndex: index,
      min: window.from * 1000,
      max: window.to * 1000,
      splitNumber: 4,
      silent: true,
      axisTick: { show: false },
      axisLabel: { fontSize: 9, hideOverlap: true, formatter: (value: number) => clock(value / 1000) },
    })),
    yAxis: graphs.map(({ series, thresholds }, index) => ({
      type: "value" as const,
      gridIndex: index,
      min: series.some(({ samples }) => samples.some(([, value]) => value < 0)) ? undefined : 0,
      max: series.length === 0 ? 1 : (top: { max: number }) => Math.max(top.max, ...thresholds) || 1,
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

function titleOf({ kind, title, place: { x, y }, series }: Drawn): TitleComponentOption {
  const heading = kind === "heading";
  return {
    text: title,
    subtext: heading ? "" : series.length === 0 ? "no data" : legend(series),
    itemGap: 2,
    left: x * COLUMN + 12,
    top: HEADER + y * LINE,
    textStyle: { fontSize: heading ? 14 : 12, fontWeight: heading ? "bold" : "normal" },
    subtextStyle: { fontSize: 9, color: "#777777" },
  };
}

/** Labels that distinguish the series of a graph; all labels of a single series. */
function legend(series: readonly RangeSeries[]): string {
  const shown = series.slice(0, MAX_SERIES).map(({ labels }) => {
    const ownLabels = Object.entries(labels).filter(
      ([key, value]) =>
        key !== "__name__" && (series.length === 1 || series.some((other) => other.labels[key] !== value)),
    );
    return ownLabels.map(([, value]) => value).join(" ");
  });
  const left = series.length - shown.length;
  const text = [...shown.filter((label) => label !== ""), ...(left > 0 ? [`and ${left} more`] : [])].join(", ");
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}

function gridOf({ x, y, w, h }: Place): GridComponentOption {
  return { left: x * COLUMN + 56, top: HEADER + y * LINE + 36, width: w * COLUMN - 76, height: h * LINE - 60 };
}

function seriesOf({ thresholds, series, fired }: Drawn, index: number): LineSeriesOption[] {
  const [first, ...others] = series.slice(0, MAX_SERIES).map(
    ({ samples }): LineSeriesOption => ({
      type: "line",
      xAxisIndex: index,
      yAxisIndex: index,
      // A single sample between gaps has no line.
      showSymbol: samples.length === 1 || samples.some(([, value]) => Number.isNaN(value)),
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
      ...(first ?? { type: "line", xAxisIndex: index, yAxisIndex: index, data: [] }),
      markLine: {
        symbol: "none",
        silent: true,
        label: { show: false },
        lineStyle: { color: "#e02f44", type: "dashed", width: 1 },
        data: thresholds.map((yAxis) => ({ yAxis })),
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
function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}

function short(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}
