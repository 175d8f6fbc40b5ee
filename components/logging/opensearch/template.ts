import { type IndexFormat, indexPattern } from "../index-format.ts";

/** Name of the index template. */
export const TEMPLATE_NAME = "eks-dns-logging";

const keywords = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, { type: "keyword" }]));

/**
 * The index template that fits the records: names as keywords, times to the nanosecond, and what has keys of everybody's own
 * (labels, annotations, the fields of JSON lines) flattened to one field each, so that no pod can fill the mapping.
 *
 * Its priority is the length of its pattern. An engine refuses a template whose pattern overlaps with another's of the same priority:
 * so that of an earlier, shorter prefix may stay, and Elasticsearch's own for `logs-*-*`, which has 100, stays above.
 * @see https://docs.opensearch.org/latest/im-plugin/index-templates/
 * @see https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/flattened
 */
export function indexTemplate(format: IndexFormat, engine: "opensearch" | "elasticsearch"): object {
  const pattern = indexPattern(format);
  // Elasticsearch refuses a document with a longer value than 32,766 bytes, or deeper than 20, unless it is told what to do.
  const flattened =
    engine === "opensearch" ? { type: "flat_object" } : { type: "flattened", ignore_above: 8191, depth_limit: 1000 };
  return {
    index_patterns: [pattern],
    priority: pattern.length,
    template: {
      // For the one node of this stack; shards and replicas elsewhere are a matter of the cluster that one has.
      ...(engine === "opensearch" ? { settings: { index: { number_of_shards: 1, number_of_replicas: 0 } } } : {}),
      mappings: {
        properties: {
          "@timestamp": { type: "date_nanos" },
          time: { type: "date_nanos" },
          log: { type: "text" },
          ...keywords("stream", "team", "index_prefix", "_p"),
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
      },
    },
  };
}
