import { asIs, cri, PART, PART_OF_STDERR, type RecordCase, STDERR, time } from "./lines.ts";

const fractions = Array.from({ length: 10 }, (_, digits) => (digits === 0 ? "" : `.${"123456789".slice(0, digits)}`));

const TIMES: readonly RecordCase[] = [
  {
    name: "fractions",
    lines: fractions.map((fraction, digits) => `2026-02-01T10:00:0${digits}${fraction}Z stdout F ${digits} digits`),
    wanted: fractions.map((fraction, digits) => ({
      log: `${digits} digits`,
      at: `2026-02-01T10:00:0${digits}${fraction}Z`,
    })),
  },
  {
    name: "offsets",
    lines: [
      "2026-02-01T12:00:00.123456789+02:00 stdout F east",
      "2026-02-01T04:30:01.123456789-05:30 stdout F west",
      "2026-02-01T00:30:02.123456789+02:00 stdout F the day before",
    ],
    wanted: [
      { log: "east", at: "2026-02-01T10:00:00.123456789Z" },
      { log: "west", at: "2026-02-01T10:00:01.123456789Z" },
      { log: "the day before", at: "2026-01-31T22:30:02.123456789Z" },
    ],
  },
  {
    name: "years",
    lines: ["2024-02-29T23:59:59.999999999Z stdout F leap", "2025-12-31T23:59:59.999999999Z stdout F last"],
    wanted: [
      { log: "leap", at: "2024-02-29T23:59:59.999999999Z" },
      { log: "last", at: "2025-12-31T23:59:59.999999999Z" },
    ],
  },
];

const TEXTS: readonly RecordCase[] = [
  asIs(
    "quotes",
    "a \"quoted\" 'one'",
    "back\\slash \\n \\u0041",
    "<script>&amp;</script>",
    `%{host} \${HOME} {{ .x }} $1`,
  ),
  asIs("unicode", "emoji 👩‍👩‍👧 é", "line\u2028separator\u2029and\u0085next", "\ufeffmark"),
  asIs("controls", "tab\there", "\u001b[31mred\u001b[0m", "bell\u0007 \u0001\u001f\u007f", "vertical\u000b\u000c"),
  asIs("nul", "before\u0000after", "next"),
  asIs("blanks", "   ", "  both  ", "one "),
  asIs("empty", "", "x", "", ""),
  {
    name: "carriage-returns",
    lines: cri("dos\r", "bar 1\rbar 2", "\r"),
    wanted: ["dos", "bar 1\rbar 2", ""].map((log, number) => ({ log, at: time(number) })),
  },
  {
    name: "no-utf8",
    lines: [
      Buffer.concat([
        Buffer.from(`${time(0)} stdout F latin `),
        Buffer.from([0xe9, 0x20, 0xff, 0xfe]),
        Buffer.from(" end"),
      ]),
      `${time(1)} stdout F next`,
    ],
    wanted: [
      { log: "latin \ufffd \ufffd\ufffd end", at: time(0) },
      { log: "next", at: time(1) },
    ],
  },
];

/** Characters of two to four bytes that lack their last. */
const CUT_SHORT: RecordCase = {
  name: "no-utf8-cut",
  lines: [
    Buffer.concat([
      Buffer.from(`${time(0)} stdout F `),
      ...["\u00e9", "\u65b9", "\u{1f600}"].flatMap((character) => [
        Buffer.from(character).subarray(0, -1),
        Buffer.from(" "),
      ]),
      Buffer.from("end"),
    ]),
    `${time(1)} stdout F next`,
  ],
  wanted: [
    { log: "\ufffd \ufffd \ufffd end", at: time(0) },
    { log: "next", at: time(1) },
  ],
};

/** Between the three bytes of a character, where a runtime cuts a long line. */
const CUT = Buffer.from("方");
const PARTS: readonly RecordCase[] = [
  {
    name: "parts-of-a-character",
    lines: [
      Buffer.concat([Buffer.from(`${time(0)} stdout P one `), CUT.subarray(0, 1)]),
      Buffer.concat([Buffer.from(`${time(1)} stdout F `), CUT.subarray(1), Buffer.from(" two")]),
      `${time(2)} stdout F next`,
    ],
    wanted: [
      { log: "one 方 two", at: time(0) },
      { log: "next", at: time(2) },
    ],
  },
  {
    name: "parts-with-an-empty-end",
    lines: cri([PART, "exactly one part"], "", "next"),
    wanted: [
      { log: "exactly one part", at: time(0) },
      { log: "next", at: time(2) },
    ],
  },
  {
    name: "half-a-pair",
    lines: [
      Buffer.concat([Buffer.from(`${time(0)} stdout F pair `), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from(" end")]),
      `${time(1)} stdout F next`,
    ],
    wanted: [
      { log: "pair \ufffd\ufffd\ufffd end", at: time(0) },
      { log: "next", at: time(1) },
    ],
  },
  {
    name: "parts-of-two-streams",
    lines: cri([PART, "one "], [PART_OF_STDERR, "red "], [PART, "two "], [STDERR, "blue"], "three", [STDERR, "alone"]),
    wanted: [
      { log: "one two three", at: time(0) },
      { log: "red blue", stream: "stderr", at: time(1) },
      { log: "alone", stream: "stderr", at: time(5) },
    ],
  },
  {
    name: "parts-in-two-files",
    lines: cri("before the rotation", [PART, "begins "]),
    afterRotation: [`${time(2)} stdout F ends`, `${time(3)} stdout F after`],
    wanted: [
      { log: "before the rotation", at: time(0) },
      { log: "begins ends", at: time(1) },
      { log: "after", at: time(3) },
    ],
  },
  {
    name: "parts-without-an-end",
    lines: cri("before", [PART, "never ends"]),
    wanted: [
      { log: "before", at: time(0) },
      { log: "never ends", at: time(1) },
    ],
  },
];

/** Lines that no runtime writes: that the next one comes is all that is asked. */
const BROKEN: readonly RecordCase[] = [
  {
    name: "broken",
    lines: [
      "no line of a runtime",
      "",
      `${time(1)} stdout`,
      `${time(2)} stdout F`,
      `${time(3)} stdout text without a tag`,
      `${time(4)} F text without a stream`,
      `${time(5)} other F text of another stream`,
      `yesterday stdout F text of no time`,
      `${time(9)} stdout F good`,
    ],
    wanted: [{ log: "good", at: time(9) }],
    more: true,
  },
];

/** With namespace and UID it is as long as the name of a folder may be. */
const LONGEST_POD = `${"long-0.".repeat(29)}pod-end`;
/** Of other texts, since some collectors know a file by how it begins. */
const NAMES: readonly RecordCase[] = [
  ...["x-team-team", "team", "team-x", "a-team", "kube-system", "0-team"].map((namespace) => ({
    ...asIs(`namespace-${namespace}`, `in ${namespace}`),
    namespace,
  })),
  { ...asIs("pod-long", "of a long pod"), pod: LONGEST_POD },
  { ...asIs("pod-dots", "of a pod with dots"), pod: "web-0.a.b.example" },
  { ...asIs("container-dashes", "of a container with dashes"), container: "side-car-1-2" },
];

/** Odd lines, and names of every kind. */
export const TEXT_CASES: readonly RecordCase[] = [...TIMES, ...TEXTS, CUT_SHORT, ...PARTS, ...BROKEN, ...NAMES];
