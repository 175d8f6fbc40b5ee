import { cri, type Line, PART, type RecordCase, time } from "./lines.ts";

/** Lines that are JSON, and what their fields are. */
function json(name: string, ...lines: readonly (readonly [log: string, fields?: string])[]): RecordCase {
  return {
    name,
    lines: cri(...lines.map(([log]) => log)),
    wanted: lines.map(([log, fields], number) => ({ log, fields, at: time(number) })),
  };
}

const same = (line: string) => [line, line] as const;
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
/** Longer than any part, and in 65 of them. */
export const LONG = JSON.stringify({ text: "x".repeat(2 ** 20), end: 1 });

/** Parts as a runtime makes them of a long line. */
function parts(line: string): Line[] {
  const texts = line.match(/.{1,16384}/g) ?? [];
  return texts.map((text, at): Line => (at + 1 === texts.length ? text : [PART, text]));
}

/** Lines that are JSON, or nearly. */
export const JSON_CASES: readonly RecordCase[] = [
  json("json-of-other-kinds", ["[1,2]"], ["1"], ['"text"'], ["null"], ["true"], ["{}", "{}"], ["{"], ["{broken}"]),
  json(
    "json-keys",
    same('{"log":"l","time":"t","@timestamp":"x","kubernetes":{"a":1},"team":"other","stream":"s","message":"m"}'),
    same('{"tags":["a"],"error":"e","fields":{"b":2},"_id":"i","_index":"x","@metadata":{"c":3}}'),
  ),
  json("json-dots", ['{"a.b":1,"c":{"d.e":2},"f":[{"g.h":3}]}', '{"a_b":1,"c":{"d_e":2},"f":[{"g_h":3}]}']),
  json("json-empty-keys", same('{"":1,"a":{"":2}," ":3}')),
  json("json-only-dots", ['{".":1,"..":2,"a.":3,".b":4}', '{"_":1,"__":2,"a_":3,"_b":4}']),
  json("json-more-than-64-bits", same('{"a":18446744073709551616}')),
  json("json-dots-and-not", ['{"a":1,"a.b":2}', '{"a":1,"a_b":2}']),
  json("json-twice", ['{"a":1,"a":2}', '{"a":2}']),
  json("json-values", same('{"n":null,"t":true,"f":1.5,"e":[],"o":{},"m":-1}')),
  json("json-escapes", ['{"a":"x\\n\\u00e9\\ud83d\\ude00\\\\\\"/","b":"\\/"}', '{"a":"x\\né😀\\\\\\"/","b":"/"}']),
  json("json-unknown-escape", ['{"a":"x\\q"}']),
  json("json-nul", same('{"a":"x\\u0000y"}')),
  json("json-half-a-pair", ['{"a":"\\ud800"}', '{"a":"\ufffd"}']),
  ...["9223372036854775807", "-9223372036854775808", "9007199254740993"].map((number) => ({
    ...json(`json-${number}`, same(`{"n":${number}}`)),
    literally: number,
  })),
  json("json-unsigned", same('{"a":18446744073709551615}')),
  json("json-floats", same('{"a":1.0,"b":1e3,"c":1e-7,"d":0.1}')),
  json("json-17-digits", same('{"a":1700000000.1234567}')),
  json("json-comment", ['{/*c*/"a":1}']),
  json("json-infinite", ['{"a":1e400}']),
  json("json-blanks", ['{"a":1}  ', '{"a":1}'], ['{ "a" : 1 }', '{"a":1}']),
  json("json-after-blanks", ['  {"a":1}']),
  json("json-and-more", ['{"a":1} and more']),
  json("json-two", ['{"a":1}{"b":2}'], ['{"a":1} {"b":2}'], ['{"a":1}//x']),
  json("json-controls", ['{"a":"tab\there"}'], ['{"a":"\u001b[31mred"}']),
  json(
    "json-nearly",
    ['{"a":01}'],
    ['{"a":1.}'],
    ['{"a":NaN}'],
    ['{"a":1,}'],
    ["{'a':1}"],
    ["{a:1}"],
    ['{"a":"\\u12"}'],
  ),
  json("json-dots-below", ['{"a":{"b.c":1}}', '{"a":{"b_c":1}}'], ['{"a_b":1,"a.b":2}', '{"a_b":2}']),
  json("json-deep-62", same(deep(62))),
  {
    name: "json-pretty",
    lines: cri("{", '  "a": 1,', "}"),
    wanted: [{ log: '{\n  "a": 1,\n}', at: time(0) }],
  },
  json("json-in-json", same('{"a":"{\\"b\\":1}"}')),
  json("json-deep-20", same(deep(20))),
  json("json-deep-63", same(deep(63))),
  json("json-deep-200", same(deep(200))),
  // That the other lines come is all that is asked.
  {
    name: "json-deep-3000",
    lines: cri("before what is deep", deep(3000), "next"),
    wanted: ["before what is deep", "next"].map((log, number) => ({ log, at: time(2 * number) })),
    more: true,
  },
  { name: "json-long", lines: cri(...parts(LONG)), wanted: [{ log: LONG, fields: LONG, at: time(0) }] },
];
