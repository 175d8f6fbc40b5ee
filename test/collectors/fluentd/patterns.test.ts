import assert from "node:assert/strict";
import { parsePattern } from "../../../components/logging/processing/pattern.ts";
import { type Dialect, patternText } from "../../../components/logging/processing/pattern-text.ts";
import { needsRuby, runRuby } from "./ruby.ts";

/** What Ruby reads otherwise than ECMAScript where it is written alike: anchors, classes, cases, and what a class may hold. */
const PATTERNS = [
  "^a",
  "a$",
  "^.+$",
  "a.b",
  "\\ba",
  "a\\b",
  "\\b\\w+\\b",
  "\\d+",
  "\\D",
  "\\w+",
  "\\W",
  "\\s+",
  "\\S+",
  "[\\d.]+",
  "[^\\w]",
  "[^a]",
  "<[^<>]>",
  "[a&]+",
  "[\\[\\]]",
  "[:a]",
  "[\\^a-]",
  "(?i)strasse",
  "(?i)k",
  "(?i)[^k]",
  "a{2}",
  "a{1,2}?",
  "a??b",
  "(a|ab)(c|bcd)",
  "(?:a|b)+?c",
  "(a)?b",
  "é+",
  "𝄞{2}",
  "#\\{a\\}",
  "\\(\\?<n>a\\)",
  "\\\\A",
  "\\x41\\x0a",
];
const TEXTS = [
  "a",
  "b\na\nb",
  "a\n",
  "a\r\nb",
  "aab ab aaab b abcd abbc",
  "éa aé _a a_ a1 -a-",
  "٣ 3 ３",
  "straße STRASSE STRAßE strasse",
  "k K K [k]",
  "a\u00a0b\u2028c\u0085d\u000be\tf",
  "<a> <é> <𝄞> <𝄞𝄞> <>",
  "𝄞𝄞𝄞 éé",
  "a&&b&a [a] ^- :a",
  "#{a} (?<n>a) \\A A\n",
];

/** Each match in brackets, with its groups behind. */
const DRIVER = `require "json"
patterns, texts = JSON.parse(STDIN.read)
puts patterns.map { |pattern|
  regex = Regexp.new(pattern)
  texts.map { |text| text.gsub(regex) { |all| "{#{[all, *$~.captures.map(&:to_s)].join("|")}}" } }
}.to_json
`;

function inEcmascript(pattern: string): string[] {
  const regex = new RegExp(pattern, "g");
  return TEXTS.map((text) =>
    text.replace(regex, (...found: unknown[]) => {
      const groups = found.slice(
        1,
        found.findIndex((each) => typeof each === "number"),
      );
      return `{${[found[0], ...groups].map((group) => group ?? "").join("|")}}`;
    }),
  );
}

describe("Patterns in the Ruby of Fluentd", () => {
  before(needsRuby);

  it("match the same as in ECMAScript", () => {
    const written = (dialect: Dialect) => PATTERNS.map((pattern) => patternText(parsePattern(pattern), dialect));
    const printed = runRuby(() => DRIVER, { input: JSON.stringify([written("onigmo"), TEXTS]) });
    const found: string[][] = JSON.parse(printed);
    const expected = written("ecmascript").map(inEcmascript);
    assert.deepEqual(
      PATTERNS.map((pattern, at) => [pattern, found[at]]),
      PATTERNS.map((pattern, at) => [pattern, expected[at]]),
    );
  });
});
