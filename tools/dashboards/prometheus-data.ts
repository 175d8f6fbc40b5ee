import { z } from "zod";
import { Failure } from "../../lab/command-line.ts";
import type { RangeSeries, Window } from "./picture.ts";

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
      samples: values.map(([at, value]) => [at, Number(value)] as const),
    }));
  };
}

/** Version of a Prometheus. @throws {Failure} if it does not answer. */
export async function prometheusVersion(url: string, get: typeof fetch = fetch): Promise<string> {
  return (await read(get, `${url}/api/v1/status/buildinfo`, BuildAnswer)).data.version.replace(/\+.*$/, "");
}

async function read<T>(get: typeof fetch, url: string, schema: z.ZodType<T>): Promise<T> {
  const response = await get(url).catch((error: unknown) => {
    throw new Failure(`Prometheus does not answer: ${error instanceof Error ? error.message : String(error)}`);
  });
  const body = await response.text();
  if (!response.ok) throw new Failure(`Prometheus answers ${response.status}: ${body.slice(0, 300)}`);
  return schema.parse(JSON.parse(body));
}
