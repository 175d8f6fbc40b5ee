import assert from "node:assert/strict";
import { capitalized, ms, plural } from "../../../lab/output/text.ts";

describe("the text of reports", () => {
  it("has the plural of a noun, except for one", () => {
    assert.deepEqual(
      [0, 1, 2].map((count) => plural(count, "query")),
      ["0 queries", "1 query", "2 queries"],
    );
    assert.equal(plural(3, "pod"), "3 pods");
  });

  it("has two decimals of milliseconds, but none from a hundred on", () => {
    assert.deepEqual([undefined, 0, 1.239, 99.99, 100.4].map(ms), ["-", "0.00", "1.24", "99.99", "100"]);
  });

  it("starts with a capital", () => {
    assert.deepEqual(["", "maintained by AWS"].map(capitalized), ["", "Maintained by AWS"]);
  });
});
