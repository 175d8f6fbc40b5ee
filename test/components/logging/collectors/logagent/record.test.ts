import assert from "node:assert/strict";
import records from "../../../../../components/logging/collectors/logagent/record.cjs";

const SOURCE = { kubernetes: { pod_name: "web" }, team: undefined };

/** The fields of a line. */
function fieldsOf(line: string, safeNames = true, limit: { fieldsBytes?: number } = {}): unknown {
  return records.recordOf({ time: "t", stream: "stdout", log: line }, SOURCE, { parseJson: true, safeNames, ...limit })
    .fields;
}

describe("Logagent's fields", () => {
  it("have no dots in their names for search engines, at any depth", () => {
    const line = '{"a.b":{"c.d":[{"e.f.g":null}]},"x":1.5}';
    assert.deepEqual(fieldsOf(line), { a_b: { c_d: [{ e_f_g: null }] }, x: 1.5 });
    assert.deepEqual(fieldsOf(line, false), JSON.parse(line));
  });

  it("are absent if a line is not a JSON object", () => {
    for (const line of ["{", "{a}", "[1]", '"{}"', "7", "{} trailing"]) assert.equal(fieldsOf(line), undefined, line);
  });

  it("have the replacement character for each half of a pair, which a search engine would reject", () => {
    const fields = { "\ufffd": "\ufffdA \u{1f600} \\ud800", a_b: ["\ufffd\ufffd", "\\\ufffd"] };
    const line = String.raw`{"\udc00":"\ud83d\u0041 \ud83d\uDE00 \\ud800","a.b":["\udE00\ud83d","\\\ud800"]}`;
    assert.deepEqual(fieldsOf(line), fields);
    assert.equal(fieldsOf(String.raw`{"a":"\ud800"`), undefined);
  });

  it("are absent for lines longer than the destination accepts, in bytes", () => {
    const line = '{"a":"€"}';
    assert.deepEqual(fieldsOf(line, true, { fieldsBytes: 11 }), { a: "€" });
    assert.equal(fieldsOf(line, true, { fieldsBytes: 10 }), undefined);
  });

  it("are absent for JSON nested so deep that Logagent would crash writing or renaming it", () => {
    for (const [open, close] of [
      ['{"a":', "}"],
      ["[", "]"],
    ] as const) {
      const line = (levels: number) => `{"x":${open.repeat(levels)}1${close.repeat(levels)}}`;
      assert.deepEqual(fieldsOf(line(400)), JSON.parse(line(400)));
      for (const levels of [3000, 100_000])
        for (const safeNames of [true, false]) assert.equal(fieldsOf(line(levels), safeNames), undefined);
    }
  });

  it("may have names that are special in JavaScript", () => {
    assert.equal(
      JSON.stringify(fieldsOf('{"__proto__":{"a":1},"constructor":2}')),
      '{"__proto__":{"a":1},"constructor":2}',
    );
  });
});

describe("Logagent's ids", () => {
  it("are equal for equal lines only", () => {
    assert.equal(records.idOf(["stdout", "ns", "line"]), records.idOf(["stdout", "ns", "line"]));
    assert.notEqual(records.idOf(["stdout", "ns", "line"]), records.idOf(["stderr", "ns", "line"]));
  });
});
