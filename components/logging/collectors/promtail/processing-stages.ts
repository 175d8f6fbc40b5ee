import type { LogPipeline } from "../../pipeline.ts";
import type { PatternNode } from "../../processing/pattern.ts";
import { patternText, withoutGroups } from "../../processing/pattern-text.ts";
import { droppedTimes, type Processing, type Thinning } from "../../processing/processing.ts";
import { bareTextConditions, type RedactionRule } from "../../processing/redaction.ts";
import { LEVELS } from "../../routing/routes.ts";

/** A stage of Promtail's pipeline. @see https://grafana.com/docs/loki/latest/send-data/promtail/stages/ */
export type Stage = Readonly<Record<string, object>>;

/** Stream label by which a limit counts: pods in several namespaces may have the same name. */
export const POD_LABEL = "limit_pod";
/** Prefix of the stream labels that rules use. */
const RULE_LABEL = "rule_label_";
/** Key with a JSON line's level, for the drop stage. */
const LEVEL = "level_of_line";
/** Maximum pods that are counted. Promtail raises lower values to this. */
const MAX_PODS = 10_000;

/** Joins lines: by the first rule for a namespace, elsewhere as traces. @param traces Matches lines that do not continue a trace. */
export function joinStages({ firstLines }: Processing, traces: string | undefined): Stage[] {
  const stages: Stage[] = [];
  const taken: string[] = [];
  const join = (firstline: string, selectors: readonly string[]) =>
    stages.push(within(selectors, [{ multiline: { firstline, max_wait_time: "1s", max_lines: 1000 } }]));
  const others = () => (taken.length === 0 ? [] : [without(taken)]);
  for (const { namespaces, pattern } of firstLines) {
    const remaining = namespaces?.filter((name) => !taken.includes(name));
    if (remaining?.length === 0) continue;
    join(patternText(pattern, "re2"), remaining === undefined ? others() : [among("namespace", remaining)]);
    if (remaining === undefined) return stages;
    taken.push(...remaining);
  }
  if (traces !== undefined) join(traces, others());
  return stages;
}

/** Processing of a record before it is written: first masks, then rules that drop lines. */
export function processingStages({ redact, thin, limit }: Processing): Stage[] {
  const level: Stage = { template: { source: LEVEL, template: LEVEL_TEMPLATE } };
  return [
    ...redact.map(replaceStage).filter((stage) => stage !== undefined),
    ...(thin.some(({ levels }) => levels !== undefined) ? [level] : []),
    ...thin.map(thinStage),
    ...limit.map(
      ({ namespaces, linesPerSecond: rate }): Stage =>
        within(namespaces === undefined ? [] : [among("namespace", namespaces)], [
          { limit: { rate, burst: rate, drop: true, by_label_name: POD_LABEL, max_distinct_labels: MAX_PODS } },
        ]),
    ),
  ];
}

/** The first replacement that Promtail does not support, as it replaces each group of a match with the same text; undefined if none. */
export function unsupportedReplacement({ redact }: Processing): string | undefined {
  const unsupported = redact.find((rule) => replaceStage(rule) === undefined);
  return unsupported?.replacement
    .slice(1)
    .map((part) => (typeof part === "string" ? part : `$${part - 1}`))
    .join("");
}

/** Kept groups come first, and the rest is the only group that is replaced. */
function replaceStage({ pattern, replacement, luhn, bare }: RedactionRule): Stage | undefined {
  if (bare !== undefined) return bareStage(pattern, bare);
  const last = replacement.at(-1);
  const [text, kept] = typeof last === "string" ? [last, replacement.slice(0, -1)] : ["", replacement];
  const parts = pattern.kind === "sequence" ? pattern.parts : [pattern];
  const stay = parts.slice(0, kept.length);
  if (kept.some((part, index) => part !== index + 1)) return undefined;
  if (stay.length < kept.length || stay.some(({ kind }) => kind !== "group")) return undefined;
  const secret: PatternNode = { kind: "sequence", parts: parts.slice(kept.length).map(withoutGroups) };
  const before = stay.map((part) => `(?:${patternText(withoutGroups(part), "re2")})`).join("");
  const mask = literal(text);
  return {
    replace: {
      expression: `${before}(${patternText(secret, "re2")})`,
      replace: luhn ? `${CHECK_DIGIT}{{ if eq $rest 0 }}${mask}{{ else }}{{ .Value }}{{ end }}` : mask,
    },
  };
}

/** For JSON: a masked number becomes a string, and other matches stay. */
function bareStage(pattern: PatternNode, bare: readonly string[]): Stage {
  const [text, json] = bareTextConditions(bare).map((condition) => patternText(condition, "re2"));
  const isBare = `regexMatch \`^[0-9+.eE-]*(?:${text})[0-9+.eE-]*$\` .Value`;
  const replace = `{{ if ${isBare} }}"{{ trimPrefix "-" .Value }}"{{ else }}{{ .Value }}{{ end }}`;
  const stage = { replace: { expression: `(${patternText(withoutGroups(pattern), "re2")})`, replace } };
  return within([], [within([], [stage], json)], text);
}

/** Sets `$rest` to 0 for a number with a valid check digit. @see https://en.wikipedia.org/wiki/Luhn_algorithm */
const CHECK_DIGIT = [
  '{{ $digits := splitList "" (regexReplaceAll "[^0-9]" .Value "") }}{{ $length := len $digits }}{{ $sum := 0 }}',
  "{{ range $at, $digit := $digits }}{{ $value := mul (atoi $digit) (sub 2 (mod (sub $length $at) 2)) }}",
  "{{ $sum = add $sum (div $value 10) (mod $value 10) }}{{ end }}{{ $rest := int (mod $sum 10) }}",
].join("");

/** A JSON line's level, in lower case: that of the first key that exists. */
const LEVEL_TEMPLATE = [
  '{{ if hasPrefix "{" .Entry }}{{ $line := fromJson .Entry }}{{ if kindIs "map" $line }}',
  '{{ $word := get $line "severity" }}{{ if hasKey $line "level" }}{{ $word = get $line "level" }}{{ end }}',
  '{{ if kindIs "string" $word }}{{ lower $word }}{{ end }}{{ end }}{{ end }}',
].join("");

/** Literal text in a template, where two braces are special. */
function literal(text: string): string {
  return text.replaceAll("{{", '{{ "{{" }}');
}

function thinStage({ namespaces, labels = {}, levels, streams, pattern, kept }: Thinning): Stage {
  const selectors = [
    ...(namespaces === undefined ? [] : [among("namespace", namespaces)]),
    ...(streams === undefined ? [] : [among("stream", streams)]),
    ...Object.entries(labels).map(([key, value]) => among(ruleLabel(key), [value])),
  ];
  const conditions = [
    ...(levels === undefined
      ? []
      : [{ source: LEVEL, expression: `^(${levels.flatMap((level) => LEVELS[level]).join("|")})$` }]),
    // By the microseconds of the line's time: the same lines are kept when they are read again.
    ...(kept === 0 ? [] : [{ source: "time", expression: droppedTimes(kept) }]),
  ];
  const line = pattern === undefined ? undefined : patternText(pattern, "re2");
  const [first, second] = conditions;
  if (first === undefined) return within(selectors, [{ drop: line === undefined ? ALL : { expression: line } }]);
  return within(selectors, [{ drop: second === undefined ? first : both(first, second) }], line);
}

/** Matches each line, since each has a time. */
const ALL = { source: "time" };

interface Condition {
  readonly source: string;
  readonly expression: string;
}

/** One condition on two values, which Promtail joins with a separator. */
function both(one: Condition, other: Condition): object {
  const inner = ({ expression }: Condition) => expression.replace(/^\^/, "").replace(/\$$/, "");
  return { source: [one.source, other.source], separator: " ", expression: `^${inner(one)} .*${inner(other)}` };
}

/** Name of the stream label for a pod label in a rule. */
export function ruleLabel(key: string): string {
  return `${RULE_LABEL}${key.replaceAll(/[^a-zA-Z0-9_]/g, "_")}`;
}

/** Stages for some streams. @param line Pattern that a line must match. */
function within(selectors: readonly string[], stages: readonly Stage[], line?: string): Stage {
  const [only] = stages;
  if (selectors.length === 0 && line === undefined && stages.length === 1 && only !== undefined) return only;
  const filter = line === undefined ? "" : ` |~ ${JSON.stringify(line)}`;
  return { match: { selector: `{${['job!=""', ...selectors].join(", ")}}${filter}`, stages } };
}

function among(label: string, values: readonly string[]): string {
  return `${label}=~"${values.map(quoted).join("|")}"`;
}

function without(namespaces: readonly string[]): string {
  return `namespace!~"${namespaces.map(quoted).join("|")}"`;
}

/** Label names and values contain no other special character of regular expressions. */
function quoted(value: string): string {
  return value.replaceAll(".", "[.]");
}

/** Pod labels that rules use. */
export function ruleLabels({ processing }: Pick<LogPipeline, "processing">): string[] {
  return [...new Set(processing.thin.flatMap(({ labels = {} }) => Object.keys(labels)))].sort();
}
