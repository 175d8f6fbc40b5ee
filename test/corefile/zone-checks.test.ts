import assert from "node:assert/strict";
import { block, check, DEFAULT, withLines } from "./default-corefile.ts";

const VIEW = "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}";
const NOTHING = { errors: [], warnings: [] };
const OTHER = "errors\ncache\nloop\nforward . 10.0.0.9";

describe("a server block with a view", () => {
  it("comes before the block that takes all other queries", () => {
    assert.deepEqual(check(block(".:53", VIEW, OTHER) + block(".:53", DEFAULT)), NOTHING);
  });

  it("gets no query after a block without one", () => {
    assert.deepEqual(check(block(".:53", DEFAULT) + block(".:53", VIEW, OTHER)), {
      errors: [],
      warnings: [
        ".:53: view: no query reaches this block, since the block for .:53 above it has no view and takes all queries; move the block with the view up",
      ],
    });
  });

  it("may be the only one with kubernetes", () => {
    const { errors, warnings } = check(block(".:53", VIEW, DEFAULT) + block(".:53", OTHER));
    assert.deepEqual(errors, []);
    assert.match(String(warnings), /outside the views nothing answers it/);
  });

  it("comes after another with a view of its own", () => {
    const other = VIEW.replace("vpn", "office").replace("10.9", "10.8");
    assert.deepEqual(check(block(".:53", VIEW, OTHER) + block(".:53", other, OTHER) + block(".:53", DEFAULT)), NOTHING);
  });

  it("may be the only one", () => {
    assert.deepEqual(check(block(".:53", VIEW, DEFAULT)), {
      errors: [],
      warnings: ["zone .:53: is only in blocks with a view, so queries that match no view are refused"],
    });
  });
});

describe("a zone with capital letters", () => {
  it("gets no query", () => {
    assert.deepEqual(check(block(".:53", DEFAULT) + block("Corp.Example:53", OTHER)), {
      errors: [],
      warnings: [
        "Corp.Example:53: zone Corp.Example:53: no query reaches it, since CoreDNS compares names in lower case; write corp.example:53",
      ],
    });
  });

  it("leaves the cluster's names to another block", () => {
    const { errors } = check(block("Cluster.Local:53", DEFAULT) + block(".:53", OTHER));
    assert.match(String(errors), /^\.:53: zone cluster\.local: nothing answers it/);
  });

  it("does not exist in a network", () => {
    assert.deepEqual(check(block(".:53", DEFAULT) + block("FD00::/8:53", OTHER)), NOTHING);
  });
});

describe("a zone that no query reaches", () => {
  const cases: readonly (readonly [text: string, message: string])[] = [
    [
      block("*.corp.example:53", OTHER),
      "zone *.corp.example:53: no query reaches it, since a zone has no wildcards; write corp.example:53",
    ],
    [
      block("corp.example:5353", OTHER),
      "port 5353: no pod queries it, since the Service kube-dns uses 53; leave the port out",
    ],
    [block("http://corp.example:53", OTHER), "CoreDNS does not serve http://; leave it out"],
    [block("unix:///run/corp.sock", OTHER), "CoreDNS does not serve unix://; leave it out"],
  ];
  for (const [text, message] of cases)
    it(`is ${text.split(" ")[0]}`, () => {
      const { errors, warnings } = check(withLines("", text));
      assert.deepEqual(errors, []);
      assert.equal(warnings.length, 1, String(warnings));
      assert.ok(warnings[0]?.includes(message), warnings[0]);
    });

  it("is not one that this CoreDNS queries, nor one of TLS", () => {
    const stage = withLines("forward a.example 127.0.0.1:5353");
    assert.deepEqual(
      check(stage + block(".:5353", OTHER)).warnings.filter((text) => text.includes("port")),
      [],
    );
    assert.deepEqual(check(withLines("", block("tls://corp.example", OTHER))), NOTHING);
  });

  it("may be in a line of forward or template", () => {
    for (const line of [
      "forward *.corp.example 10.0.0.9",
      'template IN A *.corp.example {\nanswer "{{ .Name }} 60 IN A 10.0.0.9"\n}',
    ])
      assert.match(
        String(check(withLines(line)).warnings),
        /\*\.corp\.example: matches no name, since a zone has no wildcards/,
      );
  });
});

describe("reverse names", () => {
  const LOST =
    /kubernetes in-addr\.arpa( ip6\.arpa)?: no query for these names reaches this block, so the addresses of/;

  it("belong to another block than that of kubernetes", () => {
    assert.match(String(check(withLines("", block("in-addr.arpa:53", OTHER))).warnings), LOST);
    assert.match(String(check(block("cluster.local:53", DEFAULT) + block(".:53", OTHER)).warnings), LOST);
  });

  it("reach kubernetes, or are of foreign addresses", () => {
    assert.deepEqual(check(withLines("", block("10.in-addr.arpa:53", OTHER))), NOTHING);
    const zones = "cluster.local:53 in-addr.arpa:53 ip6.arpa:53";
    assert.deepEqual(check(block(zones, DEFAULT) + block(".:53", OTHER)), NOTHING);
  });

  it("end without fallthrough", () => {
    const without = (words: string) => DEFAULT.replace(/^ *fallthrough.*$/m, words);
    assert.deepEqual(check(block(".:53", without(""))).warnings, [
      ".:53: kubernetes in-addr.arpa ip6.arpa: without fallthrough every address outside the cluster has no name (NXDOMAIN); add fallthrough in-addr.arpa ip6.arpa",
    ]);
    const alone = without("").replace(/^ *forward.*$/m, "");
    const zones = "cluster.local:53 in-addr.arpa:53 ip6.arpa:53";
    const { warnings } = check(block(zones, alone) + block(".:53", OTHER));
    assert.match(warnings.join(), /add fallthrough in-addr\.arpa ip6\.arpa and a forward behind it/);
    assert.deepEqual(check(block(".:53", without("fallthrough in-addr.arpa"))), NOTHING);
    // For all names, it is too wide for the cluster's own.
    const [message, ...more] = check(block(".:53", without("fallthrough"))).warnings;
    assert.match(message ?? "", /^\.:53: kubernetes fallthrough: asks /);
    assert.deepEqual(more, []);
  });
});

describe("bind", () => {
  it("is an error if no pod reaches the block for all names", () => {
    for (const hosts of ["127.0.0.1", "::1", "lo", "lo 127.0.0.2"])
      assert.deepEqual(check(block(".:53", `bind ${hosts}`, DEFAULT)).errors, [
        `.:53: bind ${hosts}: no other pod reaches this block, since this is the loopback of CoreDNS's own pod; leave bind out`,
      ]);
  });

  it("may name the pod's addresses too, or those of another block", () => {
    for (const hosts of ["eth0", "0.0.0.0", "127.0.0.1 eth0"])
      assert.deepEqual(check(block(".:53", `bind ${hosts}`, DEFAULT)), NOTHING);
    const inner = block(".:53", "bind 127.0.0.1", "errors\nforward . 10.0.0.9");
    assert.deepEqual(check(block(".:53", "bind eth0", DEFAULT) + inner).errors, []);
    const stage = DEFAULT.replace("/etc/resolv.conf", "127.0.0.1:5300");
    assert.deepEqual(check(block(".:53", stage) + block(".:5300", "bind 127.0.0.1", OTHER)).warnings, []);
  });

  it("is the same if except leaves no address", () => {
    const lines = "lo {\nexcept 127.0.0.1 ::1\n}";
    const problem = "no query reaches this block, since except leaves no address; leave bind out";
    assert.deepEqual(check(block(".:53", `bind ${lines}`, DEFAULT)).errors, [`.:53: bind lo: ${problem}`]);
    for (const excluded of ["lo", "127.0.0.1 ::1"]) {
      const other = block("corp.example", `bind ${lines.replace("127.0.0.1 ::1", excluded)}`, OTHER);
      const stage = DEFAULT.replace("/etc/resolv.conf", "127.0.0.1:5300");
      const { warnings } = check(block(".:53", stage) + other + block(".:5300", "bind 127.0.0.1", OTHER));
      assert.deepEqual(warnings, [`corp.example: bind lo: ${problem}`]);
    }
    for (const some of ["eth0 lo {\nexcept lo\n}", "eth0 {\nexcept 127.0.0.1\n}"])
      assert.deepEqual(check(block(".:53", `bind ${some}`, DEFAULT)), NOTHING);
  });

  it("is a warning if no pod reaches another block", () => {
    const { errors, warnings } = check(block(".:53", DEFAULT) + block("corp.example", "bind lo", OTHER));
    assert.deepEqual(errors, []);
    assert.match(String(warnings), /corp\.example: bind lo: no other pod reaches this block/);
  });
});

const STUB = "errors\ncache\nforward . 10.0.0.9";
const CORP = block("corp.example:53", STUB);
const moved = "the block for corp.example:53 takes these names; move the line there";

describe("names that another block owns", () => {
  const cases: readonly (readonly [line: string, ...warnings: readonly string[]])[] = [
    ["forward corp.example 10.0.0.8", `forward corp.example: is never used, since ${moved}`],
    ["forward a.Corp.Example. 10.0.0.8", `forward a.Corp.Example: is never used, since ${moved}`],
    [
      "hosts {\n10.0.0.1 a.corp.example b.example corp.example\nfallthrough\n}",
      "hosts a.corp.example: is never queried here, since the block for corp.example:53 takes this name; move the line there",
      "hosts corp.example: is never queried here, since the block for corp.example:53 takes this name; move the line there",
    ],
    [
      "template ANY HTTPS corp.example other.example {\nrcode NOERROR\n}",
      `template corp.example: is never used, since ${moved}`,
    ],
    ["acl vault.corp.example {\nblock\n}", `acl vault.corp.example: is never used, since ${moved}`],
    ["rewrite name a.corp.example b.example", `rewrite a.corp.example: has no effect, since ${moved}`],
    ["rewrite name suffix .corp.example .example answer auto", `rewrite .corp.example: has no effect, since ${moved}`],
    // Its target is nobody's matter then.
    [
      "rewrite name a.corp.example a.default.svc.cluster.local\nforward other.example 10.0.0.8",
      `rewrite a.corp.example: has no effect, since ${moved}`,
    ],
  ];
  for (const [line, ...warnings] of cases)
    it(`are reported for ${JSON.stringify(line)}`, () => {
      const found = check(withLines(line) + CORP);
      assert.deepEqual(
        { ...found, warnings: found.warnings.filter((text) => /never|no effect/.test(text)) },
        { errors: [], warnings: warnings.map((text) => `.:53: ${text}`) },
      );
    });

  it("are reported in a block for some clients too", () => {
    const view = "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}";
    const { warnings } = check(block(".:53", view, "forward corp.example 10.0.0.8") + withLines("") + CORP);
    assert.deepEqual(
      warnings.filter((text) => text.includes("never used")),
      [`.:53: forward corp.example: is never used, since ${moved}`],
    );
  });

  const silent: readonly (readonly [why: string, text: string])[] = [
    ["the domain above", withLines("forward example 10.0.0.8") + CORP],
    ["a domain of its own below", block(".:53 a.corp.example:53", "forward corp.example 10.0.0.8", STUB) + CORP],
    ["another port", withLines("forward corp.example 10.0.0.8") + block("corp.example:5300", STUB)],
    [
      "a block for some clients",
      withLines("forward corp.example 10.0.0.8") +
        block("corp.example:53", "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}", STUB),
    ],
    [
      "the same domain for other clients",
      block(".:53", "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}", "forward corp.example 10.0.0.8") +
        withLines(""),
    ],
    [
      "a type that is called like a zone",
      withLines("template ANY A other.example {\nrcode NOERROR\n}") + block("a:53", STUB),
    ],
    [
      "a block on another address",
      withLines("forward corp.example 10.0.0.8") + block("corp.example:53", "bind 127.0.0.2", STUB),
    ],
    [
      "names that a rule leads there",
      withLines("forward corp.example 10.0.0.8", "rewrite name a.example a.corp.example") + CORP,
    ],
    ["a part of a label", withLines("rewrite name suffix corp.example corp.test answer auto") + CORP],
    [
      "names of an earlier rule",
      withLines("rewrite continue name a.example a.corp.example\nrewrite name a.corp.example b.example") + CORP,
    ],
  ];
  for (const [why, text] of silent)
    it(`are not those of ${why}`, () => {
      const { warnings } = check(text);
      assert.deepEqual(
        warnings.filter((message) => message.includes("move the line there")),
        [],
      );
    });
});
