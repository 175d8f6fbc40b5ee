import assert from "node:assert/strict";
import { styleText } from "node:util";
import { capitalized, ms, plainTable, plural } from "../../../lab/output/text.ts";

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

describe("plainTable", () => {
  const row = (name: string, detail: string) => [styleText("red", name), detail];

  it("aligns thousands of rows by the longest cell, wherever it is", () => {
    const rows = Array.from({ length: 1203 }, (_, index) => row(index === 900 ? "the-longest" : "é世", `x${index}`));
    const lines = plainTable(["NAME", "DETAIL"], rows).split("\n");
    assert.equal(lines.length, 1204);
    assert.deepEqual(lines.slice(0, 2), ["NAME         DETAIL", `${styleText("red", "é世")}          x0`]);
    assert.equal(lines[901], `${styleText("red", "the-longest")}  x900`);
    assert.equal(lines.at(-1), `${styleText("red", "é世")}          x1202`);
    assert.equal(lines.filter((line) => line.startsWith("NAME")).length, 1);
  });

  it("keeps the columns of a cell that has several lines, and of right-aligned numbers", () => {
    const table = plainTable(
      ["NAME", "N", "WHY"],
      [
        ["a\nbcdef", "7", "x"],
        ["世\u{1f44d}", "12", ""],
      ],
      { right: [1] },
    );
    assert.deepEqual(table.split("\n"), ["NAME    N  WHY", "a       7  x", "bcdef", "世\u{1f44d}   12"]);
  });

  it("handles more rows than a call has arguments, in seconds", () => {
    const rows = Array.from({ length: 150_000 }, (_, index) => [String(index)]);
    assert.equal(plainTable(["N"], rows).split("\n").length, 150_001);
  }).timeout(60_000);
});
