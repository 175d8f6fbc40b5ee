import assert from "node:assert/strict";
import { block, check, withLines } from "./default-corefile.ts";

/** Each line is compared with each block: where that costs more than a look, these sizes take minutes. */
const MANY = 3000;

function many(line: (index: number) => string): string {
  return Array.from({ length: MANY }, (_, index) => line(index)).join("\n");
}

describe("a long Corefile", function () {
  this.timeout(30_000);

  it("may have many blocks, and lines for names that they own", () => {
    const blocks = many((index) => block(`z${index}.example:53`, "errors\ncache\nforward . 10.0.0.9"));
    const rules = many((index) => `rewrite name a${index}.test b${index}.test`);
    const { warnings } = check(withLines(`${rules}\nrewrite name z7.example z8.example`, blocks));
    assert.deepEqual(
      warnings.filter((warning) => warning.includes("has no effect")),
      [
        ".:53: rewrite z7.example: has no effect, since the block for z7.example:53 takes these names; move the line there",
      ],
    );
  });

  it("may have many blocks on loopback", () => {
    const blocks = many((index) =>
      block(`z${index}.example:53`, "bind 127.0.0.1", "errors\ncache\nforward . 10.0.0.9"),
    );
    const { warnings } = check(withLines("", blocks));
    assert.equal(warnings.filter((warning) => warning.includes("no other pod reaches this block")).length, MANY);
  });

  it("may have many lines of forward", () => {
    const lines = many((index) => `forward z${index}.example 10.0.0.9`);
    assert.deepEqual(check(withLines(lines)).errors, check(withLines("forward z0.example 10.0.0.9")).errors);
  });

  it("may have many empty lines", () => {
    const text = withLines("");
    assert.deepEqual(check(`${"\n".repeat(400_000)}${text}`), check(text));
  });
});
