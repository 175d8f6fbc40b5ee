import assert from "node:assert/strict";
import fc from "fast-check";
import {
  continuationPattern,
  continuations,
  firstLinePattern,
} from "../../../../components/logging/collectors/stack-traces.ts";

const languages = fc.uniqueArray(fc.constantFrom("java" as const, "python" as const, "go" as const, "node" as const), {
  minLength: 1,
});
/** Lines that begin as a continuation does, or nearly so. */
const line = fc.oneof(
  fc.string({ unit: fc.constantFrom(" ", "\t", "a", "C", "c", "g", "m", ".", "(", "*") }),
  fc
    .tuple(fc.constantFrom(...continuations(["java", "go"]), "  ", "\t"), fc.nat(20), fc.string())
    .map(([beginning, length, rest]) => beginning.slice(0, length) + rest.replaceAll(/[\r\n\u2028\u2029]/g, "")),
);

describe("Patterns of stack traces", () => {
  it("match each line either as a first line or as a continuation", () => {
    fc.assert(
      fc.property(languages, line, (chosen, text) => {
        const first = new RegExp(firstLinePattern(chosen) ?? "");
        const continuation = new RegExp(continuationPattern(chosen) ?? "");
        // RE2 and JavaScript mean the same by these patterns.
        assert.notEqual(first.test(text), continuation.test(text), JSON.stringify(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("match an empty line without its line break, in a text of several", () => {
    const first = new RegExp(firstLinePattern(["java", "go"]) ?? "", "gm");
    assert.deepEqual(
      Array.from("one\n\n  \nx".matchAll(first), ({ index, 0: found }) => [index, found]),
      [
        [0, "o"],
        [4, ""],
        [5, "  "],
        [8, "x"],
      ],
    );
  });

  it("are undefined without languages", () => {
    assert.deepEqual([continuationPattern([]), firstLinePattern([])], [undefined, undefined]);
  });

  it("match the continuation lines of each language's traces", () => {
    const java = new RegExp(continuationPattern(["java"]) ?? "");
    assert.deepEqual(
      ["\tat a.B.c(B.java:1)", "Caused by: x", "Exception in thread", "  ... 3 more", "", "   "].map((text) =>
        java.test(text),
      ),
      [true, true, false, true, false, false],
    );
    const node = new RegExp(continuationPattern(["node"]) ?? "");
    assert.deepEqual(
      ["    at f (/app/x.js:1:7) {", "  errno: -111,", "}", "Node.js v24.0.0"].map((text) => node.test(text)),
      [true, true, true, false],
    );
  });
});
