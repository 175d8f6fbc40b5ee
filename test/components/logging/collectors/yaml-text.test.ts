import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import { yamlText } from "../../../../components/logging/collectors/yaml-text.ts";

const OPTIONS = { lineWidth: 0, aliasDuplicateObjects: false } as const;

describe("yamlText", () => {
  it("writes what the library writes for the whole, whatever the section", () => {
    const key = fc.oneof(
      fc.constantFrom("inputs", "a b", "1", "yes", "null", "?", "- x", "k".repeat(1100)),
      fc.string(),
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(fc.constantFrom("local x = 1", "  end", "", " ", "---", "# a", "...", "\t", "\u2028"))
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

  it("writes only the sections that are new", () => {
    const inputs = Array.from({ length: 300 }, (_, at) => ({
      name: "tail",
      path: `/var/log/pods/${at}/*.log`,
      tag: `${at}`,
    }));
    const timed = (workers: number) => {
      const start = process.cpuUsage();
      yamlText({ service: { flush: 1 }, pipeline: { inputs, outputs: [{ name: "es", workers }] } });
      return process.cpuUsage(start).user / 1000;
    };
    const first = timed(1);
    const others = Math.min(timed(2), timed(3), timed(4), timed(5));
    assert.ok(others < first / 2, `${others} ms after ${first} ms`);
  });
});
