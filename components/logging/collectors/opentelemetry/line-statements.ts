import type { LogPipeline } from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import type { Processing, Thinning } from "../../processing/processing.ts";
import { bareTextConditions, type RedactionRule, type Replacement } from "../../processing/redaction.ts";
import { LEVEL_KEYS, levelPattern, type Selection, type TeamPlace } from "../../routing/routes.ts";
import type { Options } from "../collector.ts";

/** Replaces all matches of a regular expression, in Go's syntax. */
interface Step {
  readonly regex: string;
  readonly replacement: string;
  /** Precondition on the text: it contains a mark, or matches all these expressions. Default: none. */
  readonly needs?: { readonly mark: string } | { readonly expressions: readonly string[] };
}

/**
 * Private-use characters around a number during the check of its check digit: begin, end, end of the copy, a digit that counts double, one
 * that counts once, and a unit of the sum.
 */
const [BEGIN, END, COPIED, DOUBLE, SINGLE, ONE] = ["\ue000", "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"] as const;
/** Marks around what becomes a JSON string; pairs of marks, which no line contains. */
const [OPEN, CLOSE] = [`${END}${BEGIN}`, `${BEGIN}${END}`] as const;
/** Maximum and minimum digits of a card number. */
const [MAX_DIGITS, MIN_DIGITS] = [19, 13] as const;

/**
 * Masks lines of files while they are text, before their JSON is parsed, so that its fields are redacted too.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/stanza/docs/operators/regex_replace.md
 */
export function redactOperators({ processing }: LogPipeline): Options[] {
  return processing.redact.flatMap(steps).map(({ regex, replacement, needs }) => ({
    type: "regex_replace",
    field: "body",
    regex,
    replace_with: replacement,
    if: needs && condition(needs),
  }));
}

/** In the syntax of operator expressions. */
function condition(needs: NonNullable<Step["needs"]>): string {
  if ("mark" in needs) return `body contains ${text(needs.mark)}`;
  return needs.expressions.map((regex) => `body matches ${text(regex)}`).join(" and ");
}

const ATTRIBUTES = 'log.cache["attributes"]';
const BY_OTLP = 'log.attributes["log.file.name"] == nil';

/** Masks what applications send by OTLP: the body, and the attributes as JSON, which replaces them if something was masked. */
export function redactStatements({ processing, source }: LogPipeline): string[] {
  if (processing.redact.length === 0 || source.kind === "application") return [];
  return [
    `set(log.body, String(log.body)) where ${BY_OTLP} and not IsString(log.body)`,
    `set(${ATTRIBUTES}, String(log.attributes)) where ${BY_OTLP} and Len(log.attributes) > 0`,
    ...processing.redact
      .flatMap(steps)
      .flatMap((step) => [
        replaceStatement(step, "log.body", BY_OTLP),
        replaceStatement(step, ATTRIBUTES, `${BY_OTLP} and ${ATTRIBUTES} != nil`),
      ]),
    `set(log.attributes, ParseJSON(${ATTRIBUTES})) where ${BY_OTLP} and ${ATTRIBUTES} != nil and ${ATTRIBUTES} != String(log.attributes)`,
  ];
}

/** Masks a text of the record. @param path Its path in OTTL. */
export function replaceStatements({ redact }: Processing, path: string): string[] {
  return redact.flatMap(steps).map((step) => replaceStatement(step, path));
}

/** @param where A condition. Default: none. */
function replaceStatement({ regex, replacement, needs }: Step, path: string, where?: string): string {
  const expressions = needs !== undefined && "expressions" in needs ? needs.expressions : [];
  const conditions = [
    ...(where === undefined ? [] : [where]),
    ...expressions.map((expression) => `IsMatch(${path}, ${text(expression)})`),
  ];
  const replace = `replace_pattern(${path}, ${text(regex)}, ${text(replacement)})`;
  return conditions.length === 0 ? replace : `${replace} where ${conditions.join(" and ")}`;
}

function steps({ pattern, replacement, luhn, bare }: RedactionRule): Step[] {
  const regex = patternText(pattern, "re2");
  if (bare !== undefined) return bareSteps(regex, bare);
  if (!luhn) return [{ regex, replacement: template(replacement) }];
  return [
    { regex, replacement: template([1, BEGIN, 2, END]) },
    ...cardSteps(template(replacement.filter((part) => typeof part === "string"))),
  ];
}

/**
 * For JSON: a masked number becomes a string. The replacement is the same for each match, so strings get marks too, with nothing in
 * between, and lose them again.
 */
function bareSteps(regex: string, bare: readonly string[]): Step[] {
  const expressions = bareTextConditions(bare).map((pattern) => patternText(pattern, "re2"));
  return [
    { regex, replacement: template([1, OPEN, 2, CLOSE]), needs: { expressions } },
    { regex: OPEN + CLOSE, replacement: "", needs: { mark: OPEN } },
    { regex: `${OPEN}|${CLOSE}`, replacement: '"', needs: { mark: OPEN } },
  ];
}

/** In configurations `$` begins a variable; `$$` is a literal `$`. */
function template(replacement: Replacement): string {
  return replacement.map((part) => (typeof part === "string" ? part : `$\${${part}}`)).join("");
}

/**
 * Masks the marked numbers with a valid Luhn check digit, without arithmetic, which replacements lack: in a copy, each digit with a mark
 * before it becomes as many characters as the digit counts.
 */
function cardSteps(masked: string): Step[] {
  const digit = "([0-9])[ \\x2d]?";
  let optional = "";
  for (let at = MIN_DIGITS; at < MAX_DIGITS; at += 1) optional = `(?:${optional}${digit})?`;
  const number = `${optional}${digit.repeat(MIN_DIGITS - 1)}([0-9])`;
  const copy = Array.from({ length: MAX_DIGITS }, (_, index) => [
    (MAX_DIGITS - index) % 2 === 0 ? DOUBLE : SINGLE,
    index + 2,
  ]).flat();
  const counts = Array.from({ length: 9 }, (_, index) => index + 1).map((count) => {
    const doubled = Array.from({ length: 10 }, (_, value) => value).find(
      (value) => (value > 4 ? 2 * value - 9 : 2 * value) === count,
    );
    return { regex: `${DOUBLE}${doubled}|${SINGLE}${count}`, replacement: ONE.repeat(count) };
  });
  return [
    { regex: `${BEGIN}(${number})${END}`, replacement: template([BEGIN, 1, END, ...copy, COPIED]) },
    ...counts,
    { regex: `[${DOUBLE}${SINGLE}]0?`, replacement: "" },
    { regex: `${BEGIN}[^${END}]*${END}(?:${ONE}{10})*${COPIED}`, replacement: masked },
    { regex: `${BEGIN}([^${END}]*)${END}${ONE}*${COPIED}`, replacement: template([1]) },
  ].map((step) => ({ ...step, needs: { mark: BEGIN } }));
}

/** Prefix of the resource attributes with a pod's labels. */
export const LABEL = "label/";

/** The path of a resource attribute. */
export function resource(name: string): string {
  return `resource.attributes["${name}"]`;
}

/** A string literal. */
export function text(value: string): string {
  return JSON.stringify(value);
}

/**
 * OTTL condition for records that match a route; undefined if all lines do. The record is the body.
 * @param place Restricts it to the lines of this place. Default: all.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/ottl/LANGUAGE.md
 */
export function routeCondition(selections: readonly Selection[], place?: TeamPlace): string | undefined {
  const parts = [
    ...(selections.length === 0 ? [] : [any(selections.map((selection) => all(conditions(selection))))]),
    ...(place === undefined ? [] : [isAt(place)]),
  ];
  return parts.length === 0 ? undefined : all(parts);
}

function isAt({ team, namespaces }: TeamPlace): string {
  const ofTeam = is(resource("k8s.namespace.name"), namespaces);
  return team === undefined ? `not (${ofTeam})` : ofTeam;
}

function is(path: string, values: readonly string[]): string {
  return any(values.map((value) => `${path} == ${text(value)}`));
}

function conditions({ namespaces, labels = {}, streams, levels }: Selection): string[] {
  return [
    ...(namespaces === undefined ? [] : [is(resource("k8s.namespace.name"), namespaces)]),
    ...Object.entries(labels).map(([key, value]) => is(resource(LABEL + key), [value])),
    ...(streams === undefined ? [] : [is('log.body["stream"]', streams)]),
    ...(levels === undefined ? [] : [hasLevel(levels)]),
  ];
}

/** The first key that exists counts. OTLP from applications without one of the keys has its own severity. */
function hasLevel(levels: NonNullable<Selection["levels"]>): string {
  const pattern = text(`^${levelPattern(levels)}$`);
  const fields = 'log.body["fields"]';
  const has = (key: string) => `ContainsValue(Keys(${fields}), ${text(key)})`;
  const inFields = LEVEL_KEYS.map((key, index) => {
    const path = `${fields}[${text(key)}]`;
    const none = LEVEL_KEYS.slice(0, index).map((earlier) => `not ${has(earlier)}`);
    return all([...none, `IsString(${path})`, `IsMatch(${path}, ${pattern})`]);
  });
  const absent = any([`${fields} == nil`, all(LEVEL_KEYS.map((key) => `not ${has(key)}`))]);
  return any([all([`${fields} != nil`, any(inFields)]), all([absent, `IsMatch(log.severity_text, ${pattern})`])]);
}

/** Conditions are evaluated from left to right, and only as far as needed: an error in one would count as false. */
function all(parts: readonly string[]): string {
  return joined(parts, " and ");
}

function any(parts: readonly string[]): string {
  return joined(parts, " or ");
}

function joined(parts: readonly string[], word: string): string {
  return parts.length === 1 ? (parts[0] ?? "") : `(${parts.join(word)})`;
}

/** Decides in thousandths whether a line is kept, from -999 to 999: the same for a line that is read again. */
const HASH = 'FNV(Concat([log.time_unix_nano, log.body["log"]], " "))';
const REST = `${HASH} - ${HASH} / 1000 * 1000`;

/** Begins with a dot, unlike destination names. */
const THINNING = "filter/.processing";

/** Drops records, which are the bodies. @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/filterprocessor */
export function thinningFilter({ thin }: Processing): Readonly<Record<string, Options>> {
  if (thin.length === 0) return {};
  return { [THINNING]: { error_mode: "ignore", log_conditions: thin.map(thinningCondition) } };
}

function thinningCondition({ pattern, kept, ...selection }: Thinning): string {
  const isSelected = Object.values(selection).some((value) => value !== undefined);
  const conditions = [
    ...(isSelected ? [routeCondition([selection]) ?? "true"] : []),
    ...(pattern === undefined ? [] : [`IsMatch(log.body["log"], ${text(patternText(pattern, "re2"))})`]),
    ...(kept === 0 ? [] : [`(${REST} >= ${kept} or ${REST} <= -${kept})`]),
  ];
  return conditions.join(" and ");
}
