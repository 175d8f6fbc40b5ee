import type { IndexFormat } from "./index-format.ts";

/**
 * First parts of names that Elasticsearch keeps for itself: as it is installed it has index templates for `logs-*-*` and so on, most of
 * them of data streams. These take no document that is to be indexed under an id, and know no index of such a name.
 * @see https://www.elastic.co/docs/manage-data/data-store/templates#avoid-index-pattern-collisions
 * @see https://www.elastic.co/docs/reference/fleet/data-streams#data-streams-naming-scheme
 */
const KEPT = ["logs", "metrics", "traces", "synthetics", "agentless", "security_solution"] as const;
/** Kept with anything that follows. */
const KEPT_WHOLE = "profiling";

const KEPT_NAME = new RegExp(`^((${KEPT.join("|")})-.*-|${KEPT_WHOLE}-)`);

/** The names in words, as patterns. */
export const KEPT_PATTERNS = [...KEPT.map((name) => `${name}-*-*`), `${KEPT_WHOLE}-*`].join(", ");

/** Whether names of this format may be among those that Elasticsearch keeps; the value that they are split by may have a '-'. */
export function isKeptByElasticsearch({ prefix, separator, splitBy, datePattern }: IndexFormat): boolean {
  const split = splitBy === "none" ? [] : ["a-b"];
  return KEPT_NAME.test([prefix, ...split, datePattern].join(separator));
}
