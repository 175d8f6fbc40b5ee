import assert from "node:assert/strict";
import { pipelineOf } from "../../components/logging/collectors/fluentd/rendered.ts";
import { filteredByFluentd } from "./filter.ts";
import { needsRuby } from "./ruby.ts";

/** The fields of lines, as JavaScript reads them; undefined for a line that has none. */
function fieldsByFluentd(lines: readonly string[]): unknown[] {
  const pipeline = pipelineOf({ destination: { kind: "elasticsearch", host: "h" } });
  const [found = []] = filteredByFluentd([
    { pipeline, namespace: "ts-team", lines: lines.map((log, seconds) => ({ log, seconds })) },
  ]);
  return lines.map((line) => found.find(({ log }) => log === line)?.fields);
}

describe("Fluentd's fields", () => {
  before(needsRuby);

  it("are absent if a line is not JSON, whatever this version of Ruby's parser reads", () => {
    const lines = [
      '{/*c*/"a":1}',
      '{"a":1}//x',
      '{"a":1} /* x */',
      '{"a"://x\n1}',
      '{"a":"x\\q"}',
      '{"\\x41":1}',
      '{"a":"\\\\\\q"}',
      '{"a":"http://x","b":1}//',
    ];
    assert.deepEqual(
      fieldsByFluentd(lines),
      lines.map(() => undefined),
    );
  });

  it("are there if only a text looks like a comment or an escape", () => {
    const lines = [
      '{"url":"https://example.com//a/*b*/"}',
      '{"//":"/*"}',
      '{"a":"\\"//\\" \\\\q \\\\\\\\x"}',
      '{"a":"\\b\\f\\n\\r\\t\\/\\u0041"}',
      '{"a":"方//"}',
    ];
    assert.deepEqual(
      fieldsByFluentd(lines),
      lines.map((line) => JSON.parse(line)),
    );
  });

  it("of long lines are found in little time", () => {
    const text = 'x//\\n "'.repeat(100_000).replaceAll('"', '\\"');
    const [one, two] = [`{"a":"${text}"}`, `{"a":"${text}`];
    assert.deepEqual(fieldsByFluentd([one, two]), [JSON.parse(one), undefined]);
  });
});
