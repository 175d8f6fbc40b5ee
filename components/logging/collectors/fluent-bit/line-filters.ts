import type { LogPipeline } from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import { droppedTimes, type Thinning } from "../../processing/processing.ts";
import { readScript } from "../scripts.ts";
import { luaRules } from "./lua-rules.ts";
import { conditions, namespaceMatch } from "./selection.ts";
import type { Section } from "./service.ts";

const REDACT_SCRIPT = ["expression.lua", "redact.lua"].map((name) => readScript(import.meta.url, name)).join("\n");
const LIMIT_SCRIPT = readScript(import.meta.url, "limit.lua");
/** Files in the configuration folder. */
const REDACT_FILE = "redact.lua";
const limitFile = (index: number) => `limit-${index}.lua`;
/** Key that `redact.lua` adds to records that it changes. */
const REDACTED = "redacted";
/** Key of records that a rule drops. */
const DROPPED = "dropped";

/** The script for some redaction rules. */
export function redactScript(rules: LogPipeline["processing"]["redact"]): string {
  return `RULES = ${luaRules(rules)}\n${REDACT_SCRIPT}`;
}

/** The pipeline's scripts, by file name. */
export function processingScripts({
  processing: { redact, limit },
}: Pick<LogPipeline, "processing">): Readonly<Record<string, string>> {
  return {
    ...(redact.length === 0 ? {} : { [REDACT_FILE]: redactScript(redact) }),
    ...Object.fromEntries(
      limit.map(({ linesPerSecond }, index) => [
        limitFile(index),
        `LINES_PER_SECOND = ${linesPerSecond}\n${LIMIT_SCRIPT}`,
      ]),
    ),
  };
}

/**
 * When Lua changes a record, the order of its keys differs with each start. An id that Fluent Bit derives from the record would then differ
 * for a line that is read again.
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
 * Filters that run while the record is only the line, which is cheap for a script, and before its JSON is parsed, so that its fields are
 * redacted too.
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

/** Masks secrets in `log`. @param of Lines to match, and the other keys of a record at that stage, one of which may be missing. */
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

/** Filters that need the pod's labels or the line's level, and those that must follow them. */
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

/** Marks records that meet all conditions of a rule, and drops marked records. */
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
    // Its metric counts the dropped lines.
    { name: "grep", match: "kube.*", alias, exclude: `${DROPPED} ^yes$` },
  ];
}

function lineConditions({ pattern, kept }: Thinning): string[] {
  return [
    ...(pattern === undefined ? [] : [`key_value_matches log ${patternText(pattern, "onigmo")}`]),
    // By the time's microseconds: the same lines are kept when they are read again, and all without a time.
    ...(kept === 0 ? [] : [`key_value_matches time ${droppedTimes(kept)}`]),
  ];
}

function limitFilters({ limit }: LogPipeline["processing"], folder: string): Section[] {
  return limit.map(({ namespaces }, index) => ({
    name: "lua",
    ...namespaceMatch([namespaces]),
    alias: `limit_${index}`,
    script: `${folder}/${limitFile(index)}`,
    call: "limit",
  }));
}

/** Adds the fields from the settings to each record. */
export function fieldFilters({ fields }: Pick<LogPipeline["processing"], "fields">, match: string): Section[] {
  const record = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return record.length === 0 ? [] : [{ name: "record_modifier", match, record }];
}
