import assert from "node:assert/strict";
import fc from "fast-check";
import { spelled, tokens } from "../../corefile/syntax/tokens.ts";

const words = (text: string) => tokens(text).map((token) => token.text);

describe("Corefile words", () => {
  it("are split at white space, and a comment ends its line", () => {
    assert.deepEqual(words("forward . 10.0.0.2 # the company\n# all of it\ncache 30#x\nloop"), [
      ...["forward", ".", "10.0.0.2", "cache", "30", "loop"],
    ]);
  });

  it("continue after a comment inside a word, which ends at the next white space", () => {
    assert.deepEqual(words("forward . 10.0.0.2# the company\nclass all#x\ty#\r\nloop#a\rb"), [
      ...["forward", ".", "10.0.0.2", "the", "company", "class", "all", "y", "loop"],
    ]);
  });

  it("stay whole in quotes, across lines too, with escaped quotes and unchanged other backslashes", () => {
    assert.deepEqual(tokens('consolidate 5m ".* i/o \\"timeout\\" \\d\n$" x'), [
      { text: "consolidate", line: 1, endLine: 1 },
      { text: "5m", line: 1, endLine: 1 },
      { text: '.* i/o "timeout" \\d\n$', line: 1, endLine: 2 },
      { text: "x", line: 2, endLine: 2 },
    ]);
  });

  it("ignore carriage returns, a byte order mark and an empty text", () => {
    assert.deepEqual(words("\uFEFFerrors\r\ncache 30\r\n"), ["errors", "cache", "30"]);
    assert.deepEqual(words(""), []);
    assert.deepEqual(words('""'), [""]);
    assert.deepEqual(words('"open'), ["open"]);
    assert.deepEqual(words('log "'), ["log"]);
    assert.deepEqual(words('log "a\\'), ["log", "a"]);
    // A mark inside the text, as two joined files have it, is part of a word.
    assert.deepEqual(words("log\uFEFF\n\uFEFFerrors\u00a0x"), ["log\uFEFF", "\uFEFFerrors", "x"]);
  });

  it("round-trip, or are rejected if no spelling does", () => {
    const word = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("\\", '"', " ", "#", "a", "{", "}") }));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (list) => {
        let text: string;
        try {
          text = list.map(spelled).join(" ");
        } catch (error) {
          return error instanceof Error && error.message.startsWith("a Corefile cannot hold");
        }
        assert.deepEqual(words(text), list);
        return true;
      }),
    );
  });

  it("cannot be a single brace, nor end in a backslash if they need quotes", () => {
    assert.throws(() => spelled("{"), /single brace/);
    assert.throws(() => spelled("a b\\"), /backslash before a quote/);
    assert.equal(spelled("a\\"), "a\\");
    assert.equal(spelled("a b\\\\"), '"a b\\\\"');
  });
});
