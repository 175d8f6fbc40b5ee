import assert from "node:assert/strict";
import { PatternError, parsePattern } from "../../../../components/logging/processing/pattern.ts";
import { refuseRisk } from "../../../../components/logging/processing/pattern-risk.ts";
import { type Dialect, patternText } from "../../../../components/logging/processing/pattern-text.ts";
import { REDACTION_KINDS, redactionRules } from "../../../../components/logging/processing/redaction.ts";
import { cpuTime } from "../../../support/cpu-time.ts";

const DIALECTS: readonly Dialect[] = ["re2", "rust", "onigmo", "ecmascript"];

function problem(text: string): string | undefined {
  try {
    refuseRisk(parsePattern(text));
    return undefined;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return error.message;
  }
}

describe("A pattern for all collectors", () => {
  for (const text of [
    "GET /health",
    "^\\d{4}-\\d\\d-\\d\\d",
    "\\bcust-\\d{6}\\b",
    "(?i)(password=)\\S+",
    "user=[^ ]+ .*",
    "\\b[\\w-]{1,64}@corp",
    "id=\\w+ \\w+;",
    "(?:\\d{1,3}\\.){3}\\d{1,3}",
    "x[\\]\\-\\x41-Z]+$",
    "é+",
  ])
    it(`takes ${text}`, () => assert.equal(problem(text), undefined));

  for (const [text, message] of [
    ["a(?=b)", /a group other than \(…\) and \(\?:…\) at character 4/],
    ["(?<!a)b", /a group other than/],
    ["(?<name>a)", /a group other than/],
    ["(a)\\1", /\\1 at character 5/],
    ["\\p{L}", /\\p at character 2/],
    ["a++", /two quantifiers in a row/],
    ["a{,3}", /a brace that is neither/],
    ["(a", /a group that is not closed/],
    ["a)", /a closing parenthesis/],
    ["[a", /a class that is not closed/],
    ["[[:alpha:]]", /\[ in a class/],
    ["[a&&b]", /& in a class/],
    ["[z-a]", /a range in a class/],
    ["*a", /a quantifier \(\*\) without a character/],
    ["a{1,2000}", /a quantifier that is not in order or over 1000/],
    ["a{0}", /a quantifier that is not in order or over 1000/],
    ["(?i)é", /beyond ASCII/],
    ["(a+)+b", /a quantifier within another/],
    ["(?:a{1,3}){1,9}b", /a quantifier within another/],
    ["(?:a+b?)+c", /a quantifier within another/],
    ["(a*)*b", /a quantifier after something that can be empty/],
    ["(?:a|a)*b", /alternatives that begin alike/],
    ["(?:a|ab)*c", /alternatives that begin alike/],
    ["x.*a.*b", /two long repetitions that can share/],
    ["x\\d+\\d+x", /two long repetitions that can share/],
    ["x\\d+(?:a?\\d+)x", /two long repetitions that can share/],
    ["\\w+@corp", /a long repetition at its beginning/],
    ["(a|\\w+)@corp", /a long repetition at its beginning/],
    ["(?:(?:a{50}){50}){2}", /more than 2000 steps/],
  ] as const)
    it(`refuses ${text}`, () => assert.match(problem(text) ?? "", message));

  it("is written without characters that a configuration could interpret", () => {
    for (const { pattern } of redactionRules([
      ...REDACTION_KINDS,
      { pattern: "\\$\\{A\\} %x 'y' \"z\" #", replacement: "" },
    ]))
      for (const dialect of DIALECTS)
        assert.match(
          patternText(pattern, dialect)
            .replaceAll(/\{\d+(,\d*)?\}/g, "")
            .replaceAll(/\$(?=\)|$)/g, ""),
          /^[^\s"'$%#{}/]*$/,
        );
  });

  it("is plain Unicode despite different classes in each engine", () => {
    assert.deepEqual(
      DIALECTS.map((dialect) => patternText(parsePattern("^\\ba$"), dialect)),
      ["\\A\\ba\\z", "\\A(?-u:\\b)a\\z", "\\A(?a:\\b)a\\z", "^\\ba$"],
    );
  });

  it("repeats whole characters, even those that are two in ECMAScript", () => {
    const [two, some] = ["𝄞{2}", "<[^a]{2}>|é+"].map((text) => patternText(parsePattern(text), "ecmascript"));
    assert.equal("𝄞𝄞𝄞 é".replace(new RegExp(two ?? ""), "x"), "x𝄞 é");
    assert.equal("<𝄞𝄞> <𝄞> ééx".replaceAll(new RegExp(some ?? "", "g"), "y"), "y <𝄞> yx");
  });

  it("has bounded matching time in a backtracking engine, if it is accepted", function () {
    this.timeout(20_000);
    const hostile = [`${"a".repeat(5000)}!`, `${"1".repeat(5000)}!`, `${"a1".repeat(2500)}!`, `${" ".repeat(5000)}!`];
    for (const text of ["\\d{1,256}x", "a.*b", "(?:a{1,3}-){1,9}b", "1\\w+\\s+\\w+x", "(?:\\d{1,3}\\.){3}x"]) {
      assert.equal(problem(text), undefined, text);
      const regex = new RegExp(patternText(parsePattern(text), "ecmascript"));
      const elapsed = cpuTime();
      for (const line of hostile) regex.test(line);
      const milliseconds = elapsed();
      assert.ok(milliseconds < 3000, `${text} took ${milliseconds} ms`);
    }
  });
});
