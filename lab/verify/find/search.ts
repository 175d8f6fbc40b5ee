import { z } from "zod";
import type { Destination } from "../../../components/logging/destination-settings.ts";
import { type IndexFormat, indexName, indexPattern } from "../../../components/logging/index-format.ts";
import type { PodFacts } from "../../kubernetes/cluster.ts";
import { type Lab, Obstacle } from "../lab.ts";
import { readAnswer } from "./answer.ts";
import { collectorPod, LOGGING_NAMESPACE, mustBeReady } from "./collector-pods.ts";
import { ask, type Endpoint, whyOutOfReach } from "./endpoint.ts";
import type { MarkerFinder } from "./finder.ts";

type SearchDestination = Extract<Destination, { kind: "opensearch" | "elasticsearch" }>;

/** Service of the OpenSearch that `inCluster` brings; it is for trying out, without TLS and password. */
const OWN_HOST = `opensearch.${LOGGING_NAMESPACE}.svc`;

const SearchAnswer = z.object({ hits: z.object({ hits: z.array(z.object({ _index: z.string() })) }) });

/** Destinations opensearch and elasticsearch: the marker is searched for in the indices of the stack's format. */
export function searchFinder(destination: SearchDestination, index: IndexFormat, collector: string): MarkerFinder {
  const endpoint = endpointOf(destination);
  const unable = whyOutOfReach(endpoint);
  const pattern = indexPattern(index);
  return {
    place: `${destination.kind} ${pattern}`,
    ...(unable === undefined ? {} : { unable }),
    async prepare(lab, pod) {
      await collectorPod(lab, collector, pod.node);
      if (destination.kind === "opensearch" && destination.inCluster) await ownNode(lab);
      await ask(lab, endpoint, "/");
    },
    async find(lab, { marker, pod }) {
      // Right after its line an index may not be there yet.
      const query = `q=${marker}&lenient=true&size=1&_source=false&ignore_unavailable=true&allow_no_indices=true`;
      const body = await ask(lab, endpoint, `/${encodeURIComponent(pattern).replaceAll("%2A", "*")}/_search?${query}`);
      const name = readAnswer(SearchAnswer, body, endpoint.url.host).hits.hits[0]?._index;
      if (name === undefined) return undefined;
      const wanted = expectedNames(index, pod, new Date());
      const found = { where: `index ${name}` };
      if (wanted.has(name)) return found;
      return {
        ...found,
        unexpected: `the settings call it ${[...wanted].join(" or ")}: the collector names it otherwise`,
      };
    },
    whyMissing: async () =>
      `${collector} runs and ${endpoint.url.host} answers, but no index ${pattern} has the line: \`kubectl -n ${LOGGING_NAMESPACE} logs daemonset/${collector}\` shows what was refused`,
  };
}

/** @throws {Obstacle} where the OpenSearch that `inCluster` brings is not there or not ready. */
async function ownNode(lab: Lab): Promise<void> {
  const [pod] = await lab.cluster.pods(LOGGING_NAMESPACE, "app.kubernetes.io/name=opensearch");
  if (pod !== undefined) return mustBeReady(lab, pod);
  const cause = `the StatefulSet opensearch is not there, or its pod is not admitted: \`${lab.up}\`, then \`kubectl -n ${LOGGING_NAMESPACE} get events\``;
  throw new Obstacle("there is no pod of opensearch", cause);
}

export function endpointOf(destination: SearchDestination): Endpoint {
  const inCluster = destination.kind === "opensearch" && destination.inCluster;
  const plain = destination.tls === false || (inCluster && destination.tls === undefined);
  const tls = destination.tls === false ? undefined : destination.tls;
  const host = destination.host ?? OWN_HOST;
  return {
    url: new URL(`${plain ? "http" : "https"}://${host}:${destination.port}`),
    verify: tls?.verify ?? true,
    caSecretName: tls?.caSecretName,
    credentials: destination.credentials,
  };
}

/** Names that a line of this moment may have: a minute ago may have been yesterday, and a pod has two labels that tell its app. */
export function expectedNames(index: IndexFormat, pod: PodFacts, now: Date): ReadonlySet<string> {
  const { labels, namespace } = pod;
  const apps = [labels.app, labels["app.kubernetes.io/name"]];
  const times = [now, new Date(now.getTime() - 60_000)];
  const fields = { namespace, ...(labels.team === undefined ? {} : { team: labels.team }) };
  return new Set(
    times.flatMap((time) =>
      apps.map((app) => indexName(index, time, { ...fields, ...(app === undefined ? {} : { app }) })),
    ),
  );
}
