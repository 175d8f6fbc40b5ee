import type { LogPipeline } from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import type { Thinning } from "../../processing/processing.ts";
import type { Options } from "./exporters.ts";
import { routeCondition, text } from "./route-conditions.ts";

/** Decides in thousandths whether a line is kept, from -999 to 999: the same for a line that is read again. */
const HASH = 'FNV(Concat([log.time_unix_nano, log.body["log"]], " "))';
const REST = `${HASH} - ${HASH} / 1000 * 1000`;

/** Begins with a dot, unlike destination names. */
const THINNING = "filter/.processing";

/** Drops records, which are the bodies. @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/filterprocessor */
export function thinningFilter({
  processing: { thin },
}: Pick<LogPipeline, "processing">): Readonly<Record<string, Options>> {
  if (thin.length === 0) return {};
  return { [THINNING]: { error_mode: "ignore", log_conditions: thin.map(condition) } };
}

function condition({ pattern, kept, ...selection }: Thinning): string {
  const isSelected = Object.values(selection).some((value) => value !== undefined);
  const conditions = [
    ...(isSelected ? [routeCondition([selection]) ?? "true"] : []),
    ...(pattern === undefined ? [] : [`IsMatch(log.body["log"], ${text(patternText(pattern, "re2"))})`]),
    ...(kept === 0 ? [] : [`(${REST} >= ${kept} or ${REST} <= -${kept})`]),
  ];
  return conditions.join(" and ");
}
