import assert from "node:assert/strict";
import { block, check, DEFAULT } from "./default-corefile.ts";

/** What is said of the order of lines that follow those of the add-on's own block, or precede them. */
function orderOf(after: string, before = ""): readonly string[] {
  const { warnings } = check(block(".:53", before, DEFAULT, after));
  return warnings.flatMap(
    (text) => /^\.:53: (.* is written after .*) but sees a query before it/.exec(text)?.[1] ?? [],
  );
}

describe("the order of lines", () => {
  it("misleads if both plugins may see a name", () => {
    assert.deepEqual(orderOf("", "forward . 10.0.0.9"), ["kubernetes: is written after forward"]);
    assert.deepEqual(orderOf("template ANY A cluster.local {\nfallthrough\n}"), ["template: is written after forward"]);
    assert.deepEqual(orderOf("hosts {\n10.0.0.1 a.example\nfallthrough\n}"), ["hosts: is written after forward"]);
    assert.deepEqual(orderOf("", "forward local 10.0.0.9"), ["kubernetes: is written after forward"]);
    assert.deepEqual(orderOf("", "forward 10.0.0.0/8 10.0.0.9"), ["kubernetes: is written after forward"]);
    assert.deepEqual(orderOf("", "file /etc/hosts.db {\nfallthrough\n}"), ["kubernetes: is written after file"]);
  });

  it("does not matter for lines with different names", () => {
    assert.deepEqual(orderOf("", "forward corp.example 10.0.0.9"), []);
    assert.deepEqual(orderOf("", "file /etc/corp.db corp.example {\nfallthrough\n}"), []);
    assert.deepEqual(orderOf("", "kubernetes other.local\nk8s_external corp.example"), []);
    assert.deepEqual(orderOf("", "forward a.example 10.0.0.9\nhosts {\n10.0.0.1 b.example\nfallthrough\n}"), []);
    assert.deepEqual(orderOf("", "forward a.example 10.0.0.9\nhosts {\n10.0.0.1 x.a.example\nfallthrough\n}"), [
      "hosts: is written after forward",
    ]);
  });
});
