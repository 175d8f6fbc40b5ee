import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { engineValue, parseStackFile, portableYaml } from "../../lab/stack-file.ts";

/** What gopkg.in/yaml.v3 3.0.1 gives for a plain scalar, as `%v` prints it; recorded. Undefined: it stays text. */
const YAML_V3: readonly (readonly [source: string, value: string | undefined])[] = [
  ["2026-01-01", "2026-01-01 00:00:00 +0000 UTC"],
  ["2026-1-2", "2026-01-02 00:00:00 +0000 UTC"],
  ["2026-02-30", undefined],
  ["0777", "511"],
  ["-0777", "-511"],
  ["0778", "778"],
  ["0_7", "7"],
  ["1_000", "1000"],
  ["1__0", "10"],
  ["1_0.5", "10.5"],
  ["-_1", "-1"],
  ["0b101", "5"],
  ["0B11", "3"],
  ["-0b1", "-1"],
  ["0x1F", "31"],
  ["0X1F", "31"],
  ["0o14", "12"],
  ["0O14", "12"],
  ["0o8", undefined],
  ["0x", undefined],
  ["12345678901234567890", "12345678901234567890"],
  ["1e3", "1000"],
  ["1e400", "1e400"],
  ["+5", "5"],
  ["-0", "0"],
  ["1:30", undefined],
  ["10.0.0.1", undefined],
  ["4Gi", undefined],
  ["no", undefined],
  ["y", undefined],
];

/** Text that sigs.k8s.io/yaml 1.6.0, which kubectl reads manifests by, takes for another type where it is not quoted; recorded. */
const NOT_TEXT_TO_KUBECTL = [
  "y",
  "n",
  "on",
  "off",
  "no",
  "yes",
  "Yes",
  "0777",
  "1_000",
  "0b101",
  "0X1F",
  "0O14",
  "0_7",
];

describe("engineValue", () => {
  for (const [source, value] of YAML_V3)
    it(`${source} is ${value ?? "text"} to Pulumi's CLI`, () => assert.equal(engineValue(source), value));
});

describe("parseStackFile", () => {
  it("demands quotes if Pulumi's CLI would read another value", () => {
    for (const [source, value] of [
      ["2026-01-01", "2026-01-01 00:00:00 +0000 UTC"],
      ["0777", "511"],
      ["1_000", "1000"],
    ])
      assert.throws(
        () => parseStackFile(`config:\n  a:b: { c: ${source} }\n`, "Pulumi.x.yaml"),
        new RegExp(`^Failure: Pulumi\\.x\\.yaml: Pulumi reads ${source} as ${value?.replace("+", "\\+")}: quote it`),
      );
  });

  it("says what to write instead, a number only if all readers agree on it", () => {
    const advice = (source: string) => {
      try {
        return parseStackFile(`a: ${source}`, "f");
      } catch (error) {
        return error instanceof Error ? error.message : error;
      }
    };
    assert.equal(advice("0777"), 'f: Pulumi reads 0777 as 511: quote it ("0777"), or write 511');
    assert.equal(
      advice("2026-01-01"),
      'f: Pulumi reads 2026-01-01 as 2026-01-01 00:00:00 +0000 UTC: quote it ("2026-01-01")',
    );
    assert.equal(
      advice("123456789012345678901"),
      'f: 123456789012345678901 has more digits than a number can hold: quote it ("123456789012345678901")',
    );
  });

  it("accepts the same values in quotes, and values that both read alike", () => {
    const text = 'config: { a: "0777", b: "2026-01-01", c: 0x1F, d: no, e: 1.5, f: 10.0.0.1, g: 4Gi, h: 007abc }';
    assert.deepEqual(parseStackFile(text, "f"), {
      config: { a: "0777", b: "2026-01-01", c: 31, d: "no", e: 1.5, f: "10.0.0.1", g: "4Gi", h: "007abc" },
    });
  });
});

describe("portableYaml", () => {
  it("escapes the characters that end a line in YAML 1.1, in multi-line text too", () => {
    for (const character of ["\u0085", "\u2028", "\u2029", "\ufeff", "\u009f"])
      for (const value of [`a${character}b`, `${character}`, `one\n  two: a${character} b\n\nthree\n`]) {
        const text = portableYaml({ data: { file: value, [`key${character}`]: [value] } });
        assert.ok(!text.includes(character), JSON.stringify(text));
        assert.deepEqual(parse(text), { data: { file: value, [`key${character}`]: [value] } });
      }
  });

  it("quotes text that kubectl would read as another type, as a value and as a key", () => {
    for (const text of NOT_TEXT_TO_KUBECTL) assert.equal(portableYaml({ [text]: text }), `"${text}": "${text}"\n`);
  });

  it("is read alike by YAML 1.1 and 1.2", () => {
    const scalar = fc.oneof(
      fc.constantFrom(...NOT_TEXT_TO_KUBECTL, ...YAML_V3.map(([source]) => source), "null", "~", "<<", "=", ".inf", ""),
      fc.stringMatching(/^[-+._0-9xobe:]{0,6}$/),
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        scalar,
        fc.array(tie("any")),
        fc.dictionary(fc.stringMatching(/^[-+._0-9a-z:]{1,6}$/), tie("any"), { noNullPrototype: true }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (wanted) => {
        const text = portableYaml(wanted);
        assert.deepEqual(parse(text, { version: "1.1" }), wanted);
        assert.deepEqual(parse(text, { version: "1.2" }), wanted);
      }),
    );
  });
});
