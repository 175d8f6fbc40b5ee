import { z } from "zod";
import type { Destination } from "../../../components/logging/destination-settings.ts";
import { readAnswer } from "./answer.ts";
import { collectorPod, LOGGING_NAMESPACE } from "./collector-pods.ts";
import { ask, type Endpoint, whyOutOfReach } from "./endpoint.ts";
import type { MarkerFinder } from "./finder.ts";

type LokiDestination = Extract<Destination, { kind: "loki" }>;

const QueryAnswer = z.object({
  data: z.object({ result: z.array(z.object({ stream: z.record(z.string(), z.string()) })) }),
});

/**
 * Destination loki: the marker is searched for in the streams of the pod's namespace.
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time
 */
export function lokiFinder(destination: LokiDestination, collector: string): MarkerFinder {
  const { url, verify, credentials, tenant } = destination;
  const headers: Readonly<Record<string, string>> = tenant === undefined ? {} : { "X-Scope-OrgID": tenant };
  const endpoint: Endpoint = { url: new URL(url), verify, credentials, headers };
  const unable = whyOutOfReach(endpoint);
  return {
    place: `loki ${endpoint.url.host}`,
    ...(unable === undefined ? {} : { unable }),
    async prepare(lab, pod) {
      await collectorPod(lab, collector, pod.node);
    },
    async find(lab, { marker, pod, seconds }) {
      const query = new URLSearchParams({
        query: `{namespace="${pod.namespace}"} |= "${marker}"`,
        limit: "1",
        since: `${Math.ceil(seconds)}s`,
      });
      const body = await ask(lab, endpoint, `/loki/api/v1/query_range?${query}`);
      const stream = readAnswer(QueryAnswer, body, endpoint.url.host).data.result[0]?.stream;
      if (stream === undefined) return undefined;
      const labels = Object.entries(stream).map(([key, value]) => `${key}=${value}`);
      return { where: `stream {${labels.slice(0, 4).join(", ")}}` };
    },
    whyMissing: async () =>
      `${collector} runs and Loki answers, but no stream of the namespace has the line: \`kubectl -n ${LOGGING_NAMESPACE} logs daemonset/${collector}\` shows what was refused`,
  };
}
