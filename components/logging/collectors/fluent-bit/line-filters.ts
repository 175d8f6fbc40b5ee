import type { LogPipeline } from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import { droppedTimes, type Processing, type Thinning } from "../../processing/processing.ts";
import { LEVEL_KEYS, levelPattern, type Selection } from "../../routing/routes.ts";
import { ownSources } from "../../sources/source.ts";
import { readScript } from "../collector.ts";
import { luaRules } from "./lua-rules.ts";
import { CONFIG_FOLDER, type Section, tagOf } from "./service.ts";

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
export function redactScript(rules: Processing["redact"]): string {
  return `RULES = ${luaRules(rules)}\n${REDACT_SCRIPT}`;
}

/** The pipeline's scripts, by file name. */
export function processingScripts({ redact, limit }: Processing): Readonly<Record<string, string>> {
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
 * Filters that run while the record is only the line, which is cheap for a script, and before its JSON is parsed, so that its fields are
 * redacted too.
 */
export function lineFilters(processing: Processing): Section[] {
  const { thin } = processing;
  const late = thin.some(needsRecord);
  return [
    ...redactFilters(processing, "kube.*", "redact", ["time", "stream", "_p"]),
    ...thinFilters(
      thin.filter((rule) => !needsRecord(rule)),
      "drop_lines",
    ),
    ...(late ? [] : limitFilters(processing)),
  ];
}

/**
 * Masks secrets in `log`.
 * @param keys The other keys of a record at that stage, one of which may be missing.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/modify
 */
export function redactFilters(
  { redact }: Processing,
  match: string,
  alias: string,
  keys: readonly string[],
): Section[] {
  if (redact.length === 0) return [];
  return [
    { name: "lua", match, alias, script: `${CONFIG_FOLDER}/${REDACT_FILE}`, call: "redact" },
    // When Lua changes a record, the order of its keys differs with each start. An id that Fluent Bit derives from the record would then
    // differ for a line that is read again.
    { name: "modify", match, condition: `key_exists ${REDACTED}`, remove: REDACTED, move_to_end: [...keys, "log"] },
  ];
}

/** Filters that need the pod's labels or the line's level, and those that must follow them. */
export function recordFilters(processing: Processing): Section[] {
  const late = processing.thin.filter(needsRecord);
  return [
    ...thinFilters(late, "drop_records"),
    ...(late.length === 0 ? [] : limitFilters(processing)),
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
        condition: condition.length === 0 ? undefined : condition,
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

function limitFilters({ limit }: Processing): Section[] {
  return limit.map(({ namespaces }, index) => ({
    name: "lua",
    ...namespaceMatch([namespaces]),
    alias: `limit_${index}`,
    script: `${CONFIG_FOLDER}/${limitFile(index)}`,
    call: "limit",
  }));
}

/** Adds the fields from the settings to each record. */
export function fieldFilters({ fields }: Processing, match: string): Section[] {
  const record = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return record.length === 0 ? [] : [{ name: "record_modifier", match, record }];
}

/** Key of records that match a route. */
const ROUTED = "routed";

/** Matches the tags of some namespaces, at no cost per record. Undefined means all. */
export function namespaceMatch(namespaces: readonly (readonly string[] | undefined)[]): Section {
  const all = namespaces.some((names) => names === undefined) || namespaces.length === 0;
  if (all) return { match: "kube.*" };
  const names = [...new Set(namespaces.flatMap((list = []) => list))].sort();
  return { match_regex: `^kube\\.(${names.join("|")})_` };
}

/** Matches the tags of all lines that may go to a destination, including the journal's. */
export function tagMatch({ sources, selections }: Pick<LogPipeline, "sources" | "selections">): Section {
  const pods = namespaceMatch(selections.map(({ namespaces }) => namespaces));
  const otherSources = ownSources(sources);
  if (otherSources.length === 0) return pods;
  const parts = [
    ...(sources.includes("pods") ? [String(pods.match_regex ?? "^kube\\.").replace(/^\^/, "")] : []),
    `(${otherSources.map((source) => tagOf(source).replace(".", "\\.")).join("|")})$`,
  ];
  return { match_regex: `^(${parts.join("|")})` };
}

/** Drops pod lines that match no route, as far as the tag does not decide: a record that meets all conditions of a route is marked. */
export function routeFilters(selections: readonly Selection[]): Section[] {
  if (selections.every(({ labels, streams, levels }) => !labels && !streams && !levels)) return [];
  const every = { match: "kube.*" };
  return [
    ...selections.flatMap((selection) =>
      conditions(selection).map((condition) => ({ name: "modify", ...every, condition, set: `${ROUTED} yes` })),
    ),
    { name: "grep", ...every, regex: `${ROUTED} ^yes$` },
    { name: "modify", ...every, remove: ROUTED },
  ];
}

/**
 * Conditions of a selection, all of which must hold: one list for each key that may hold the line's level.
 * @param others Further conditions.
 */
function conditions(
  { namespaces, labels = {}, streams, levels }: Selection,
  others: readonly string[] = [],
): string[][] {
  const is = (key: string, values: readonly string[]) =>
    `key_value_matches ${key} ^(${values.map((value) => value.replaceAll(".", "\\.")).join("|")})$`;
  const common = [
    ...(namespaces === undefined ? [] : [is("$kubernetes['namespace_name']", namespaces)]),
    ...Object.entries(labels).map(([key, value]) => is(`$kubernetes['labels']['${key}']`, [value])),
    ...(streams === undefined ? [] : [is("$stream", streams)]),
    ...others,
  ];
  if (levels === undefined) return [common];
  const pattern = levelPattern(levels);
  return LEVEL_KEYS.map((key, index) => [
    ...common,
    `key_value_matches $fields['${key}'] \\A${pattern}\\z`,
    ...LEVEL_KEYS.slice(0, index).map((earlier) => `key_does_not_exist $fields['${earlier}']`),
  ]);
}
