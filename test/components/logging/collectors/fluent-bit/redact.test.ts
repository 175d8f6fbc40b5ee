import assert from "node:assert/strict";
import { type LuaEngine, LuaFactory } from "wasmoon";
import { parse } from "yaml";
import { REDACTION_KINDS } from "../../../../../components/logging/processing/redaction.ts";
import { render } from "./rendered.ts";

interface LuaRecord {
  readonly log: string;
  readonly stream?: string;
  readonly _p?: string;
  readonly redacted?: string;
}

const PART = "x ".repeat(4096);

describe("Fluent Bit's redaction filter", () => {
  let lua: LuaEngine;
  let redact: (tag: string, timestamp: number, record: LuaRecord) => number;
  const { files } = render({ processing: { redact: [...REDACTION_KINDS] } });

  beforeEach(async () => {
    lua = await new LuaFactory().createEngine();
    await lua.doString(files["redact.lua"] ?? "");
    redact = lua.global.get("redact");
  });
  afterEach(() => lua.global.close());

  function redacted(record: LuaRecord, tag = "kube.a_b_c_d"): string {
    const changed = redact(tag, 1, record);
    assert.equal(changed, record.redacted === undefined ? 0 : 2);
    return record.log;
  }
  const begin = (text: string) => redacted({ log: (PART + text).slice(-PART.length), stream: "stdout", _p: "P" });
  const go_on = (log: string, stream = "stdout", tag?: string) => redacted({ log, stream, _p: "F" }, tag);

  it("marks records that it changed, whose keys are then reordered", () => {
    const record: LuaRecord = { log: "mail to ada@example.com" };
    assert.equal(redact("tag", 1, record), 2);
    assert.deepEqual(record, { log: "mail to [REDACTED:email]", redacted: "yes" });
    const { filters } = parse(files["fluent-bit.yaml"] ?? "").pipeline;
    const at = filters.findIndex((each: Record<string, unknown>) => each.alias === "redact");
    assert.deepEqual(filters[at + 1], {
      name: "modify",
      match: "kube.*",
      condition: "key_exists redacted",
      remove: "redacted",
      move_to_end: ["time", "stream", "_p", "log"],
    });
  });

  for (const [first, second, left, right] of [
    ["id=1 sk_live_42", "42abcdefgh x", "id=1 [REDACTED:cut]", "[REDACTED:cut] x"],
    ['{"a":"4111 11', '11 1111 1111","b":1}', '{"a":"[REDACTED:cut]', '[REDACTED:cut]","b":1}'],
    ["to ada", "@example.com, bob", "to [REDACTED:cut]", "[REDACTED:cut] bob"],
    ["a b ", " c d", "a b ", " c d"],
  ] as const)
    it(`masks what touches a cut: ${first}|${second}`, () => {
      const sent = begin(first);
      assert.ok(sent.endsWith(left), sent.slice(-60));
      assert.equal(go_on(second), right);
      assert.equal(go_on(second), second, "the next line is whole");
    });

  it("masks at most half a kilobyte of a line without blanks", () => {
    const sent = begin("y".repeat(8000));
    assert.ok(sent.endsWith(`${"y".repeat(7488)}[REDACTED:cut]`), String(sent.length));
  });

  it("leaves other logs and complete lines unchanged", () => {
    begin("word");
    assert.equal(go_on("word", "stderr"), "word");
    assert.equal(go_on("word", "stdout", "kube.e_f_g_h"), "word");
    assert.equal(redacted({ log: `${PART}word`, stream: "stdout", _p: "P" }, "kube.e_f_g_h"), `${PART}word`);
    assert.equal(redacted({ log: PART, stream: "stdout", _p: "F" }, "kube.e_f_g_h"), PART);
  });
});
