import assert from "node:assert/strict";
import fc from "fast-check";
import { bareTexts, REDACTION_KINDS, redactionRules } from "../../../../components/logging/processing/redaction.ts";
import { redactedByLua } from "../../../support/collectors/lua.ts";
import { redactedBy } from "../../../support/collectors/redaction.ts";

const CARD = 4_111_111_111_111_111;
const MASK = "[REDACTED:credit-card]";

/** Values of JSON with cards as numbers and in texts, and with what looks like the end of a text or a list. */
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(CARD, -CARD, 1.5, -7, 4_111_111_111_111_112, true, null, "", MASK, `${MASK}.5`),
    fc
      .array(fc.constantFrom(`${CARD}`, '"', "\\", ",", "[", "]", ":", " ", "\n", "é", "a", "."), { maxLength: 6 })
      // Digits in a row are no card.
      .filter((parts) => !/\d{17}|[\w.]\d{16}|\d{16}[\w]/.test(parts.join("")))
      .map((parts) => parts.join("")),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("a", "b.c", 'q"', "s\\", ""), tie("value"), { maxKeys: 4 }),
  ),
}));

/** What is to become of a value. */
function masked(value: unknown): unknown {
  if (typeof value === "number" && Math.abs(value) === CARD) return MASK;
  if (typeof value === "string") return value.replaceAll(String(CARD), MASK);
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]));
}

describe("A masked number in JSON", () => {
  it("becomes a string anywhere, and nothing else changes, also in Lua", async () => {
    const rules = redactionRules([...REDACTION_KINDS]);
    const redactInLua = await redactedByLua(rules);
    const values = fc.sample(anyValue, { numRuns: 3000, seed: 11 }).filter((value) => typeof value === "object");
    const lines = [0, 2].flatMap((indent) =>
      values.map((value) => ({ line: JSON.stringify(value, null, indent), wanted: masked(value) })),
    );
    assert.ok(lines.filter(({ line }) => line.includes(String(CARD))).length > 1000);
    const redact = redactedBy(rules);
    for (const { line, wanted } of lines) assert.deepEqual(JSON.parse(redact(line)), wanted, line);
    assert.deepEqual(
      redactInLua(lines.map(({ line }) => line)),
      lines.map(({ line }) => redact(line)),
    );
  });

  for (const [replacement, masked] of [
    ["[phone]", '{"n":"[phone]","m":["[phone]",1]}'],
    ["***", '{"n":"***","m":["***",1]}'],
    // Together with what stays of it.
    ["$1…", '{"n":"49…","m":["49…",1]}'],
    // Which are JSON.
    ["0", '{"n":0,"m":[0,1]}'],
    ["null", '{"n":null,"m":[null,1]}'],
  ] as const)
    it(`becomes a text by a replacement of the user's own, unless that is JSON: ${replacement}`, async () => {
      const rules = redactionRules([{ pattern: "\\b(\\d\\d)\\d{8}\\b", replacement }]);
      const line = '{"n":4912345678,"m":[4912345678,1]}';
      assert.equal(redactedBy(rules)(line), masked);
      assert.deepEqual((await redactedByLua(rules))([line]), [masked]);
    });

  it("becomes a text with what is left of it before and behind, but for its sign", async () => {
    const rules = redactionRules([{ pattern: "5{4}", replacement: "****" }]);
    for (const [line, masked] of [
      ['{"n":-12345678901234567890123456785555,"m":[5555]}', '{"n":"1234567890123456789012345678****","m":["****"]}'],
      ['{"n":55551234567890.5e+3,"m":1}', '{"n":"****1234567890.5e+3","m":1}'],
    ] as const) {
      assert.equal(redactedBy(rules)(line), masked);
      assert.deepEqual((await redactedByLua(rules))([line]), [masked]);
    }
  });

  it("has no rule if no replacement could be unquoted", () => {
    const parts = ["", "0", "true", "nul", "-1.5", "1e5", "1E5", " , "];
    assert.deepEqual(bareTexts([...parts, "x", "[id]", "x"]), ["[id]", "x"]);
  });

  it("is found in a truncated line, without searching for the end of its last string repeatedly", () => {
    const rules = redactionRules(["credit-card"]);
    const line = `{"n":[1,${CARD}],"m":"${'a\\"'.repeat(200_000)} ${CARD}`;
    const started = performance.now();
    const made = redactedBy(rules)(line);
    assert.ok(made.startsWith(`{"n":[1,"${MASK}"],"m":"a`) && made.endsWith(` ${MASK}`));
    assert.ok(performance.now() - started < 5000);
  });
});
