import assert from "node:assert/strict";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import type { Version } from "../../corefile/releases.ts";
import { block, check, withLines } from "./default-corefile.ts";

const NOTHING = { errors: [], warnings: [] };
const AUTO = "answer auto";
const SERVICE = "web.shop.svc.cluster.local";
const stub = (zone: string, ...lines: readonly string[]) => block(zone, "errors", "cache", ...lines);
const STUB = stub("corp.example:53", "forward . 10.0.0.9");

describe("a rule of rewrite", () => {
  const cases: readonly (readonly [text: string, message: string])[] = [
    [
      withLines(`rewrite name regex ^(.*)\\.(corp|prod)$ {1}.${SERVICE} ${AUTO}`),
      "matches no name, since every name ends with a dot; end it with \\.$",
    ],
    [withLines(`rewrite name regex ^web\\.[a-z]+$ ${SERVICE} ${AUTO}`), "since every name ends with a dot"],
    [
      withLines(`rewrite name *.corp.example ${SERVICE}`),
      "rewrite *.corp.example: matches no name, since only a regex has wildcards; use suffix .corp.example",
    ],
    [
      withLines(`rewrite name ^web\\.corp\\.example\\.$ ${SERVICE}`),
      "matches no name, since exact compares it literally; write regex before it",
    ],
    [
      withLines(`rewrite name suffix .corp.example {1}.shop.svc.cluster.local ${AUTO}`),
      "rewrite suffix .corp.example: {1} in {1}.shop.svc.cluster.local is not replaced, since only a regex has groups",
    ],
    [
      withLines(`rewrite name regex ^(.*)\\.corp\\.$ {2}.${SERVICE} ${AUTO}`),
      `rewrite ^(.*)\\.corp\\.$: {2} in {2}.${SERVICE} is not replaced, since ^(.*)\\.corp\\.$ has one group`,
    ],
    [
      withLines(`rewrite name suffix .corp.example .${SERVICE} answer name ^(.*)\\.(web)\\.$ {1}.{3}.corp.example`),
      "{3} in {1}.{3}.corp.example is not replaced, since ^(.*)\\.(web)\\.$ has 2 groups",
    ],
    [
      withLines(`rewrite name regex ^.*\\.b\\.example\\.$ ${SERVICE} ${AUTO}\nrewrite name a.b.example ${SERVICE}`),
      "rewrite a.b.example: has no effect, since rewrite ^.*\\.b\\.example\\.$ comes first and takes its names",
    ],
    [
      withLines(`rewrite name suffix .b.example .shop.svc.cluster.local ${AUTO}\nrewrite name a.b.example ${SERVICE}`),
      "rewrite a.b.example: has no effect, since rewrite .b.example comes first",
    ],
    ...["substring a.b", "prefix a.b", "suffix xa.b.example", "exact c.a.b.example"].map((rule) => {
      const [match = "", from = ""] = rule.split(" ");
      const auto = match === "exact" ? "" : ` ${AUTO}`;
      return [
        withLines(`rewrite name substring .b. .${SERVICE} ${AUTO}\nrewrite name ${rule} ${SERVICE}${auto}`),
        `rewrite ${from}: has no effect, since rewrite .b. comes first and takes its names`,
      ] as const;
    }),
    [
      withLines(`rewrite name exact .corp.example ${SERVICE}`),
      "rewrite .corp.example: matches no name, since none begins with a dot; use suffix .corp.example, which takes all",
    ],
    [
      withLines("", stub("corp.example:53", "rewrite name a.other.example b.corp.example", "forward . 10.0.0.9")),
      "rewrite a.other.example: has no effect, since names of a.other.example do not reach a block for corp.example:53",
    ],
    [
      withLines("rewrite name web.old.example web.corp.example", STUB),
      "leads to web.corp.example, which this block looks up at /etc/resolv.conf, not in the block for corp.example:53",
    ],
    [
      withLines("rewrite name foo.example.com web.shop"),
      "leads to web.shop, a name outside the cluster; write that of a Service, web.shop.svc.cluster.local",
    ],
    [withLines("rewrite name foo.example.com web.shop.svc"), "write that of a Service, web.shop.svc.cluster.local"],
    [
      withLines(`rewrite name suffix corp.example .example.org ${AUTO}`),
      "rewrite corp.example: leads to names with an empty label, since .example.org begins with a dot, and CoreDNS answers SERVFAIL; begin both with a dot",
    ],
    [
      withLines(`rewrite name prefix www. . ${AUTO}`),
      "rewrite www.: leads to names with an empty label, since . begins with a dot, and CoreDNS answers SERVFAIL; use a regex to leave a label out",
    ],
    [withLines("rewrite name a.example .example.org"), "and CoreDNS answers SERVFAIL; leave the dot out"],
    [withLines(`rewrite name regex ^a\\.b\\.$ .c.example ${AUTO}`), "and CoreDNS answers SERVFAIL; leave the dot out"],
    [
      withLines(`rewrite name suffix .corp.example example.org ${AUTO}`),
      "rewrite .corp.example: joins two labels: it makes nameexample.org of name.corp.example; begin both with a dot",
    ],
    [
      withLines("rewrite stop type AAAA A"),
      "rewrite type AAAA A: answers queries for AAAA with A records, which clients such as nginx reject, so that they ask again until they time out; use template IN AAAA with rcode NOERROR, the answer of a name without such records",
    ],
    [withLines("rewrite {\ntype txt a\n}"), "rewrite type TXT A: answers queries for TXT with A records"],
    [
      withLines("rewrite name foo.example.com 10.0.0.5"),
      "leads to 10.0.0.5, which is asked for as a name; use hosts for an address",
    ],
  ];
  for (const [text, message] of cases)
    it(`is said to be of no use: ${message.slice(0, 70)}`, () => {
      const { errors, warnings } = check(text);
      assert.deepEqual(errors, []);
      assert.equal(warnings.length, 1, warnings.join("\n"));
      assert.ok(warnings[0]?.includes(message), warnings[0]);
    });

  const fine: readonly string[] = [
    withLines(`rewrite name regex ^(.*)\\.(corp|prod)\\.$ {1}.shop.svc.cluster.local ${AUTO}`),
    withLines(`rewrite name regex ^([a-z]{1,8})\\.corp\\.example\\.$ {1}.shop.svc.cluster.local ${AUTO}`),
    withLines(`rewrite name suffix .corp.example .shop.svc.cluster.local ${AUTO}`),
    withLines(`rewrite name a.b.example ${SERVICE}\nrewrite name suffix .b.example .shop.svc.cluster.local ${AUTO}`),
    // The second rule leads to a name of the third.
    withLines(
      `rewrite name a.b.example ${SERVICE}\nrewrite continue name c.example a.b.example\nrewrite name a.b.example ${SERVICE}`,
    ),
    withLines("", stub("corp.example:53", "rewrite name a.corp.example b.corp.example", "forward . 10.0.0.9")),
    withLines("", stub("corp.example:53", `rewrite name suffix .example .corp.example ${AUTO}`, "forward . 10.0.0.9")),
    withLines("rewrite name web.old.example web.corp.example", STUB).replace(
      "forward .",
      "forward corp.example 10.0.0.9\nforward .",
    ),
    withLines("rewrite name web.old.example example.com"),
    withLines(`rewrite name substring .b. .c. ${AUTO}`),
    withLines(`rewrite name suffix .corp.example . ${AUTO}`),
    withLines(`rewrite name suffix corp.example example.org ${AUTO}`),
    withLines("rewrite name a.example ."),
    withLines("rewrite type ANY HINFO"),
    withLines("rewrite continue type A A"),
    withLines("rewrite name web.old.example old.example"),
    // A domain of one's own ends like this, so it is no namespace.
    withLines("rewrite name foo.example.com web.SHOP", stub("a.shop:53", "forward . 10.0.0.9")),
    withLines(`rewrite name regex ^(.*)\\.x\\.(\\w+)\\.$ {1}.{2} ${AUTO}`),
  ];
  for (const [index, text] of fine.entries())
    it(`is accepted: ${index}`, () => {
      assert.deepEqual(check(text), NOTHING);
    });
});

describe("an entry of hosts", () => {
  const hosts = (words: string, name: string) => `hosts${words} {\n10.0.0.9 ${name} b.${name}\nfallthrough\n}`;

  it("is useless for a name that is not queried there", () => {
    for (const text of [
      withLines("", stub("corp.example", hosts("", "a.other.example"), "forward . 10.0.0.9")),
      withLines(hosts(" /etc/hosts corp.example", "a.other.example")),
    ])
      assert.match(
        String(check(text).warnings),
        /hosts a\.other\.example and 1 more: is never queried here, since this block is for names of corp\.example/,
      );
  });

  it("is useful for a name of its zones, or for an address", () => {
    for (const text of [
      withLines(hosts(" /etc/hosts corp.example", "a.corp.example")),
      withLines("", stub("10.in-addr.arpa", hosts("", "a.other.example"), "forward . 10.0.0.9")),
    ])
      assert.deepEqual(check(text), NOTHING);
  });
});

describe("a match of template", () => {
  const template = (match: string) =>
    `template IN A corp.example {\nmatch ${match}\nanswer "{{ .Name }} 60 IN A 10.0.0.9"\nfallthrough\n}`;

  it("matches no name without the trailing dot, or with capital letters", () => {
    for (const [match, why] of [
      ["^web\\.corp\\.example$", "matches no name, since every name ends with a dot"],
      ["^Web\\.corp\\.example\\.$", "matches no name, since CoreDNS compares names in lower case"],
    ] as const) {
      const { warnings } = check(withLines(template(match)));
      assert.equal(warnings.length, 1, warnings.join("\n"));
      assert.ok(warnings[0]?.includes(`match ${match} ${why}`), warnings[0]);
    }
    assert.deepEqual(check(withLines(template("^web\\.corp\\.example\\.$"))), NOTHING);
  });

  it("cannot exceed the TTL that a cache keeps, after it from 1.14.7 on and before it until then", () => {
    const of = (coredns: Version, rule: string) => check(withLines(rule), coredns).warnings;
    const told = (rule: string) => [
      `.:53: rewrite ttl ${rule}: clients ask again, but the cache, which is behind rewrite from CoreDNS 1.14.7 on, keeps the answer for its own TTL, up to 30 s; shorten cache instead`,
    ];
    assert.deepEqual(of([1, 14, 6], "rewrite ttl exact a.example 10"), []);
    assert.deepEqual(of([1, 14, 7], "rewrite ttl exact a.example 10"), told("exact a.example 10"));
    assert.deepEqual(of([1, 15, 0], "rewrite continue ttl suffix .example 5-10"), told("suffix .example 5-10"));
    for (const range of ["30", "5-", "10-60", "-60"])
      assert.deepEqual(of([1, 15, 0], `rewrite ttl exact a.example ${range}`), [], range);
    for (const range of ["60", "60-", "60-90"])
      assert.deepEqual(of([1, 14, 6], `rewrite ttl exact a.example ${range}`), [
        `.:53: rewrite ttl exact a.example ${range}: clients get 30 s at most, since the cache is before rewrite until CoreDNS 1.14.7; lengthen cache too`,
      ]);
    for (const range of ["30", "10-60", "-60"])
      assert.deepEqual(of([1, 14, 6], `rewrite ttl exact a.example ${range}`), [], range);
  });

  it("does not replace the code of a failure before 1.14.7", () => {
    const of = (coredns: Version | undefined, rule: string) =>
      checkCorefile(withLines(rule), { coredns, isAddon: true }).warnings;
    for (const words of ["a.example SERVFAIL NXDOMAIN", "suffix .example refused NOERROR", "exact a.example 2 3"]) {
      const code = words.split(" ").at(-2);
      for (const coredns of [undefined, [1, 12, 4], [1, 14, 6]] as const)
        assert.deepEqual(of(coredns, `rewrite rcode ${words}`), [
          `.:53: rewrite rcode ${words}: has no effect until CoreDNS 1.14.7 for clients without EDNS, such as glibc and musl, since their answer ${code} has no record`,
        ]);
      assert.deepEqual(of([1, 14, 7], `rewrite continue rcode ${words}`), []);
    }
    assert.deepEqual(of([1, 14, 3], "rewrite rcode a.example NXDOMAIN NOERROR"), []);
  });
});
