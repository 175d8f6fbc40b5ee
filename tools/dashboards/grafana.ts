import { z } from "zod";
import { Failure } from "../../lab/command-line.ts";
import type { Drawn, Picture, RangeSeries, Window } from "./picture.ts";

const Position = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });
/** The fields of a Grafana dashboard that are drawn. */
const Dashboard = z.object({
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
  const { title, panels, annotations } = Dashboard.parse(dashboard);
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
