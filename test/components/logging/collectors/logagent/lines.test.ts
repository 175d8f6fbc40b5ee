import assert from "node:assert/strict";
import fc from "fast-check";
import lines from "../../../../../components/logging/collectors/logagent/lines.cjs";
import { continuationPattern } from "../../../../../components/logging/collectors/stack-traces.ts";
import { Clock } from "./clock.ts";

const TRACES = new RegExp(continuationPattern(["java", "go"]) ?? "");

interface Given {
  readonly time: string;
  readonly stream: string;
  readonly log: string;
  readonly marks: readonly (readonly [string, number])[];
}

/** What the joiner gives of lines, each in a file at a place of its length. */
function joined(continues: RegExp | undefined, parse = lines.parseCri) {
  const given: Given[] = [];
  const joiner = lines.createJoiner(parse, continues, ({ time, stream, lines: all }, marks) => {
    given.push({ time, stream, log: all.join("\n"), marks });
  });
  const ends = new Map<string, number>();
  const add = (text: string, file = "1") => {
    const start = ends.get(file) ?? 0;
    ends.set(file, start + text.length + 1);
    joiner.add(Buffer.from(text), file, start, start + text.length + 1);
  };
  return { joiner, given, add };
}
const logs = (given: readonly Given[]) => given.map(({ log }) => log);

const clock = new Clock();

describe("Lines of a container runtime", () => {
  it("are parsed, with all digits of their time", () => {
    assert.deepEqual(lines.parseCri("2026-01-01T00:00:00.123456789Z stderr F  a b "), {
      time: "2026-01-01T00:00:00.123456789Z",
      stream: "stderr",
      log: " a b ",
      partial: false,
    });
    assert.deepEqual(lines.parseCri("2026-01-01T02:30:00.000000001+02:30 stdout P:x "), {
      time: "2026-01-01T00:00:00.000000001Z",
      stream: "stdout",
      log: "",
      partial: true,
    });
  });

  it("end before a carriage return, which stays within a line", () => {
    assert.equal(lines.parseCri("2026-01-01T00:00:00Z stdout F a\rb\r").log, "a\rb");
    assert.equal(lines.parseCri("2026-01-01T00:00:00Z stdout P a\r").log, "a\r");
  });

  it("stay whole in another format", () => {
    const { stream, log, time } = lines.parseCri("panic");
    assert.deepEqual([stream, log], ["stdout", "panic"]);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 5000);
    assert.equal(lines.parseCri("no-time stdout F x").log, "x");
  });

  it("have the current time instead of one that names no index", () => {
    for (const time of ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5+01:00", "2026-13-01T00:00:00Z", "noneZ"])
      assert.ok(Math.abs(Date.parse(lines.parseCri(`${time} stdout F x`).time) - Date.now()) < 5000, time);
  });

  it("are joined without separators, for each stream", () => {
    const { add, given } = joined(undefined);
    for (const line of ["1 stdout P a", "2 stderr F other", "3 stdout P b", "4 stdout F c"]) add(line);
    assert.deepEqual(logs(given), ["other", "abc"]);
  });

  it("are read again from the first that is held back", () => {
    const { add, given } = joined(undefined);
    add("1 stdout P a"); // 0 to 13
    add("2 stderr F b"); // 13 to 26
    add("3 stdout F c"); // 26 to 39
    assert.deepEqual(
      given.map(({ marks }) => marks),
      [[["1", 0]], [["1", 39]]],
    );
  });

  it("continue in the next file after a rotation", () => {
    const { add, given } = joined(undefined);
    add("1 stdout P a", "old");
    add("2 stderr F x", "new");
    add("3 stdout F b", "new");
    add("4 stdout F c", "new");
    assert.deepEqual(logs(given), ["x", "ab", "c"]);
    assert.deepEqual(
      given.map(({ marks }) => Object.fromEntries(marks)),
      [{ old: 0, new: 13 }, { old: 13, new: 26 }, { new: 39 }],
    );
  });
});

describe("Stack traces", () => {
  afterEach(() => clock.restore());

  it("are one record with the time of their first line, once another begins", () => {
    const { add, given } = joined(TRACES);
    add("2026-01-01T00:00:01Z stderr F Error: no");
    add("2026-01-01T00:00:02Z stderr F \tat main");
    add("2026-01-01T00:00:03Z stderr F next");
    assert.deepEqual(logs(given), ["Error: no\n\tat main"]);
    assert.equal(given[0]?.time, "2026-01-01T00:00:01Z");
    // The line that is held back is read again.
    assert.deepEqual(given[0]?.marks, [["1", 79]]);
  });

  it("wait for more lines for a second only", () => {
    const { add, given, joiner } = joined(TRACES);
    add("1 stdout F a");
    joiner.flush();
    assert.deepEqual(logs(given), []);
    clock.forward(1010);
    joiner.flush();
    assert.deepEqual(logs(given), ["a"]);
  });

  it("have at most a thousand lines", () => {
    const { add, given, joiner } = joined(TRACES);
    for (let at = 0; at < 1500; at += 1) add("1 stdout F  at x");
    joiner.flush(true);
    assert.deepEqual(
      given.map(({ log }) => log.split("\n").length),
      [1000, 500],
    );
  });
});

describe("Any lines", () => {
  const line = fc.record({
    stream: fc.constantFrom("stdout", "stderr"),
    tag: fc.constantFrom("P", "F", "F"),
    text: fc.constantFrom("a", "bb", "\tat x", "Caused by: y", ""),
    file: fc.constantFrom("1", "2"),
  });

  it("all arrive, in order within each stream, and nothing marked is still held back", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.boolean(), (all, traces) => {
        const ordered = [...all].sort((one, other) => one.file.localeCompare(other.file));
        const { add, given, joiner } = joined(traces ? TRACES : undefined);
        const lengths = new Map<string, number>();
        for (const [at, { stream, tag, text, file }] of ordered.entries()) {
          const whole = `${String(at).padStart(3, "0")} ${stream} ${tag} ${text}`;
          add(whole, file);
          lengths.set(file, (lengths.get(file) ?? 0) + whole.length + 1);
        }
        joiner.end();
        for (const stream of ["stdout", "stderr"]) {
          const written = ordered.filter((one) => one.stream === stream).map(({ text }) => text);
          const came = given.filter((one) => one.stream === stream).map(({ log }) => log);
          assert.equal(came.join("").replaceAll("\n", ""), written.join(""));
        }
        const last = new Map(given.flatMap(({ marks }) => marks));
        for (const [file, length] of lengths) assert.equal(last.get(file), length, file);
      }),
      { numRuns: 500 },
    );
  });

  it("of an application have the time of reading, and keep their order within a millisecond", () => {
    const { add, given } = joined(undefined, lines.parsePlain);
    for (const text of ["one", "two\r", ""]) add(text);
    assert.deepEqual(logs(given), ["one", "two", ""]);
    const times = given.map(({ time }) => time);
    assert.deepEqual(times, [...new Set(times)].sort());
    assert.match(times[0] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  });
});
