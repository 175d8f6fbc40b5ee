import assert from "node:assert/strict";
import { groupsOf, isGoRegexp } from "../../corefile/syntax/go-values.ts";
import { PATTERNS } from "./go-patterns.ts";

describe("a regular expression in Go's syntax", () => {
  for (const [pattern, compiles] of PATTERNS) {
    it(`is ${compiles ? "" : "not "}${pattern}`, () => assert.equal(isGoRegexp(pattern), compiles));
  }

  it("has groups, including named and nested ones", () => {
    assert.equal(groupsOf("a"), 0);
    assert.equal(groupsOf("(?i)((a)(?:b))(?P<c>d)"), 3);
  });
});
