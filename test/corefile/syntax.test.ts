import assert from "node:assert/strict";
import fc from "fast-check";
import { type Directive, parseBlocks, parseSyntax, renderBlocks } from "../../corefile/syntax/syntax.ts";

describe("Corefile syntax", () => {
  it("has blocks with zones, lines and options", () => {
    const text =
      "example.org, example.net:1053 {\n    hosts {\n        10.0.0.1 a b\n        fallthrough\n    }\n    log . {\n    }\n}\n. {\n}";
    assert.deepEqual(parseBlocks(text), [
      {
        zones: ["example.org", "example.net:1053"],
        directives: [
          {
            name: "hosts",
            args: [],
            block: [
              { name: "10.0.0.1", args: ["a", "b"] },
              { name: "fallthrough", args: [] },
            ],
          },
          { name: "log", args: ["."], block: [] },
        ],
      },
      { zones: ["."], directives: [] },
    ]);
  });

  const issues: readonly (readonly [text: string, message: string])[] = [
    [".:53 {\n errors\n", "line 2: the text ends before a closing brace"],
    [".:53 {\n errors }\n", "line 2: a closing brace needs a line of its own"],
    ["import\n.:53 {\n}\n", "line 1: import takes a snippet, a file or a pattern"],
    ["import a b\n", "line 1: import takes one word"],
    [".:53 {\n import a b\n}\n", "line 2: import takes one word"],
    ["(a) {\n import a\n}\n.:53 {\n import a\n}\n", "line 2: the snippet (a) imports itself"],
    ["(a) {\n}\n(a) {\n}\n", "line 3: the snippet (a) is defined twice"],
    [".:53,\n", "line 1: the text ends after a comma"],
    [".:53, {\n}\n", "line 1: expected another zone after the comma, found {"],
  ];
  for (const [text, message] of issues) {
    it(`says where ${JSON.stringify(text)} is wrong`, () => {
      assert.throws(() => parseBlocks(text), { name: "CorefileSyntaxError", message });
    });
  }

  it("expands a snippet that another one imports, if both are above the block, and lists files by path", () => {
    const text = "(a) {\n import b\n}\n(b) {\n errors\n}\n.:53 {\n import a\n import /etc/a\n import *.override\n}\n";
    assert.deepEqual(
      parseBlocks(text).map(({ directives }) => directives.map(({ name }) => name)),
      [["errors"]],
    );
    assert.deepEqual(parseSyntax(text).imports, ["/etc/a", "*.override"]);
  });

  it("accepts a block without braces, and options on one line", () => {
    assert.deepEqual(parseBlocks(".:53\nerrors\ncache 30\n"), [
      {
        zones: [".:53"],
        directives: [
          { name: "errors", args: [] },
          { name: "cache", args: ["30"] },
        ],
      },
    ]);
    assert.deepEqual(parseBlocks(".:53 {\n template ANY AAAA { rcode NXDOMAIN }\n}\n")[0]?.directives, [
      { name: "template", args: ["ANY", "AAAA"], block: [{ name: "rcode", args: ["NXDOMAIN"] }] },
    ]);
  });

  it("has no zone and no line in an empty text", () => {
    assert.deepEqual(parseSyntax("# nothing\n"), { blocks: [], imports: [] });
  });

  it("survives rendering, whatever the lines are", () => {
    const word = fc.string({ unit: fc.constantFrom("a", ".", ":", " ", "#", "é"), minLength: 1, maxLength: 5 });
    const { line } = fc.letrec<{ line: Directive }>((tie) => ({
      line: fc.record({
        name: word,
        args: fc.array(word, { maxLength: 3 }),
        block: fc.option(fc.array(tie("line"), { maxLength: 2 }), { nil: undefined, depthSize: "small" }),
      }),
    }));
    const zone = fc.stringMatching(/^[a-z.]{1,6}(:53)?$/);
    const block = fc.record({
      zones: fc.array(zone, { minLength: 1, maxLength: 2 }),
      directives: fc.array(line, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 3 }), fc.array(zone, { maxLength: 2 }), (blocks, imports) => {
        const parsed = parseSyntax(renderBlocks({ blocks, imports }));
        assert.deepEqual(JSON.parse(JSON.stringify(parsed)), JSON.parse(JSON.stringify({ blocks, imports })));
      }),
    );
  });
});
