import assert from "node:assert/strict";
import { objectsIn } from "../../../lab/audit/object-files.ts";
import { cpuTime } from "../../support/cpu-time.ts";
import { live } from "./fixtures.ts";

const [A, B] = [live("v1", "Pod", "a"), live("v1", "Pod", "b")];

/** Names and lines of what a file holds. */
function read(text: string): (readonly [string, number | undefined])[] | string {
  const found = objectsIn(text, "pods.json");
  return typeof found === "string" ? found : found.map(({ name, source }) => [name, source?.line]);
}

describe("concatenated JSON documents", () => {
  const indented = (value: unknown) => JSON.stringify(value, undefined, 2);
  const height = indented(A).split("\n").length;

  it("are read with the line of each, as kubectl and jq write them", () => {
    assert.deepEqual(read(`${indented(A)}\n${indented(B)}\n`), [
      ["a", 1],
      ["b", height + 1],
    ]);
    assert.deepEqual(read(`${JSON.stringify(A)}\r\n\r\n${JSON.stringify(B)}\r\n`), [
      ["a", 1],
      ["b", 3],
    ]);
    assert.deepEqual(read(JSON.stringify(A) + JSON.stringify(B)), [
      ["a", 1],
      ["b", 1],
    ]);
    assert.deepEqual(read(`\ufeff---\n${JSON.stringify(A)}\n---\n${JSON.stringify(B)}\n---\n`), [
      ["a", 2],
      ["b", 4],
    ]);
  });

  it("may be lists, typed or not, and arrays from jq", () => {
    const list = { apiVersion: "v1", kind: "List", items: [A] };
    const pods = { apiVersion: "v1", kind: "PodList", items: [{ metadata: { name: "c" } }] };
    assert.deepEqual(read(`${JSON.stringify(list)}\n${JSON.stringify(pods)}\n${JSON.stringify([A, B, 7, null])}`), [
      ["a", 1],
      ["c", 2],
      ["a", 3],
      ["b", 3],
    ]);
  });

  it("keep brackets, quotes and backslashes in their text", () => {
    const odd = { ...A, data: { text: '}{ "]" \\' } };
    const found = objectsIn(`${JSON.stringify(odd)}${JSON.stringify(B)}`, "pods.json");
    assert.ok(typeof found !== "string");
    assert.deepEqual([found.length, found[0]?.content.data], [2, { text: '}{ "]" \\' }]);
  });

  it("are parsed as YAML if they are not JSON, as with unquoted keys or YAML below", () => {
    assert.deepEqual(
      read("{apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: b}}\n"),
      [
        ["a", 1],
        ["b", 3],
      ],
    );
    assert.deepEqual(read(`${JSON.stringify(A)}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\n`), [
      ["a", 1],
      ["b", 3],
    ]);
  });

  it("name the line of a truncated one, and reject one that is nested too deeply", () => {
    assert.equal(
      read(`${indented(A)}\n${indented(B).slice(0, 50)}`),
      `the document at line ${height + 1} is neither JSON, like the one before it, nor YAML: is the file truncated?`,
    );
    const deep = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    assert.match(String(read(deep)), /stack size exceeded/);
  });
});

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
    const elapsed = cpuTime();
    assert.deepEqual(
      dataOf(text),
      Object.fromEntries(numbers.map((one) => [`k${one}`, `some text that goes on ${one}`])),
    );
    const milliseconds = elapsed();
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
