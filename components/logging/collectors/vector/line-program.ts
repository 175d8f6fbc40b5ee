import { patternText } from "../../processing/pattern-text.ts";
import type { Processing } from "../../processing/processing.ts";
import { bareTextConditions, type RedactionRule, type Replacement } from "../../processing/redaction.ts";
import { LEVEL_KEYS, LEVELS, type Selection } from "../../routing/routes.ts";
import type { Options } from "../collector.ts";

/** Statements that mask the line before it is parsed, so that parsed fields are masked too. */
export function redactProgram({ redact }: Processing): string {
  return redact
    .map((rule) => {
      if (rule.bare !== undefined) return bareStatement(rule.pattern, rule.bare);
      if (rule.luhn) return cardStatement(rule);
      return `line = replace(line, ${regex(rule.pattern)}, ${template(rule.replacement)})\n`;
    })
    .join("");
}

/** For JSON: a masked number becomes a string. */
function bareStatement(pattern: RedactionRule["pattern"], bare: readonly string[]): string {
  const conditions = bareTextConditions(bare).map((condition) => `match(line, ${regex(condition)})`);
  return `if ${conditions.join(" && ")} {
  line = replace_with(line, ${regex(pattern)}) -> |found| {
    bare = string(found.captures[1]) ?? ""
    if bare == "" { string(found.captures[0]) ?? "" } else { "\\"" + bare + "\\"" }
  }
}
`;
}

/** Sums the digits of each match from the right, every second one doubled. */
function cardStatement({ pattern, replacement }: RedactionRule): string {
  const masked = replacement
    .map((part) => (typeof part === "string" ? literal(part) : `(string(found.captures[${part - 1}]) ?? "")`))
    .join(" + ");
  return `line = replace_with(line, ${regex(pattern)}) -> |found| {
  digits = replace(string(found.captures[1]) ?? "", r'[^0-9]', "")
  count = length(digits)
  sum = 0
  for_each(split(digits, "")) -> |at, digit| {
    value = to_int(digit) ?? 0
    if mod(count - at, 2) == 1 { value = value * 2 }
    if value > 9 { value = value - 9 }
    sum = sum + value
  }
  if mod(sum, 10) == 0 { ${masked} } else { found.string }
}
`;
}

/** Statements that drop records; samples go by the microseconds of a record's time, so that the same lines are kept when read again. */
export function thinProgram({ thin }: Processing): string {
  if (thin.length === 0) return "";
  const rules = thin.map(({ pattern, kept, ...selection }) => {
    const all = [
      ...conditions(selection, "labels"),
      ...(pattern === undefined ? [] : [`match(line, ${regex(pattern)})`]),
      ...(kept === 0 ? [] : [`mod(to_unix_timestamp(time, unit: "microseconds"), 1000) >= ${kept}`]),
    ];
    return `if ${all.join(" && ")} { abort }\n`;
  });
  return `${beforeConditions(thin)}${rules.join("")}`;
}

/** Statements that add fields. */
export function fieldsProgram({ fields }: Processing): string {
  return Object.entries(fields)
    .map(([name, value]) => `.${name} = ${JSON.stringify(value)}\n`)
    .join("");
}

/**
 * Transforms that drop lines beyond the limits of pods, one after another. They count by time of arrival, not of writing.
 * @param last Name of the last transform.
 * @see https://vector.dev/docs/reference/configuration/transforms/throttle/
 */
export function limits({ limit }: Processing, from: string, last: string): Readonly<Record<string, Options>> {
  const name = (index: number) => (index === limit.length - 1 ? last : `limit-${index}`);
  return Object.fromEntries(
    limit.map(({ namespaces, linesPerSecond }, index) => [
      name(index),
      {
        type: "throttle",
        inputs: [index === 0 ? from : name(index - 1)],
        key_field: "{{ kubernetes.namespace_name }}/{{ kubernetes.pod_name }}",
        threshold: linesPerSecond,
        window_secs: 1,
        ...(namespaces && {
          exclude: { type: "vrl", source: `!includes(${JSON.stringify(namespaces)}, .kubernetes.namespace_name)` },
        }),
      },
    ]),
  );
}

/** Condition for the first line of a record. @param otherwise Condition for lines to which no pattern of the settings applies. */
export function firstLine({ firstLines }: Processing, otherwise: string): string {
  return firstLines.reduceRight((rest, { namespaces, pattern }) => {
    const first = `match(string(.message) ?? "", ${regex(pattern)})`;
    if (namespaces === undefined) return first;
    return `if match(string(.file) ?? "", r'/(${namespaces.join("|")})_[^/]+/[^/]+/[^/]+$') { ${first} } else { ${rest} }`;
  }, otherwise);
}

function regex(pattern: RedactionRule["pattern"]): string {
  return `r'${patternText(pattern, "rust")}'`;
}

function template(replacement: Replacement): string {
  return literal(replacement.map((part) => (typeof part === "string" ? part : `\${${part}}`)).join(""));
}

/**
 * A VRL string, in which `{{name}}` would be a variable. Before VRL parses it, Vector replaces `SECRET[store.name]` in the whole file with
 * a secret.
 * @see https://vector.dev/docs/reference/vrl/expressions/#string
 */
function literal(text: string): string {
  return JSON.stringify(text)
    .replaceAll(/\{(?=\{)/g, "\\{")
    .replaceAll("SECRET[", "SECRET\\u{5b}");
}

/** Sets `word` to a line's level: that of the first key that exists. */
const LEVEL = `word = ${LEVEL_KEYS.map((key) => `if exists(.fields.${key}) { .fields.${key} }`).join(" else ")} else { "" }
word = downcase(string(word) ?? "")
`;

/** VRL condition for records that match a route; undefined if all lines do. */
export function routeCondition(selections: readonly Selection[]): string | undefined {
  if (selections.length === 0) return undefined;
  return `${beforeConditions(selections)}${selections.map((selection) => `(${conditions(selection, "%labels").join(" && ")})`).join(" || ")}`;
}

/** Statements that these selections' conditions need before them. */
function beforeConditions(selections: readonly Selection[]): string {
  return selections.some(({ levels }) => levels !== undefined) ? LEVEL : "";
}

/** Conditions on a record, in VRL. @param labels Path of the pod's labels. */
function conditions({ namespaces, labels = {}, streams, levels }: Selection, labelsPath: string): string[] {
  const isOne = (values: readonly string[], path: string) => `includes(${JSON.stringify(values)}, ${path})`;
  const words = levels?.flatMap((level) => LEVELS[level]);
  return [
    ...(namespaces === undefined ? [] : [isOne(namespaces, ".kubernetes.namespace_name")]),
    ...Object.entries(labels).map(([key, value]) => `${labelsPath}.${JSON.stringify(key)} == ${JSON.stringify(value)}`),
    ...(streams === undefined ? [] : [isOne(streams, ".stream")]),
    ...(words === undefined ? [] : [isOne(words, "word")]),
  ];
}
