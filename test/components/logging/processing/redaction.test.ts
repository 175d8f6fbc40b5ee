import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePattern } from "../../../../components/logging/processing/pattern.ts";
import { canBeEmpty, refuseRisk } from "../../../../components/logging/processing/pattern-risk.ts";
import { groupCount, hasRepeatedGroup, patternText } from "../../../../components/logging/processing/pattern-text.ts";
import { bareTexts, REDACTION_KINDS, redactionRules } from "../../../../components/logging/processing/redaction.ts";
import { ODD_SECRETS } from "../../../support/collectors/json-secrets.ts";
import { redactedByLua } from "../../../support/collectors/lua.ts";
import { redactedBy } from "../../../support/collectors/redaction.ts";
import { OWN_REDACTION, plantedLines } from "../../../support/collectors/secrets.ts";
import { cpuTime } from "../../../support/cpu-time.ts";

const RULES = redactionRules([...REDACTION_KINDS, OWN_REDACTION]);

describe("Redaction", () => {
  const redact = redactedBy(RULES);

  it("masks each of 3,000 planted secrets and nothing in 10,000 lines without secrets", () => {
    const lines = plantedLines(1);
    assert.equal(lines.filter(({ text, masked }) => text !== masked).length, 3000);
    assert.deepEqual(
      lines.filter(({ text, masked }) => redact(text) !== masked),
      [],
    );
  });

  it("does the same in Fluent Bit's script", async () => {
    const lines = plantedLines(2, 300, 1000);
    const redactInLua = await redactedByLua(RULES);
    assert.deepEqual(
      redactInLua(lines.map(({ text }) => text)),
      lines.map(({ masked }) => masked),
    );
  });

  for (const { why, line, masked } of [
    { why: "an escape of JSON before it", line: '{"m":"\\nada@example.com"}', masked: '{"m":"\\n[REDACTED:email]"}' },
    { why: "an escaped @", line: '{"m":"ada\\u0040example.com"}', masked: '{"m":"[REDACTED:email]"}' },
    {
      why: "a number of JSON, which becomes a text",
      line: '{"n":4111111111111111,"s":"n: 4111111111111111, x"}',
      masked: '{"n":"[REDACTED:credit-card]","s":"n: [REDACTED:credit-card], x"}',
    },
    {
      why: "several in a line",
      line: "1.2.3.4 5.6.7.8,a@b.de",
      masked: "[REDACTED:ipv4] [REDACTED:ipv4],[REDACTED:email]",
    },
    {
      why: "a key over several lines",
      line: "key:\n-----BEGIN PRIVATE KEY-----\nabc+/=\n-----END PRIVATE KEY-----\nnext",
      masked: "key:\n[REDACTED:private-key]\nnext",
    },
    { why: "a key without its end", line: "-----BEGIN RSA PRIVATE KEY-----\nabc", masked: "[REDACTED:private-key]" },
    { why: "an address of IPv4 in one of IPv6", line: "64:ff9b::192.0.2.33", masked: "64:ff9b::[REDACTED:ipv4]" },
    {
      why: "a credential in JSON within JSON",
      line: '{"b":"{\\"api_key\\":\\"0123456789abcdef0123\\"}"}',
      masked: '{"b":"{\\"api_key\\":\\"[REDACTED:api-key]\\"}"}',
    },
    ...ODD_SECRETS.map(({ text, ...other }) => ({ ...other, line: text })),
  ])
    it(`finds ${why}`, async () => {
      assert.equal(redact(line), masked);
      const redactInLua = await redactedByLua(RULES);
      assert.deepEqual(redactInLua([line]), [masked]);
    });

  it("keeps the groups that the replacement of a custom pattern names", () => {
    const own = redactionRules([{ pattern: "(?i)(session=)(\\w{2})\\w+", replacement: "$1$2…" }]);
    assert.equal(redactedBy(own)("x Session=abcdef;"), "x Session=ab…;");
  });

  it("matches the same in Fluent Bit's script as in the rules, anywhere in a line and after anything", async function () {
    this.timeout(60_000);
    const part = fc.oneof(
      fc.constantFrom(
        "4111111111111111",
        "4111 1111-1111 1111",
        "3782-822463 10005",
        "6011000990139424",
        "411111",
        "10.0.0.1",
      ),
      fc.constantFrom(
        "1.2.3",
        "256.1.1.1",
        "fe80::1",
        "1:2:3:4:5:6:7:8",
        "a:b:c:d:e:f:1::2",
        "10:00:00",
        "::1",
        "ada@example.com",
      ),
      fc.constantFrom(
        "a.b-c\\u0040d.io",
        "@",
        "AKIAABCDEFGHIJKLMNOP",
        "rk_test_0123456789abcdef",
        "ghs_",
        "a".repeat(60),
      ),
      fc.constantFrom(
        "0123456789abcdefghij0123456789abcdef",
        "api_key=",
        '"',
        "{",
        ":",
        " ",
        "-",
        ".",
        "\\n",
        "\\u00e9",
        "é",
        "1",
        "4",
      ),
    );
    const lines = fc
      .sample(fc.array(part, { minLength: 1, maxLength: 8 }), { numRuns: 3000, seed: 6 })
      .map((parts) => parts.join(""));
    const redactInLua = await redactedByLua(RULES);
    assert.deepEqual(redactInLua(lines), lines.map(redact));
  });

  it("matches the same in Lua as in ECMAScript, for any accepted pattern", async function () {
    this.timeout(60_000);
    const lines = fc
      .sample(fc.array(fc.constantFrom("a", "b", "A", "1", "-", " ", "é", "日", "\n"), { maxLength: 12 }), {
        numRuns: 60,
        seed: 3,
      })
      .map((parts) => parts.join(""));
    for (const pattern of fc.sample(anyPattern, { numRuns: 80, seed: 4 })) {
      const parsed = parsePattern(pattern);
      const replacement = groupCount(parsed) > 0 && !hasRepeatedGroup(parsed) ? "<$1>" : "<>";
      const rules = redactionRules([{ pattern, replacement }]);
      const redactInLua = await redactedByLua(rules);
      assert.deepEqual(redactInLua(lines), lines.map(redactedBy(rules)), pattern);
    }
  });
});

const atom = fc.constantFrom("a", "b", "[ab1]", "[^a]", ".", "\\d", "\\w", "\\s", "é", "\\W", "[^a-z]", "-");
const quantified = fc
  .tuple(atom, fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,2}", "*?", "+?", "{0,2}?"))
  .map((parts) => parts.join(""));
const term = fc.oneof(
  { weight: 4, arbitrary: quantified },
  fc.array(quantified, { minLength: 1, maxLength: 2 }).map((parts) => `(${parts.join("")})`),
  fc
    .tuple(quantified, quantified, fc.constantFrom("", "?", "{1,2}"))
    .map(([one, other, many]) => `(?:${one}|(${other}))${many}`),
  fc.constantFrom("\\b", "^", "$"),
);
/** Patterns that the settings take for what is redacted. */
const anyPattern = fc
  .tuple(fc.constantFrom("", "", "(?i)"), fc.array(term, { minLength: 1, maxLength: 4 }))
  .map(([flags, terms]) => flags + terms.join(""))
  .filter((pattern) => {
    try {
      const node = parsePattern(pattern);
      refuseRisk(node);
      return !canBeEmpty(node);
    } catch {
      return false;
    }
  });

describe("The text of a pattern", () => {
  it("means the same in ECMAScript as in the settings", () => {
    const source = fc
      .array(fc.constantFrom("a", "b", "A", "1", "-", " ", "\n"), { maxLength: 12 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(anyPattern, source, (pattern, text) => {
        const flags = pattern.startsWith("(?i)") ? "i" : "";
        const plain = new RegExp(pattern.replace("(?i)", ""), flags);
        const found = new RegExp(patternText(parsePattern(pattern), "ecmascript")).exec(text);
        assert.deepEqual(
          found && [found.index, ...found],
          plain.exec(text) && [plain.exec(text)?.index, ...(plain.exec(text) ?? [])],
        );
      }),
      { seed: 5, numRuns: 2000 },
    );
  });
});

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
    const elapsed = cpuTime();
    const made = redactedBy(rules)(line);
    assert.ok(made.startsWith(`{"n":[1,"${MASK}"],"m":"a`) && made.endsWith(` ${MASK}`));
    const milliseconds = elapsed();
    assert.ok(milliseconds < 5000, `took ${milliseconds} ms`);
  });
});
