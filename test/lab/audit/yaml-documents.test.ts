import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { objectsIn } from "../../../lab/audit/object-files.ts";

const HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n";

/** The data of the one ConfigMap of a file. */
function dataOf(text: string): unknown {
  const found = objectsIn(text, "a.yaml");
  assert.ok(typeof found !== "string", String(found));
  assert.equal(found.length, 1);
  return found[0]?.content.data;
}

describe("texts in quotes that go on no deeper than their key", () => {
  it("are read in seconds, also thousands of one document", () => {
    const numbers = Array.from({ length: 3000 }, (_, number) => number);
    const text = HEAD + numbers.map((number) => `  k${number}: "some text\n  that goes on ${number}"\n`).join("");
    const start = performance.now();
    assert.deepEqual(
      dataOf(text),
      Object.fromEntries(numbers.map((one) => [`k${one}`, `some text that goes on ${one}`])),
    );
    const milliseconds = performance.now() - start;
    assert.ok(milliseconds < 10_000, `took ${milliseconds} ms`);
  });

  it("are read in braces and brackets over several lines, and behind them", () => {
    const text = [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {\n  list: "[{",\n  a: "x\ny", b: it\'s,\n  c: "z\ny",',
      ` }, labels: {d: e}}\ndata:\n  f: '{x\n  [y'\n  g: "u\n  v"\n`,
    ].join("\n");
    const found = objectsIn(text, "a.yaml");
    assert.ok(typeof found !== "string", String(found));
    const annotations = { list: "[{", a: "x y", b: "it's", c: "z y" };
    assert.deepEqual(found[0]?.content.metadata, { name: "a", annotations, labels: { d: "e" } });
    assert.deepEqual(found[0]?.content.data, { f: "{x [y", g: "u v" });
  });

  it("are read with the line ends of Windows, a byte order mark, tabs, anchors and the quotes of comments", () => {
    const text = `${HEAD}  a: &a "x\n  y" # it's\n  b: *a\n  c: 'x\n\ty'\n  d: it's\n  e: |\n    "no\n  f: "\\\n  z"\n`;
    const expected = { a: "x y", b: "x y", c: "x y", d: "it's", e: '"no\n', f: "z" };
    assert.deepEqual(dataOf(text), expected);
    assert.deepEqual(dataOf(`\ufeff${text.replaceAll("\n", "\r\n")}`), { ...expected, e: '"no\n' });
  });
});
