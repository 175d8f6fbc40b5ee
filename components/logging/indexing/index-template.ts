import { CLUSTER_KEYS, ID_KEY, SPLIT_KEY } from "../pipeline.ts";
import { FIRST_CHARACTERS, type IndexFormat, indexPattern } from "./index-format.ts";

/** Name of the index template. */
export const TEMPLATE_NAME = "eks-dns-logging";

const keywords = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, { type: "keyword" }]));

type Engine = "opensearch" | "elasticsearch";

/**
 * The index template of a format, for a shared cluster.
 *
 * Its priority is the length of its pattern. Engines reject overlapping templates of equal priority: so one for an earlier, shorter
 * prefix may stay, and Elasticsearch's own for `logs-*-*`, of priority 100, takes precedence.
 * @see https://docs.opensearch.org/latest/im-plugin/index-templates/
 */
export function indexTemplate(format: IndexFormat, engine: Engine): object {
  const pattern = indexPattern(format);
  return {
    index_patterns: [pattern],
    priority: pattern.length,
    template: { mappings: mappings(engine, CLUSTER_KEYS) },
  };
}

/**
 * The index template of the `inCluster` OpenSearch: for all names that a format can produce, but not for its own indices, which begin with
 * a dot. So another format needs no other template, and the node, whose logs may be lost with its pod, stays. Any template that a user
 * adds has a higher priority. For the same reason it omits fields that name the cluster, which stacks of former versions lack: only one
 * cluster sends there.
 */
export function everyIndexTemplate(): object {
  return {
    index_patterns: [...FIRST_CHARACTERS].map((character) => `${character}*`),
    priority: 0,
    template: {
      // A single node cannot hold a replica.
      settings: { index: { number_of_shards: 1, number_of_replicas: 0 } },
      mappings: mappings("opensearch", []),
    },
  };
}

/**
 * Mappings for the records: names as keywords, times in nanoseconds, and objects with arbitrary keys (labels, annotations, the fields of
 * JSON lines) flattened to one field each, so that no pod can fill the mapping.
 * @see https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/flattened
 */
function mappings(engine: Engine, more: readonly string[]): object {
  // By default Elasticsearch rejects documents with values above 32,766 bytes, or deeper than 20.
  const flattened =
    engine === "opensearch" ? { type: "flat_object" } : { type: "flattened", ignore_above: 8191, depth_limit: 1000 };
  return {
    properties: {
      "@timestamp": { type: "date_nanos" },
      time: { type: "date_nanos" },
      log: { type: "text" },
      ...keywords("stream", "team", "_p", SPLIT_KEY, ID_KEY, ...more),
      fields: flattened,
      kubernetes: {
        properties: {
          ...keywords(
            "namespace_name",
            "pod_name",
            "container_name",
            "host",
            "pod_id",
            "pod_ip",
            "docker_id",
            "container_hash",
            "container_image",
          ),
          labels: flattened,
          annotations: flattened,
        },
      },
    },
  };
}
