import assert from "node:assert/strict";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { yamlText } from "../../../../components/logging/collectors/yaml-text.ts";

/** What readers of YAML 1.1 take for the end of a line, or refuse. */
const UNREADABLE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;
const OPTIONS = { lineWidth: 0, aliasDuplicateObjects: false } as const;

/** Any character, without the map of all million that fast-check's own unit `binary` makes to find one in it. */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map(
    (code) => String.fromCodePoint(code),
    (text) => (typeof text === "string" && [...text].length === 1 ? (text.codePointAt(0) ?? -1) : -1),
  );

describe("yamlText", () => {
  it("writes the same as the library for the whole, for any section", () => {
    const key = fc.oneof(
      fc.constantFrom("inputs", "a b", "1", "yes", "null", "?", "- x", "k".repeat(1100)),
      fc.string(),
    );
    const text = fc.oneof(
      fc.string({ unit: character }).filter((found) => !UNREADABLE.test(found)),
      fc
        .array(fc.constantFrom("local x = 1", "  end", "", " ", "---", "# a", "...", "\t"))
        .map((lines) => lines.join("\n")),
      fc.constantFrom(
        "2026-01-01",
        "1_000",
        "on",
        "0x1f",
        "a: b",
        "'",
        '"',
        "x\n\n\ny\n",
        `${"long ".repeat(30)}\nend `,
      ),
    );
    const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        leaf,
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 3 }),
      ),
    }));
    const whole = fc.oneof(fc.array(value, { maxLength: 3 }), fc.dictionary(key, value, { maxKeys: 3 }));
    fc.assert(
      fc.property(whole, fc.constantFrom("core", "yaml-1.1"), (given, compat) => {
        assert.equal(yamlText(given, compat), stringify(given, { ...OPTIONS, compat }));
      }),
      { numRuns: Number(process.env.RUNS ?? 200) },
    );
  });

  it("escapes characters that YAML 1.1 readers treat as a line break, or reject", () => {
    const odd = ["\u007f", "\u0085", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff"];
    for (const compat of ["core", "yaml-1.1"] as const)
      for (const character of odd) {
        const text = `a${character}"b"\\ `;
        const given = {
          steps: [{ regex: text }, { source: `x\n  ${text}\ny`, plain: ["plain é"] }],
          [text]: { [text]: 1 },
        };
        const yaml = yamlText(given, compat);
        assert.doesNotMatch(yaml, UNREADABLE);
        assert.deepEqual(parse(yaml), given);
        assert.ok(yaml.includes("- plain é\n"), yaml);
      }
  });

  it("writes only the sections that are new", () => {
    let reads = 0;
    const inputs = Array.from({ length: 30 }, (_, at) => ({
      name: "tail",
      get path() {
        reads += 1;
        return `/var/log/pods/${at}/*.log`;
      },
    }));
    const readsOf = (workers: number) => {
      reads = 0;
      yamlText({ service: { flush: 1 }, pipeline: { inputs, outputs: [{ name: "es", workers }] } });
      return reads;
    };
    const first = readsOf(1);
    const second = readsOf(2);
    assert.ok(second < first, `${second} reads after ${first}`);
    assert.equal(readsOf(3), second);
  });
});
