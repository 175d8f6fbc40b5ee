import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type LuaEngine, LuaFactory } from "wasmoon";
import { APP_LABELS, indexName } from "../../../../../components/logging/indexing/index-format.ts";
import { ID_KEY, SPLIT_KEY } from "../../../../../components/logging/pipeline.ts";
import { INDEX_NAMES_IN_UTC } from "../../../../support/collectors/index-names.ts";
import { LUA_BIT } from "../../../../support/collectors/lua.ts";
import { render } from "./rendered.ts";

interface LuaRecord {
  readonly kubernetes?: { readonly labels?: Readonly<Record<string, string>> };
  readonly stream?: string;
  readonly log?: string;
  readonly time?: string;
  index_split?: string;
  line_id?: string;
}

describe("Fluent Bit's Lua filter", () => {
  let lua: LuaEngine;
  let filter: (tag: string, timestamp: number, record: LuaRecord) => number;

  before(async () => {
    const { files } = render({ destination: { kind: "opensearch", host: "h" }, index: { splitBy: "app" } });
    lua = await new LuaFactory().createEngine();
    await lua.doString(LUA_BIT);
    await lua.doString(files["index.lua"] ?? "");
    filter = lua.global.get("app_of_record");
  });
  after(() => lua.global.close());

  /** What the filter makes of a record. */
  function filtered(record: LuaRecord, tag = "kube.ts-team_curl-ts_uid_curl", timestamp = 1.5): LuaRecord {
    // 2: the record is new, the time is not.
    assert.equal(filter(tag, timestamp, record), 2);
    return record;
  }

  for (const { why, format, at, pod, fields } of INDEX_NAMES_IN_UTC.filter(({ format }) => format.splitBy === "app")) {
    it(`names the index of a record: ${why}`, () => {
      const { index_split } = filtered({ kubernetes: { labels: pod.labels } });
      const date = indexName({ ...format, splitBy: "none" }, at).slice(format.prefix.length);
      assert.equal(`${format.prefix}${format.separator}${index_split}${date}`, indexName(format, at, fields));
    });
  }

  it("names the index of a record whose pod is unknown", () => {
    assert.equal(filtered({}).index_split, "none");
    assert.equal(filtered({ kubernetes: {} }).index_split, "none");
  });

  it("gives equal lines equal ids, and others different ones", () => {
    const line = { stream: "stdout", log: "GET / 200", time: "2026-11-23T12:00:00.000000001Z" };
    const id = filtered({ ...line }).line_id;
    assert.equal(id, "2026-11-23T12:00:00.000000001Z15a9a72eea5c8997");
    assert.equal(filtered({ ...line, kubernetes: { labels: { app: "curl" } } }).line_id, id);
    const others = [
      filtered({ ...line, log: "GET / 201" }),
      filtered({ ...line, stream: "stderr" }),
      filtered({ ...line, time: "2026-11-23T12:00:00.000000002Z" }),
      filtered({ ...line }, "kube.ts-team_curl-ts_uid_responder"),
    ];
    assert.equal(new Set([id, ...others.map(({ line_id }) => line_id)]).size, 5);
    assert.match(filtered({ log: "without a time" }).line_id ?? "", /^1\.5[0-9a-f]{16}$/);
  });

  it("uses the same keys and labels as the rest of the program", () => {
    const script = readFileSync(
      new URL("../../../../../components/logging/collectors/fluent-bit/app-index.lua", import.meta.url),
      "utf8",
    );
    for (const word of [SPLIT_KEY, ID_KEY, ...APP_LABELS]) assert.ok(script.includes(`"${word}"`), word);
  });
});
