import assert from "node:assert/strict";
import { checkCorefile } from "../../corefile/checks/checker.ts";

/** Warnings of a Corefile with a template of these lines. */
function warningsOf(...lines: readonly string[]): readonly string[] {
  return warningsIn("x.example", lines);
}

function warningsIn(zone: string, lines: readonly string[]): readonly string[] {
  const template = `template IN A ${zone} {\n${[...lines, "fallthrough"].join("\n")}\n}`;
  const rest = ["errors", "health", "ready", "kubernetes cluster.local", "prometheus :9153", "forward . 10.0.0.2"];
  const text = `.:53 {\n${[template, ...rest, "cache 30", "loop", "reload"].join("\n")}\n}\n`;
  const { errors, warnings } = checkCorefile(text, { coredns: [1, 14, 3] });
  assert.deepEqual(errors, []);
  return warnings.map((warning) => warning.replace(`.:53: template IN A ${zone}: `, ""));
}

const FAILS = "and CoreDNS answers SERVFAIL instead";
const MATCH = String.raw`match "^ip-(?P<a>\d+)-(?P<b>\d+)[.]x[.]example[.]$"`;

/** What CoreDNS 1.12.4 and 1.14.3 answered with SERVFAIL, or with a record of another name. */
const wrong: readonly (readonly [lines: readonly string[], warning: string])[] = [
  [
    [MATCH, 'answer "{{ .Name }} 60 IN A 10.0.{{ .Group.a }}.{{ .Group.c }}"'],
    `answer has the group c, which no match names, ${FAILS}`,
  ],
  [
    [MATCH, 'answer "{{ .Name }} 60 IN A 10.0.0.{{ index .Group `3` }}"'],
    `answer has the group 3, which no match names, ${FAILS}`,
  ],
  [['answer "{{ .Name }} 60 IN A 10.0.0.{{ .Group.a }}"'], `answer has the group a, which no match names, ${FAILS}`],
  [
    [MATCH, 'answer "{{ .Name }} 60 IN A 10.0.0.{{ index .Match 3 }}"'],
    `answer has index .Match 3, but no match has so many groups, ${FAILS}`,
  ],
  [
    ['additional "{{ .Nam }} 60 IN A 10.0.0.1"'],
    `additional has .Nam, which is not one of .Zone, .Name, .Class, .Type, .Match, .Group, .Message, .Question, .Remote, .Meta, .Regex, ${FAILS}`,
  ],
  [
    ['answer "10.0.0.1"'],
    `answer "10.0.0.1" is not a record, ${FAILS}; write NAME TTL CLASS TYPE VALUE, such as {{ .Name }} 60 IN A 10.0.0.1`,
  ],
  [
    ["answer 60 IN A 10.0.0.1"],
    `answer "60" is not a record, ${FAILS}; write NAME TTL CLASS TYPE VALUE, such as {{ .Name }} 60 IN A 10.0.0.1`,
  ],
  [
    ['answer "60 IN A 10.0.0.1"'],
    "answer begins with 60, which CoreDNS takes for the record's name; begin it with {{ .Name }}",
  ],
  [
    ['answer "60 A 10.0.0.1"'],
    "answer begins with 60, which CoreDNS takes for the record's name; begin it with {{ .Name }}",
  ],
  [['answer "{{ .Name }} 60 IN A gw.example"'], `answer A gw.example is not an IPv4 address, ${FAILS}`],
  [['answer "{{ .Name }} 60 IN A 10.0.0.256"'], `answer A 10.0.0.256 is not an IPv4 address, ${FAILS}`],
  [['answer "{{ .Name }} 60 IN AAAA 10.0.0.1"'], `answer AAAA 10.0.0.1 is not an IPv6 address, ${FAILS}`],
];

describe("the records of a template", () => {
  for (const [lines, warning] of wrong) {
    it(`are reported if no query gets them: ${lines.at(-1)}`, () => assert.deepEqual(warningsOf(...lines), [warning]));
  }

  const right: readonly (readonly string[])[] = [
    [MATCH, 'answer "{{ .Name }} 60 IN A 10.0.{{ .Group.a }}.{{ index .Group `2` }}"'],
    [MATCH, 'answer "{{ .Name }} 60 IN A 10.0.0.{{ index .Match 2 }}"'],
    [MATCH, 'match "^(?P<c>[a-z]+)[.]x[.]example[.]$"', 'answer "{{ .Name }} 60 IN A 10.0.0.{{ .Group.c }}"'],
    [
      'answer "{{ .Name }} 5m A 10.0.0.1"',
      'authority "x.example. 60 IN SOA ns.x.example. a.x.example. (1 60 60 60 60)"',
    ],
    ['answer "{{ .Name }} 60 IN CNAME gw.example."', 'additional "gw.example. 60 IN AAAA fd00::1"'],
    ['answer "{{ .Name }} 60 IN A {{ (index .Message.Question 0).Name }}"'],
    ['answer "{{ .Name }} 60 IN A {{ with .Group }}{{ .anything }}{{ end }}"'],
    ['answer "{{ .Name }} 60 IN A {{ block `address` .Group }}{{ .anything }}{{ end }}"'],
    ['answer "{{ $question := index .Message.Question 0 }}{{ $question.Name }} 60 IN A 10.0.0.{{ $question.Qtype }}"'],
    ['answer "{{ .Name }} 60 IN TXT \\"10.0.0.1\\""'],
    ['answer "10 60 IN A 10.0.0.1"'],
  ];
  for (const lines of right) {
    it(`are accepted: ${lines.at(-1)}`, () => assert.deepEqual(warningsOf(...lines), []));
  }

  it("are reported if they read a variable that no line sets", () => {
    const answered = (type: string, ...lines: readonly string[]) => answeredIn(true, type, ...lines);
    const answeredIn = (isAddon: boolean, type: string, ...lines: readonly string[]) => {
      const template = `template IN ${type} x.example {\n${lines.join("\n")}\nfallthrough\n}`;
      const text = `.:53 {\n${template}\nforward . 10.0.0.2\n}\n`;
      const { warnings } = checkCorefile(text, { coredns: [1, 15, 0], isAddon });
      return warnings.filter((warning) => warning.includes(": answer ")).map((warning) => warning.replace(/^.*: /, ""));
    };
    const address = (value: string) => `answer "{{ .Name }} 60 IN A {{ ${value} }}"`;
    const missing = "answer has the variable ip, which no line var sets,";
    assert.deepEqual(answered("A", "var host name()", address(".Var.ip")), [`${missing} ${FAILS}`]);
    assert.deepEqual(answered("A", "var host name()", address("index .Var `ip`")), [`${missing} ${FAILS}`]);
    assert.deepEqual(answered("TXT", "var host name()", 'answer "{{ .Name }} 60 IN TXT {{ .Var.ip }}"'), [
      `${missing} so that the text has <no value> there`,
    ]);
    assert.deepEqual(answered("A", "var host name()", "var ip group('0')", address(".Var.ip")), []);
    assert.deepEqual(answeredIn(false, "A", "var {$NAME} name()", address(".Var.ip")), []);
    assert.deepEqual(answered("A", "var host name()", address("$.Var.host")), []);
  });

  it("are reported below the root zone, whose name is a dot", () => {
    const lines = ["match ^a[.]", 'authority "{{ .Name }} 60 IN NS ns.{{ .Zone }}"'];
    assert.deepEqual(warningsIn(".", lines), [
      `authority has ns.{{ .Zone }}, which ends in two dots, since .Zone is . here, ${FAILS}; name its zones`,
    ]);
    assert.deepEqual(warningsOf(...lines), []);
  });
});
