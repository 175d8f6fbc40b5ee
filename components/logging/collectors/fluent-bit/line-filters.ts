import type { LogPipeline } from "../../pipeline.ts";
import { luaRules } from "../../processing/lua-rules.ts";
import { patternText } from "../../processing/pattern-text.ts";
import { droppedTimes, type Thinning } from "../../processing/processing.ts";
import { readScript } from "../scripts.ts";
import { conditions, namespaceMatch } from "./selection.ts";
import type { Section } from "./service.ts";

const REDACT_SCRIPT = ["expression.lua", "redact.lua"].map((name) => readScript(import.meta.url, name)).join("\n");
const LIMIT_SCRIPT = readScript(import.meta.url, "limit.lua");
/** Files beside the configuration. */
const REDACT_FILE = "redact.lua";
const limitFile = (at: number) => `limit-${at}.lua`;
/** Key of a record whose line `redact.lua` has changed. */
const REDACTED = "redacted";
/** Key of a record that a rule drops. */
const DROPPED = "dropped";

/** The script that redacts by some rules. */
export function redactScript(rules: LogPipeline["processing"]["redact"]): string {
  return `RULES = ${luaRules(rules)}\n${REDACT_SCRIPT}`;
}

/** Scripts of a pipeline, by file. */
export function processingScripts({
  processing: { redact, limit },
}: Pick<LogPipeline, "processing">): Readonly<Record<string, string>> {
  return {
    ...(redact.length === 0 ? {} : { [REDACT_FILE]: redactScript(redact) }),
    ...Object.fromEntries(
      limit.map(({ linesPerSecond }, at) => [limitFile(at), `LINES_PER_SECOND = ${linesPerSecond}\n${LIMIT_SCRIPT}`]),
    ),
  };
}

/**
 * Lua gives the keys of a record that it changes an order of its own each time it starts. An id that Fluent Bit makes of the record would be
 * another one for a line that is read again.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/modify
 */
function keysInOrder(match: string, keys: readonly string[]): Section {
  return {
    name: "modify",
    match,
    condition: `key_exists ${REDACTED}`,
    remove: REDACTED,
    move_to_end: [...keys, "log"],
  };
}

/**
 * What is done with a line while it is the line alone, which costs a script little, and before its JSON is parsed, so that its fields
 * are redacted too.
 */
export function lineFilters({ processing }: Pick<LogPipeline, "processing">, folder: string): Section[] {
  const { redact, thin } = processing;
  const late = thin.some(needsRecord);
  return [
    ...redactFilters({ redact }, folder, { match: "kube.*", alias: "redact", keys: ["time", "stream", "_p"] }),
    ...thinFilters(
      thin.filter((rule) => !needsRecord(rule)),
      "drop_lines",
    ),
    ...(late ? [] : limitFilters(processing, folder)),
  ];
}

/** Masks secrets in what `log` holds. @param of Which lines, and the other keys of a record by then, one of which may be missing. */
export function redactFilters(
  { redact }: Pick<LogPipeline["processing"], "redact">,
  folder: string,
  of: { readonly match: string; readonly alias: string; readonly keys: readonly string[] },
): Section[] {
  if (redact.length === 0) return [];
  const { match, alias, keys } = of;
  const script = { name: "lua", match, alias, script: `${folder}/${REDACT_FILE}`, call: "redact" };
  return [script, keysInOrder(match, keys)];
}

/** What asks for the pod's labels or the level of a line, and what comes after that. */
export function recordFilters({ processing }: Pick<LogPipeline, "processing">, folder: string): Section[] {
  const late = processing.thin.filter(needsRecord);
  return [
    ...thinFilters(late, "drop_records"),
    ...(late.length === 0 ? [] : limitFilters(processing, folder)),
    ...fieldFilters(processing, "kube.*"),
  ];
}

function needsRecord({ labels, levels }: Thinning): boolean {
  return labels !== undefined || levels !== undefined;
}

/** Marks what a rule drops, which asks for all of its conditions, and drops what is marked. */
function thinFilters(rules: readonly Thinning[], alias: string): Section[] {
  if (rules.length === 0) return [];
  return [
    ...rules.flatMap((rule) =>
      conditions({ ...rule, namespaces: undefined }, lineConditions(rule)).map((condition) => ({
        name: "modify",
        ...namespaceMatch([rule.namespaces]),
        ...(condition.length === 0 ? {} : { condition }),
        set: `${DROPPED} yes`,
      })),
    ),
    // Its metric counts the lines.
    { name: "grep", match: "kube.*", alias, exclude: `${DROPPED} ^yes$` },
  ];
}

function lineConditions({ pattern, kept }: Thinning): string[] {
  return [
    ...(pattern === undefined ? [] : [`key_value_matches log ${patternText(pattern, "onigmo")}`]),
    // By the microseconds of its time: the same lines are kept when they are read again, and all that have none.
    ...(kept === 0 ? [] : [`key_value_matches time ${droppedTimes(kept)}`]),
  ];
}

function limitFilters({ limit }: LogPipeline["processing"], folder: string): Section[] {
  return limit.map(({ namespaces }, at) => ({
    name: "lua",
    ...namespaceMatch([namespaces]),
    alias: `limit_${at}`,
    script: `${folder}/${limitFile(at)}`,
    call: "limit",
  }));
}

/** Adds the fields of the settings to each record. */
export function fieldFilters({ fields }: Pick<LogPipeline["processing"], "fields">, match: string): Section[] {
  const record = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return record.length === 0 ? [] : [{ name: "record_modifier", match, record }];
}
