import assert from "node:assert/strict";
import { whyNoName } from "../../corefile/syntax/go-pattern.ts";
import { goMatcher, isGoRegexp } from "../../corefile/syntax/go-values.ts";

const NAMES = ["a.", "web.corp.example.", "ab.cd.", "a-b_1.x.", "."];
const PARTS = [
  "a",
  "[a-z]+",
  "(a|b)",
  "(?:a|\\.)",
  "\\w",
  "\\.",
  ".",
  "[^a]",
  "[^.]",
  "[.a]",
  "\\d*",
  "(a)?",
  "A",
  "[A-Z]",
  "[A-Za-z]",
];
const ENDS = ["$", "\\.$", "$|b", "|a\\.$", "", ".*$", "+$", "?$", "{2}$", "{0,1}$"];

describe("a pattern that matches no name", () => {
  it("really matches none", () => {
    for (const first of PARTS)
      for (const second of PARTS)
        for (const end of ENDS) {
          const pattern = `^${first}${second}${end}`;
          if (!isGoRegexp(pattern) || whyNoName(pattern) === undefined) continue;
          assert.deepEqual(
            NAMES.filter((name) => goMatcher(pattern)(name)),
            [],
            pattern,
          );
        }
  });

  it("ends before the final dot, or needs capital letters", () => {
    for (const pattern of [
      "a$",
      "a.b$|c$",
      "(corp|prod)$",
      "((a|b)c)+$",
      "[a-z0-9-]+$",
      "\\d{1,3}$",
      "^[^.]+$",
      "[^\\.]$",
    ])
      assert.match(whyNoName(pattern) ?? "", /ends with a dot/, pattern);
    for (const pattern of ["^Web\\.", "(Web|API)\\.a", "^[A-Z]+\\.", "(?P<Name>A)\\.$"])
      assert.match(whyNoName(pattern) ?? "", /lower case/, pattern);
    for (const pattern of [
      "",
      "a",
      "a\\$",
      "(a|)$",
      "(a|\\.)$",
      "[^b]$",
      "a.?$",
      "(?i)Web",
      "web|Web",
      "\\QA",
      "[]$]a",
      "(",
      "a)",
    ])
      assert.equal(whyNoName(pattern), undefined, pattern);
  });
});
