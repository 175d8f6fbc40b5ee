import { type LogPipeline, MAX_FIELDS_BYTES } from "../pipeline.ts";
import type { Section } from "./fluent-bit-outputs.ts";

/**
 * Begins as JSON does, so that other lines cost one comparison, and is too long for fields; in characters, which have up to four bytes
 * where one of them is not ASCII.
 */
const TOO_LONG = `\\A\\{(?m:.{${MAX_FIELDS_BYTES}}|(?=[\\x00-\\x7F]*[^\\x00-\\x7F]).{${MAX_FIELDS_BYTES / 4}})`;

/**
 * A filter that takes the fields from a line too long for OpenSearch to have them.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/modify
 */
export function withoutLongFields({ parseJson, destination }: LogPipeline): Section[] {
  if (!parseJson || destination.kind !== "opensearch") return [];
  return [{ name: "modify", match: "kube.*", condition: `key_value_matches log ${TOO_LONG}`, remove: "fields" }];
}
