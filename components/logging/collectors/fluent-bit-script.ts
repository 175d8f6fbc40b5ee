import type { IndexFormat } from "../index-format.ts";
import { NO_VALUE } from "../index-format.ts";
import { INDEX_KEY } from "./fluent-bit-outputs.ts";

/** Name of the function that the filter calls. */
export const INDEX_FUNCTION = "index_prefix";

/** Where a record has the value that its index is split by; the first that is there counts. */
const PATHS: Readonly<Record<IndexFormat["splitBy"], readonly string[]>> = {
  none: [],
  team: ['record["team"]'],
  namespace: ['kubernetes["namespace_name"]'],
  app: ['labels["app.kubernetes.io/name"]', 'labels["app"]'],
};

/**
 * A Lua filter that writes the prefix of a record's index, split value included, to a key of the record: the output can take the
 * prefix from a key, but cannot join two. It makes a value safe by the rule of `safeIndexPart`, and keeps the time to the nanosecond.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/lua
 */
export function indexScript({ prefix, separator, splitBy }: IndexFormat): string {
  return `function ${INDEX_FUNCTION}(tag, timestamp, record)
  local kubernetes = record["kubernetes"] or {}
  local labels = kubernetes["labels"] or {}
  local value = ${[...PATHS[splitBy], `"${NO_VALUE}"`].join(" or ")}
  value = string.sub(string.gsub(string.lower(value), "[^a-z0-9._-]", "-"), 1, 63)
  if value == "" then value = "${NO_VALUE}" end
  record["${INDEX_KEY}"] = "${prefix}${separator}" .. value
  -- 2: the record is new, the time is not.
  return 2, timestamp, record
end
`;
}
