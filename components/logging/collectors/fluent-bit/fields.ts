import { type LogPipeline, MAX_FIELDS_BYTES } from "../../pipeline.ts";
import type { Section } from "./outputs.ts";

/**
 * Longest JSON line that becomes `fields` on its way to CloudWatch Logs, in bytes. A quotation mark is four there in `log` and two in
 * `fields`, and of a record that is then more than 1 MB Fluent Bit sends nothing at all.
 */
const MAX_EVENT_FIELDS_BYTES = 100_000;

/**
 * Begins as JSON does, so that other lines cost one comparison, and is too long for fields; in characters, which have up to four bytes
 * where one of them is not ASCII.
 */
function tooLong(bytes: number): string {
  return `\\A\\{(?m:.{${bytes}}|(?=[\\x00-\\x7F]*[^\\x00-\\x7F]).{${bytes / 4}})`;
}

/**
 * A filter that takes the fields from a line too long for its destination to have them.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/modify
 */
export function withoutLongFields({ parseJson, destination: { kind } }: LogPipeline): Section[] {
  if (!parseJson || (kind !== "opensearch" && kind !== "cloudwatch")) return [];
  const bytes = kind === "opensearch" ? MAX_FIELDS_BYTES : MAX_EVENT_FIELDS_BYTES;
  return [{ name: "modify", match: "kube.*", condition: `key_value_matches log ${tooLong(bytes)}`, remove: "fields" }];
}
