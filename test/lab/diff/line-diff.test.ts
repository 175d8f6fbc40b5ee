import assert from "node:assert/strict";
import fc from "fast-check";
import { diffLines, type Line, shortened } from "../../../lab/diff/fields.ts";

const texts = (lines: readonly Line[], left: Line["sign"]) =>
  lines.filter(({ sign }) => sign !== left).map(({ text }) => text);

describe("diffLines", () => {
  const file = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });

  it("transforms one text into the other, and back", () => {
    fc.assert(
      fc.property(file, file, (before, after) => {
        const lines = diffLines(before, after);
        assert.deepEqual(texts(lines, "+"), before);
        assert.deepEqual(texts(lines, "-"), after);
      }),
    );
  });

  it("reports only the line that differs", () => {
    const lines = diffLines(["a", "flush 5", "b"], ["a", "flush 1", "b"]).filter(({ sign }) => sign !== " ");
    assert.deepEqual(lines, [
      { sign: "-", text: "flush 5" },
      { sign: "+", text: "flush 1" },
    ]);
  });

  it("reports all lines of two texts that are too long to compare", () => {
    const long = (word: string) => Array.from({ length: 1500 }, (_, index) => `${word} ${index}`);
    assert.equal(diffLines(long("old"), long("new")).length, 3000);
  });
});

describe("shortened", () => {
  it("collapses lines far from a change into one", () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const after = before.with(10, "another");
    assert.deepEqual(
      shortened(diffLines(before, after), 1).map(({ sign, text }) => `${sign}${text}`),
      [" …", " line 9", "-line 10", "+another", " line 11", " …"],
    );
  });
});
