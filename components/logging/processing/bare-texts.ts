import { type PatternNode, parsePattern } from "./pattern.ts";

/** The text before JSON. */
const BEFORE = '^[ \\t]*[^"{\\[ \\t][^"{]*';
/**
 * A text of JSON or, of one that was cut off, all up to the end: an engine would look for its end from each quotation mark in it anew.
 */
const TEXT = '"[^"\\\\]*(?:\\\\(?:.|\\n)[^"\\\\]*)*\\\\?(?:"|$)';
/** What may be left of a number before and behind the part of it that was replaced; its sign may not. */
const [REST_BEFORE, REST_BEHIND] = ["(?:[0-9+.eE][0-9+.eE-]{0,39})?", "[0-9+.eE-]{0,40}"];
/**
 * A line that begins as an object of JSON, that begins and ends as a list, or that ends as an object whose beginning is behind other text:
 * more begin with what only looks so, as in `[info] …`.
 */
const JSON_LINE: PatternNode = parsePattern(
  [
    '^[ \\t]*(?:\\{|\\[\\s*(?:[\\["{0-9-]|true|false|null)(?:.|\\n)*\\]\\s*$)',
    '^[^"{]*\\{[ \\t]*"(?:.|\\n)*\\}\\s*$',
  ].join("|"),
);

/** Of the texts that rules write, those that are no JSON without quotation marks, the longest first. */
export function bareTexts(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter(isNoJson).sort((one, other) => other.length - one.length);
}

/** Finds each text of JSON and the text before JSON, its first group, and outside of them what replaces a number. */
export function bareTextPattern(bare: readonly string[]): PatternNode {
  return parsePattern(`(${BEFORE}|${TEXT})|-?(${REST_BEFORE}(?:${bare.map(literal).join("|")})${REST_BEHIND})`);
}

/** Which lines it is for: those that have one of the texts, which is found sooner, and are JSON. */
export function bareTextConditions(bare: readonly string[]): readonly [text: PatternNode, json: PatternNode] {
  return [parsePattern(bare.map(literal).join("|")), JSON_LINE];
}

/** Whether no JSON has the text outside of quotation marks, with no more than a part of a number before and behind it. */
function isNoJson(text: string): boolean {
  if (/["\\\p{Cc}]/u.test(text)) return false;
  const words = text.match(/[A-Za-z]+/g) ?? [];
  const isWord = (word: string) => ["true", "false", "null", "e", "E"].some((known) => known.includes(word));
  return /[^A-Za-z0-9+.,:{}[\] -]/.test(text) || words.some((word) => !isWord(word));
}

function literal(text: string): string {
  return text.replaceAll(/[!-/:-@[-`{-~ ]/g, "\\$&");
}
