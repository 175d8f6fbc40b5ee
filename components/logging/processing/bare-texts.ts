import { type PatternNode, parsePattern } from "./pattern.ts";

/** The text before JSON. */
const BEFORE = '^[ \\t]*[^"{\\[ \\t][^"{]*';
/** A JSON string, or a truncated one up to the end: else an engine would search for its end from each quotation mark in it. */
const TEXT = '"[^"\\\\]*(?:\\\\(?:.|\\n)[^"\\\\]*)*\\\\?(?:"|$)';
/** What may remain of a number before and after its replaced part; its sign may not. */
const [REST_BEFORE, REST_BEHIND] = ["(?:[0-9+.eE][0-9+.eE-]{0,39})?", "[0-9+.eE-]{0,40}"];
/**
 * A line that begins as a JSON object, that begins and ends as a JSON list, or that ends as an object after other text: other beginnings
 * only resemble JSON, as in `[info] …`.
 */
const JSON_LINE: PatternNode = parsePattern(
  [
    '^[ \\t]*(?:\\{|\\[\\s*(?:[\\["{0-9-]|true|false|null)(?:.|\\n)*\\]\\s*$)',
    '^[^"{]*\\{[ \\t]*"(?:.|\\n)*\\}\\s*$',
  ].join("|"),
);

/** The replacement texts that are not valid JSON without quotation marks, the longest first. */
export function bareTexts(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter(isNoJson).sort((one, other) => other.length - one.length);
}

/** Matches each JSON string and the text before JSON as group 1, and outside of them the mask of a number. */
export function bareTextPattern(bare: readonly string[]): PatternNode {
  return parsePattern(`(${BEFORE}|${TEXT})|-?(${REST_BEFORE}(?:${bare.map(literal).join("|")})${REST_BEHIND})`);
}

/** Conditions on a line: it contains one of the texts, which is checked first, and is JSON. */
export function bareTextConditions(bare: readonly string[]): readonly [text: PatternNode, json: PatternNode] {
  return [parsePattern(bare.map(literal).join("|")), JSON_LINE];
}

/** Whether a text cannot occur in JSON outside of quotation marks, with at most a part of a number before and after it. */
function isNoJson(text: string): boolean {
  if (/["\\\p{Cc}]/u.test(text)) return false;
  const words = text.match(/[A-Za-z]+/g) ?? [];
  const isWord = (word: string) => ["true", "false", "null", "e", "E"].some((known) => known.includes(word));
  return /[^A-Za-z0-9+.,:{}[\] -]/.test(text) || words.some((word) => !isWord(word));
}

function literal(text: string): string {
  return text.replaceAll(/[!-/:-@[-`{-~ ]/g, "\\$&");
}
