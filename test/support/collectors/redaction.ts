import { patternText } from "../../../components/logging/processing/pattern-text.ts";
import type { RedactionRule } from "../../../components/logging/processing/redaction.ts";

/** What rules make of a line: what every collector must make of it. */
export function redactedBy(rules: readonly RedactionRule[]): (line: string) => string {
  const compiled = rules.map((rule) => ({ ...rule, regex: new RegExp(patternText(rule.pattern, "ecmascript"), "g") }));
  return (line) =>
    compiled.reduce(
      (text, { regex, replacement, luhn, bare }) =>
        text.replace(regex, (all: string, ...groups: unknown[]) => {
          if (bare !== undefined) return text !== line && isJson(text) ? marked(groups) : all;
          if (luhn && !hasCheckDigit(String(groups[1]))) return all;
          return replacement.map((part) => (typeof part === "string" ? part : (groups[part - 1] ?? ""))).join("");
        }),
      line,
    );
}

/** As an object, a list from its beginning to its end, or an object up to its end behind other text. */
function isJson(text: string): boolean {
  return (
    /^[ \t]*\{/.test(text) ||
    (/^[ \t]*\[\s*(?:[["{0-9-]|true|false|null)/.test(text) && /\]\s*$/.test(text)) ||
    (/^[^"{]*\{[ \t]*"/.test(text) && /\}\s*$/.test(text))
  );
}

/** A text of JSON and the text before JSON, and what else is found with marks around it. */
function marked([text, bare]: readonly unknown[]): string {
  return typeof text === "string" ? text : `"${bare}"`;
}

/** @see https://en.wikipedia.org/wiki/Luhn_algorithm */
function hasCheckDigit(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, "")].map(Number).reverse();
  const doubled = digits.map((digit, at) => (at % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)));
  return doubled.reduce((sum, digit) => sum + digit, 0) % 10 === 0;
}
