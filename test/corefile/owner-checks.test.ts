import assert from "node:assert/strict";
import { block, check, withLines } from "./default-corefile.ts";

const STUB = "errors\ncache\nforward . 10.0.0.9";
const CORP = block("corp.example:53", STUB);
const moved = "the block for corp.example:53 takes these names; move the line there";

describe("names that another block owns", () => {
  const cases: readonly (readonly [line: string, ...warnings: readonly string[]])[] = [
    ["forward corp.example 10.0.0.8", `forward corp.example is never used: ${moved}`],
    ["forward a.Corp.Example. 10.0.0.8", `forward a.Corp.Example is never used: ${moved}`],
    [
      "hosts {\n10.0.0.1 a.corp.example b.example corp.example\nfallthrough\n}",
      "hosts a.corp.example: is never queried here, since the block for corp.example:53 takes this name; move the line there",
      "hosts corp.example: is never queried here, since the block for corp.example:53 takes this name; move the line there",
    ],
    [
      "template ANY HTTPS corp.example other.example {\nrcode NOERROR\n}",
      `template corp.example is never used: ${moved}`,
    ],
    ["acl vault.corp.example {\nblock\n}", `acl vault.corp.example is never used: ${moved}`],
    ["rewrite name a.corp.example b.example", `rewrite a.corp.example has no effect: ${moved}`],
    ["rewrite name suffix .corp.example .example answer auto", `rewrite .corp.example has no effect: ${moved}`],
    // Its target is nobody's matter then.
    [
      "rewrite name a.corp.example a.default.svc.cluster.local\nforward other.example 10.0.0.8",
      `rewrite a.corp.example has no effect: ${moved}`,
    ],
  ];
  for (const [line, ...warnings] of cases)
    it(`are reported for ${JSON.stringify(line)}`, () => {
      const found = check(withLines(line) + CORP);
      assert.deepEqual(
        { ...found, warnings: found.warnings.filter((text) => /never|no effect/.test(text)) },
        { errors: [], warnings: warnings.map((text) => `.:53: ${text}`) },
      );
    });

  it("are reported in a block for some clients too", () => {
    const view = "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}";
    const { warnings } = check(block(".:53", view, "forward corp.example 10.0.0.8") + withLines("") + CORP);
    assert.deepEqual(
      warnings.filter((text) => text.includes("never used")),
      [`.:53: forward corp.example is never used: ${moved}`],
    );
  });

  const silent: readonly (readonly [why: string, text: string])[] = [
    ["the domain above", withLines("forward example 10.0.0.8") + CORP],
    ["a domain of its own below", block(".:53 a.corp.example:53", "forward corp.example 10.0.0.8", STUB) + CORP],
    ["another port", withLines("forward corp.example 10.0.0.8") + block("corp.example:5300", STUB)],
    [
      "a block for some clients",
      withLines("forward corp.example 10.0.0.8") +
        block("corp.example:53", "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}", STUB),
    ],
    [
      "the same domain for other clients",
      block(".:53", "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}", "forward corp.example 10.0.0.8") +
        withLines(""),
    ],
    [
      "a type that is called like a zone",
      withLines("template ANY A other.example {\nrcode NOERROR\n}") + block("a:53", STUB),
    ],
    [
      "a block on another address",
      withLines("forward corp.example 10.0.0.8") + block("corp.example:53", "bind 127.0.0.2", STUB),
    ],
    [
      "names that a rule leads there",
      withLines("forward corp.example 10.0.0.8", "rewrite name a.example a.corp.example") + CORP,
    ],
    ["a part of a label", withLines("rewrite name suffix corp.example corp.test answer auto") + CORP],
    [
      "names of an earlier rule",
      withLines("rewrite continue name a.example a.corp.example\nrewrite name a.corp.example b.example") + CORP,
    ],
  ];
  for (const [why, text] of silent)
    it(`are not those of ${why}`, () => {
      const { warnings } = check(text);
      assert.deepEqual(
        warnings.filter((message) => message.includes("move the line there")),
        [],
      );
    });
});
