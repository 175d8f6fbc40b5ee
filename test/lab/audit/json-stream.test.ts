import assert from "node:assert/strict";
import { objectsIn } from "../../../lab/audit/object-files.ts";
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
      `the document at line ${height + 1} is neither JSON, as the one before it, nor YAML: is it cut off?`,
    );
    const deep = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    assert.match(String(read(deep)), /stack size exceeded/);
  });
});
