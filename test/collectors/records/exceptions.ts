import { LONG } from "./json.ts";
import { time, type Wanted } from "./lines.ts";
import { dividedTraces, type EmptyLines, FRAMES_APART } from "./reported-traces.ts";

/** What comes of a case in the place of what should come. */
type Exceptions = Readonly<Record<string, readonly Wanted[]>>;

const line = (number: number, log: string, more: Partial<Wanted> = {}): Wanted => ({ log, at: time(number), ...more });
const red = (number: number, log: string): Wanted => line(number, log, { stream: "stderr" });
const BEFORE = line(0, "before");
const BEFORE_ROTATION = line(0, "before the rotation");

/** Of those that know a trace by its indentation: the last line of Python's, and parts of Go's, are records of their own. */
function byIndentation(emptyLines: EmptyLines): Exceptions {
  const goroutine = (number: number, text: string) =>
    emptyLines === "kept" ? red(number, `\n${text}`) : red(number, text);
  return {
    ...dividedTraces(emptyLines),
    blanks: [line(0, "   \n  both  "), line(2, "one ")],
    python: [
      red(0, 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    f()\n    ^^^'),
      red(4, "ValueError: bad"),
      red(5, "between 0"),
      red(6, 'Traceback (most recent call last):\n  File "x.py", line 2, in g\n    raise Stop'),
      red(9, "KeyboardInterrupt"),
      red(10, "between 1"),
    ],
    go: [
      red(0, "panic: runtime error: index out of range [5] with length 3"),
      goroutine(1, "goroutine 1 [running]:"),
      red(3, "main.crash(...)\n\t/app/main.go:12\nmain.main()\n\t/app/main.go:8 +0x1d"),
      red(7, "between 0"),
    ],
    "go-fatal": [
      red(0, "fatal error: all goroutines are asleep - deadlock!"),
      goroutine(1, "goroutine 1 gp=0xc000002380 m=0 mp=0x5be2a0 [chan receive]:\nmain.main()\n\t/app/main.go:5 +0x1d"),
      red(5, "between 0"),
    ],
    "go-signal": [
      red(
        0,
        "panic: runtime error: invalid memory address or nil pointer dereference\n" +
          "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45]",
      ),
      goroutine(2, "goroutine 7 [running]:"),
      red(
        4,
        "example.com/app/pkg.(*Server).Handle(0xc0000, {0x1, 0x2})\n\t/app/pkg/server.go:30 +0x1\n" +
          "created by example.com/app/pkg.Start in goroutine 1\n\t/app/pkg/server.go:10 +0x2",
      ),
      red(8, "between 0"),
    ],
  };
}

const infinite = (fields: string): Exceptions => ({ "json-infinite": [line(0, '{"a":1e400}', { fields })] });
const ENDS_APART: Exceptions = {
  "parts-in-two-files": [BEFORE_ROTATION, line(1, "begins "), line(2, "ends"), line(3, "after")],
};
/** The part is not lost: it waits for the rest, for a minute or until the file is gone. */
const WAITS: Exceptions = { "parts-without-an-end": [BEFORE] };
const nested = (levels: number, inside: string) => `${'{"a":'.repeat(levels)}${inside}${"}".repeat(levels)}`;
const CONTROLS: Exceptions = {
  "json-controls": [
    line(0, '{"a":"tab\there"}', { fields: '{"a":"tab\\there"}' }),
    line(1, '{"a":"\u001b[31mred"}', { fields: '{"a":"\\u001b[31mred"}' }),
  ],
};
/** Nearly JSON, with fields for those lines that it takes nevertheless. */
const nearly = (fields: Readonly<Record<string, string>>): Exceptions => ({
  "json-nearly": ['{"a":01}', '{"a":1.}', '{"a":NaN}', '{"a":1,}', "{'a':1}", "{a:1}", '{"a":"\\u12"}'].map((log, at) =>
    line(at, log, { fields: fields[log] }),
  ),
});
/** Nested deeper than it goes. */
const DEEP: Exceptions = { "json-deep-200": [line(0, nested(200, "1"))] };
const AND_MORE: Exceptions = { "json-and-more": [line(0, '{"a":1} and more', { fields: '{"a":1}' })] };

/** A replacement character for each byte, and not for each cut character. */
const BYTES: Exceptions = {
  "no-utf8-cut": [line(0, "\ufffd \ufffd\ufffd \ufffd\ufffd\ufffd end"), line(1, "next")],
};

export const EXCEPTIONS: Readonly<Record<string, Exceptions>> = {
  "fluent-bit": {
    ...BYTES,
    ...FRAMES_APART,
    "json-17-digits": [line(0, '{"a":1700000000.1234567}', { fields: '{"a":1700000000.123457}' })],
    ...ENDS_APART,
    ...AND_MORE,
    "json-more-than-64-bits": [line(0, '{"a":18446744073709551616}', { fields: '{"a":18446744073709550000}' })],
    "json-of-other-kinds": ["[1,2]", "1", '"text"', "null", "true", "{}", "{", "{broken}"].map((log, at) =>
      line(at, log),
    ),
    "json-after-blanks": [line(0, '  {"a":1}', { fields: '{"a":1}' })],
    ...DEEP,
    // Lost, since it can read no record of more than 64 levels, two of which are its own.
    "json-deep-63": [],
    ...CONTROLS,
    ...nearly({ '{"a":"\\u12"}': '{"a":"\\\\u12"}' }),
    "json-two": [line(0, '{"a":1}{"b":2}'), line(1, '{"a":1} {"b":2}'), line(2, '{"a":1}//x', { fields: '{"a":1}' })],
    "json-pretty": [line(0, "{"), line(1, '  "a": 1,'), line(2, "}")],
    "trace-between": [
      red(0, "java.lang.Error: one\n\tat A.b(A.java:1)"),
      line(2, "out"),
      red(3, "\tat A.c(A.java:2)\nCaused by: java.lang.Error: two"),
      line(5, "out again"),
      red(6, "\tat A.d(A.java:3)"),
      red(7, "done"),
    ],
  },
  fluentd: {
    ...byIndentation("kept"),
    ...WAITS,
    ...infinite('{"a":null}'),
    "json-more-than-64-bits": [line(0, '{"a":18446744073709551616}', { fields: '{"a":"18446744073709551616"}' })],
    ...DEEP,
  },
  filebeat: {
    ...byIndentation("kept alone"),
    ...infinite('{"a":"1e400"}'),
    "json-empty-keys": [line(0, '{"":1,"a":{"":2}," ":3}', { fields: '{"_":1,"a":{"_":2}," ":3}' })],
    // Lost.
    "parts-in-two-files": [BEFORE_ROTATION, line(2, "ends"), line(3, "after")],
    "parts-without-an-end": [BEFORE],
    "parts-of-two-streams": [line(0, "one red two blue"), line(4, "three"), red(5, "alone")],
  },
  promtail: {
    ...BYTES,
    ...byIndentation("left out"),
    ...infinite('{"a":1e400}'),
    "json-half-a-pair": [line(0, '{"a":"\\ud800"}', { fields: '{"a":"\\ud800"}' })],
    "json-dots": [
      line(0, '{"a.b":1,"c":{"d.e":2},"f":[{"g.h":3}]}', { fields: '{"a.b":1,"c":{"d.e":2},"f":[{"g.h":3}]}' }),
    ],
    "json-only-dots": [line(0, '{".":1,"..":2,"a.":3,".b":4}', { fields: '{".":1,"..":2,"a.":3,".b":4}' })],
    "json-dots-below": ['{"a":{"b.c":1}}', '{"a_b":1,"a.b":2}'].map((log, at) => line(at, log, { fields: log })),
    "json-dots-and-not": [line(0, '{"a":1,"a.b":2}', { fields: '{"a":1,"a.b":2}' })],
    empty: [line(1, "x")],
    "carriage-returns": [line(0, "dos"), line(1, "bar 1\rbar 2")],
    // It has the time of a line's last part.
    "json-long": [line(64, LONG, { fields: LONG })],
    "parts-of-a-character": [line(1, "one 方 two"), line(2, "next")],
    "parts-with-an-empty-end": [line(1, "exactly one part"), line(2, "next")],
    "parts-of-two-streams": [line(4, "one two three"), red(3, "red blue"), red(5, "alone")],
    "parts-in-two-files": [BEFORE_ROTATION, line(2, "begins ends"), line(3, "after")],
    // Never sent.
    "parts-without-an-end": [BEFORE],
  },
  logagent: {
    ...byIndentation("kept"),
    ...WAITS,
    ...infinite('{"a":null}'),
  },
  vector: {
    ...byIndentation("kept"),
    // Its buffer on disk cannot be read with what is nested deeper, so that stays text.
    "json-deep-200": [line(0, nested(200, "1"), { fields: nested(31, JSON.stringify(nested(169, "1"))) })],
    "json-deep-62": [line(0, nested(62, "1"), { fields: nested(31, JSON.stringify(nested(31, "1"))) })],
    "json-deep-63": [line(0, nested(63, "1"), { fields: nested(31, JSON.stringify(nested(32, "1"))) })],
    "json-half-a-pair": [line(0, '{"a":"\\ud800"}')],
    // It has its keys in order of their names.
    "json-dots-below": [
      line(0, '{"a":{"b.c":1}}', { fields: '{"a":{"b_c":1}}' }),
      line(1, '{"a_b":1,"a.b":2}', { fields: '{"a_b":1}' }),
    ],
    ...WAITS,
  },
  opentelemetry: {
    ...BYTES,
    // A line without a tag is a part of the next one.
    broken: [line(3, "without a taggood")],
    ...byIndentation("kept alone"),
    ...ENDS_APART,
    ...AND_MORE,
    ...CONTROLS,
    ...nearly({ '{"a":01}': '{"a":1}', '{"a":1.}': '{"a":1}' }),
    "json-two": ['{"a":1}{"b":2}', '{"a":1} {"b":2}', '{"a":1}//x'].map((log, at) =>
      line(at, log, { fields: '{"a":1}' }),
    ),
    "json-dots-below": [
      line(0, '{"a":{"b.c":1}}', { fields: '{"a":{"b.c":1}}' }),
      line(1, '{"a_b":1,"a.b":2}', { fields: '{"a_b":1}' }),
    ],
    "json-dots": [
      line(0, '{"a.b":1,"c":{"d.e":2},"f":[{"g.h":3}]}', { fields: '{"a_b":1,"c":{"d.e":2},"f":[{"g.h":3}]}' }),
    ],
  },
};
