import assert from "node:assert/strict";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import type { Version } from "../../corefile/releases.ts";
import { block, check, withLines } from "./default-corefile.ts";

const NOTHING = { errors: [], warnings: [] };
const STUB = "errors\ncache\nforward . 10.0.0.9";
const template = (words: string, ...lines: readonly string[]) => `template ${words} {\n${lines.join("\n")}\n}`;
const ANSWER = 'answer "{{ .Name }} 60 IN A 10.0.0.9"';

describe("hosts", () => {
  const errors: readonly (readonly [lines: string, message: string])[] = [
    [
      "hosts {\n10.0.0.9 a.example\n}",
      "hosts: without fallthrough every other name, the cluster's own too, is SERVFAIL",
    ],
    [
      "hosts {\n10.0.0.9 a.example # fallthrough\n}",
      "hosts: without fallthrough every other name, the cluster's own too, is SERVFAIL",
    ],
    [
      "hosts {\n10.0.0.9 a.corp.example\nfallthrough corp.example\n}",
      "hosts: fallthrough corp.example only passes on those names, so that every other name, the cluster's own too,",
    ],
    [
      "hosts {\n10.0.0.9 a.example fallthrough\n}",
      "hosts: fallthrough on the line of an address is taken for a name, so that every other name, the cluster's own too,",
    ],
    ["hosts /etc/hosts", "add a line fallthrough behind the addresses"],
  ];
  for (const [lines, message] of errors)
    it(`ends the cluster's names with ${JSON.stringify(lines)}`, () => {
      const { errors: found } = check(withLines(lines));
      assert.equal(found.length, 1, String(found));
      assert.ok(found[0]?.startsWith(".:53: hosts: ") && found[0].includes(message), found[0]);
    });

  it("passes on its own names for other types in 1.14.5 and 1.14.6", () => {
    const of = (coredns: Version, line: string) => check(withLines(line), coredns).warnings;
    const hosts = "hosts {\n10.0.0.9 a.example\nfallthrough\n}";
    for (const coredns of [
      [1, 14, 5],
      [1, 14, 6],
    ] as const)
      assert.deepEqual(of(coredns, hosts), [
        ".:53: hosts: CoreDNS 1.14.5 and 1.14.6 pass on its own names too, for types such as TXT and HTTPS, so that an upstream may deny them; use another version",
      ]);
    for (const coredns of [
      [1, 14, 4],
      [1, 14, 7],
    ] as const)
      assert.deepEqual(of(coredns, hosts), []);
  });

  it("ends other names in its own zones", () => {
    const stub = "hosts {\n10.0.0.9 a.corp.example\n}";
    for (const text of [
      withLines("hosts /etc/hosts corp.example {\n10.0.0.9 a.corp.example\n}"),
      withLines("", block("corp.example", stub, STUB)),
    ]) {
      const { errors: found, warnings } = check(text);
      assert.deepEqual(found, []);
      assert.match(String(warnings), /hosts: without fallthrough every other name of corp\.example is SERVFAIL/);
    }
    const { errors: found, warnings } = check(withLines("hosts {\n10.0.0.9 a.b\nfallthrough cluster.local\n}"));
    assert.deepEqual(found, []);
    assert.match(
      String(warnings),
      /fallthrough cluster\.local only passes on those names, so that every other name is/,
    );
  });

  it("passes names on, but nothing follows", () => {
    const stub = block("corp.example", "errors\ncache\nhosts {\n10.0.0.9 a.corp.example\nfallthrough\n}");
    assert.deepEqual(check(withLines("", stub)).warnings, [
      "corp.example: hosts: no plugin follows fallthrough, so every name that hosts does not have is SERVFAIL; add a forward",
    ]);
  });

  it("passes its other names on, or knows them all", () => {
    assert.deepEqual(check(withLines("hosts {\n10.0.0.9 a.example\nfallthrough\n}")), NOTHING);
    assert.deepEqual(check(withLines("hosts {\n10.0.0.9 a.example\nfallthrough .\n}")), NOTHING);
    for (const more of ["", "fallthrough\n"]) {
      const one = block("a.corp.example", `errors\ncache\nhosts {\n10.0.0.9 a.corp.example\n${more}}`);
      assert.deepEqual(check(withLines("", one)), NOTHING);
    }
  });
});

describe("template", () => {
  const MATCH = "match ^web\\.corp\\.example\\.$";

  it("ends the cluster's names", () => {
    const cases: readonly (readonly [line: string, message: string])[] = [
      [
        template("IN A", MATCH, ANSWER),
        "without fallthrough every name, the cluster's own too, that no match fits is SERVFAIL",
      ],
      [template("ANY ANY", MATCH, "rcode NXDOMAIN"), "without fallthrough every name, the cluster's own too,"],
      [template("ANY ANY", "rcode NXDOMAIN"), "answers the cluster's own names before kubernetes sees them"],
      [template("IN A", ANSWER, "fallthrough"), "answers the cluster's own names before kubernetes sees them"],
      [template("IN A local", 'match "(.*)"', ANSWER), "answers the cluster's own names before kubernetes sees them"],
    ];
    for (const [line, message] of cases) {
      const { errors } = check(withLines(line));
      assert.equal(errors.length, 1, String(errors));
      assert.ok(errors[0]?.includes(message), errors[0]);
    }
  });

  it("ends other names in its zones", () => {
    for (const [line, message] of [
      [template("IN A corp.example", MATCH, ANSWER), "every name of corp.example that no match fits is SERVFAIL"],
      [template("IN AAAA", MATCH, "rcode NOERROR"), "every name that no match fits is SERVFAIL for this type"],
    ] as const) {
      const { errors, warnings } = check(withLines(line));
      assert.deepEqual(errors, []);
      assert.equal(warnings.length, 1, String(warnings));
      assert.ok(warnings[0]?.includes(message), warnings[0]);
    }
  });

  it("passes its other names on, or matches them all", () => {
    for (const line of [
      template("IN A", MATCH, ANSWER, "fallthrough"),
      template("IN AAAA", "rcode NOERROR"),
      template("IN A corp.example", ANSWER),
      template("IN A corp.example", "match ^[^.]+\\.corp\\.example\\.$", ANSWER),
      template("IN PTR 10.in-addr.arpa", "match ^(\\d+\\.){3}10\\.", 'answer "{{ .Name }} 60 IN PTR x."'),
      template("IN A corp.example", "match .*\\.corp\\.example\\.$", ANSWER),
      template("CH TXT", 'answer "{{ .Name }} 60 CH TXT x"'),
    ])
      assert.deepEqual(check(withLines(line)), NOTHING, line);
  });
});

describe("k8s_external", () => {
  const line = (zones: string, fallthrough = "") => `k8s_external ${zones} {\n${fallthrough}\n}`;

  it("ends what kubernetes has behind it", () => {
    const { errors, warnings } = check(withLines(line("ext.example in-addr.arpa ip6.arpa")));
    assert.deepEqual(errors, []);
    assert.deepEqual(warnings, [
      ".:53: k8s_external in-addr.arpa ip6.arpa: sees these names before kubernetes and only has external addresses, so that all others are NXDOMAIN; add a line fallthrough in-addr.arpa ip6.arpa",
    ]);
    for (const zones of ["cluster.local", "local", ""]) {
      const [error, ...more] = check(withLines(line(zones))).errors;
      assert.ok(error?.startsWith(".:53: k8s_external cluster.local"), String(error));
      assert.deepEqual(more, []);
    }
  });

  it("passes it on, or has names of its own", () => {
    for (const text of [
      line("ext.example"),
      line("ext.example 10.in-addr.arpa"),
      line("ext.example in-addr.arpa ip6.arpa", "fallthrough in-addr.arpa ip6.arpa"),
      line("cluster.local", "fallthrough"),
    ])
      assert.deepEqual(check(withLines(text)), NOTHING, text);
  });
});

describe("acl", () => {
  const acl = (...rules: readonly string[]) => `acl {\n${rules.join("\n")}\n}`;
  /** In a CoreDNS whose cache is asked after the rules. */
  const uncached = (line: string) => checkCorefile(withLines(line), { coredns: [1, 14, 7] });

  it("ends the cluster's names if its first rule is for all", () => {
    for (const [rule, effect] of [
      ["block", "refuses every query"],
      ["filter type * net *", "empties every answer"],
      ["drop net *", "leaves every query without an answer"],
    ] as const) {
      const { errors } = check(withLines(acl(rule, "allow net 10.0.0.0/8")));
      assert.equal(errors.length, 1, String(errors));
      assert.ok(errors[0]?.includes(`without a condition is first and ${effect}`), errors[0]);
    }
  });

  it("ends them with a rule for their address type too, whatever the order of its sections", () => {
    for (const rule of ["block type A", "drop net * type AAAA A"]) {
      const [error] = check(withLines(acl(rule))).errors;
      const types = rule.includes("drop") ? "AAAA A" : "A";
      assert.ok(error?.includes(`type ${types} for every network is first and`), String(error));
    }
    for (const rule of [
      "block net * type ANY",
      "filter type AAAA",
      "filter type AAAA net *",
      "block type A net 10.9.0.0/16",
    ])
      assert.deepEqual(uncached(acl(rule, "allow net 10.0.0.0/8")), NOTHING, rule);
  });

  it("has rules that never apply", () => {
    for (const rules of [
      ["allow net 10.0.0.0/8", "block", "allow net 172.20.0.0/16"],
      ["allow", "block net 10.0.0.0/8"],
    ]) {
      const { errors, warnings } = check(withLines(acl(...rules)));
      assert.deepEqual(errors, []);
      assert.match(String(warnings), /acl: the rules behind (block|allow) without a condition have no effect/);
    }
  });

  it("has rules that apply", () => {
    for (const line of [
      acl("allow net 10.0.0.0/8", "block"),
      acl("block type ANY net *", "allow net 10.0.0.0/8"),
      "acl a.example b.example {\nfilter\n}",
    ])
      assert.deepEqual(uncached(line), NOTHING, line);
  });

  it("lets a client read from the cache what it blocks, in 1.14.3 to 1.14.6", () => {
    const of = (coredns: Version | undefined, ...lines: readonly string[]) =>
      checkCorefile(withLines(lines.join("\n")), { coredns, isAddon: true }).warnings;
    const rule = acl("block net 10.9.0.0/16");
    const told = [
      ".:53: acl: clients that it refuses still get what the cache has, which CoreDNS 1.14.3 to 1.14.6 ask before acl; use another version, or no cache for these names",
    ];
    assert.deepEqual(of(undefined, acl("allow net 10.0.0.0/8", "block")), told);
    for (const coredns of [undefined, [1, 14, 3], [1, 14, 6]] as const) assert.deepEqual(of(coredns, rule), told);
    for (const coredns of [
      [1, 12, 4],
      [1, 13, 2],
      [1, 14, 7],
      [1, 15, 0],
    ] as const)
      assert.deepEqual(of(coredns, rule), []);
    // No client has what is refused to all, and no cache keeps what is not for its zones.
    for (const line of [acl("block type ANY"), "acl corp.example {\nblock net 10.9.0.0/16\n}"]) {
      const text = withLines(line).replace("cache 30", "cache 30 cluster.local");
      assert.deepEqual(checkCorefile(text, { isAddon: true }), NOTHING, line);
    }
  });

  it("lets a blocked name pass that rewrite changes first, from 1.14.3 on", () => {
    const rule = "acl corp.example {\nblock net 10.9.0.0/16\n}";
    const of = (coredns: Version, ...lines: readonly string[]) =>
      checkCorefile(withLines(lines.join("\n")), { coredns }).warnings.filter((one) => one.includes("rewrite makes"));
    const told = (name: string, made: string) => [
      `.:53: acl: does not refuse ${name}, since it sees the name that rewrite makes of it, ${made}; give acl this zone too`,
    ];
    const rename = "rewrite name exact www.corp.example www.example answer auto";
    for (const coredns of [
      [1, 14, 3],
      [1, 15, 0],
    ] as const)
      assert.deepEqual(of(coredns, rename, rule), told("www.corp.example", "www.example"));
    for (const coredns of [
      [1, 12, 4],
      [1, 13, 2],
    ] as const)
      assert.deepEqual(of(coredns, rule, rename), []);
    const suffix = (from: string, to: string) => of([1, 14, 3], `rewrite name suffix ${from} ${to} answer auto`, rule);
    assert.deepEqual(suffix(".a.corp.example", ".b.example"), told("a.corp.example", "b.example"));
    assert.deepEqual(suffix(".example", ".test"), told("corp.example", "corp.test"));
    assert.deepEqual(suffix(".a.corp.example", ".b.corp.example"), []);
    assert.deepEqual(suffix(".other.example", ".b.example"), []);
    assert.deepEqual(of([1, 14, 3], rename, acl("block net 10.9.0.0/16")), []);
    assert.deepEqual(of([1, 14, 3], rename, rule.replace("block", "allow")), []);
  });

  it("lets a blocked name pass that autopath finds in a search list, until 1.14.7", () => {
    const of = (coredns: Version, line: string) =>
      checkCorefile(
        withLines(`autopath @kubernetes\n${line}`)
          .replace("cache 30", "cache 30 cluster.local")
          .replace("pods insecure", "pods verified"),
        { coredns },
      ).warnings.filter((warning) => warning.includes("acl: "));
    const rule = "acl corp.example {\nblock net 10.9.0.0/16\n}";
    for (const coredns of [
      [1, 12, 4],
      [1, 14, 3],
    ] as const)
      assert.deepEqual(of(coredns, rule), [
        ".:53: acl: clients that it refuses corp.example get its names by their search lists, which autopath walks behind acl until CoreDNS 1.14.7; leave autopath out, or let acl have all zones of the block",
      ]);
    assert.deepEqual(of([1, 14, 7], rule), []);
    assert.deepEqual(of([1, 12, 4], acl("block net 10.9.0.0/16")), []);
  });
});

describe("an IPv6 cluster", () => {
  const found = (lines: string, ...clusterDns: readonly string[]) =>
    checkCorefile(withLines(lines), { coredns: [1, 14, 3], clusterDns }).errors.length;
  const endings = [
    template("IN AAAA .", "rcode NOERROR"),
    template("ANY AAAA", 'match "\\.corp\\.$"', "rcode NXDOMAIN"),
    "acl {\nfilter type AAAA\n}",
  ];

  it("has AAAA records for its names, and no A records", () => {
    for (const lines of endings) {
      assert.equal(found(lines, "fd5e:1::a"), 1, lines);
      assert.equal(found(lines, "172.20.0.10"), 0, lines);
      assert.equal(found(lines.replaceAll("AAAA", "A"), "fd5e:1::a"), 0, lines);
      assert.equal(found(lines.replaceAll("AAAA", "A"), "172.20.0.10"), 1, lines);
    }
  });
});
