import assert from "node:assert/strict";
import { checkCorefile } from "../../corefile/checks/checker.ts";

const KUBERNETES = "kubernetes cluster.local";
const SOURCES = ["health", "ready", KUBERNETES];
const REST = ["prometheus :9153", "forward . 10.0.0.2", "cache 30", "loop", "reload"];

/** Warnings of a Corefile with lines before kubernetes, and more blocks. */
function warningsOf(lines: readonly string[], blocks = "", rest: readonly string[] = REST): readonly string[] {
  const text = `.:53 {\n${["errors", ...lines, ...SOURCES, ...rest].join("\n")}\n}\n${blocks}`;
  const { errors, warnings } = checkCorefile(text, { coredns: [1, 14, 3] });
  assert.deepEqual(errors, []);
  return warnings;
}

const block = (zone: string, ...lines: readonly string[]) => `${zone} {\nerrors\ncache\n${lines.join("\n")}\n}\n`;
const CNAME = (type: string, zone: string, match = ".") =>
  `template ANY ${type} ${zone} {\nmatch ${match}\nanswer "{{ .Name }} 60 IN CNAME a.b.svc.cluster.local."\nfallthrough\n}`;
const HOSTS = "hosts {\n10.0.0.9 a.example.com b.example.com\nfd00::9 c.example.com\nfallthrough\n}";
const ALIAS = ["rewrite name a.int.example b.a.svc.cluster.local"];
const forwardTo = (...upstreams: readonly string[]) =>
  REST.map((line) => (line.startsWith("forward") ? `forward . ${upstreams.join(" ")}` : line));

describe("answers that differ from what a Corefile suggests", () => {
  const cases: readonly (readonly [what: string, found: readonly string[], ...messages: readonly string[]])[] = [
    [
      "a wildcard of hosts",
      warningsOf(["hosts {\n10.0.0.1 *.apps.example a.example\nfallthrough\n}"]),
      "hosts *.apps.example: matches no name below it, since hosts has no wildcards",
    ],
    [
      "a rule for cname without the dot of its name",
      warningsOf(["rewrite cname exact old.example new.example."]),
      "rewrite cname old.example: matches no name",
    ],
    [
      "a rule for cname with two words",
      warningsOf(["rewrite cname old.example new.example."]),
      "rewrite cname old.example: matches no name",
    ],
    [
      "a rule for cname without the dot of its target",
      warningsOf(["rewrite cname suffix old.example. new.example"]),
      "without a dot at the end of new.example no answer is sent at all",
    ],
    [
      "a rule for cname that ends the rules",
      warningsOf(["rewrite cname exact a.example. b.example.", "rewrite cname exact c.example. d.example."]),
      "rewrite cname a.example.: the rules after it have no effect",
    ],
    ["rules for cname that go on", warningsOf(["rewrite continue cname exact a. b.", "rewrite cname exact c. d."])],
    ["NXDOMAIN for one type", warningsOf(["template ANY AAAA . {\nrcode NXDOMAIN\n}"]), "use rcode NOERROR"],
    ["NXDOMAIN for all types", warningsOf(["template ANY ANY bad.example {\nrcode NXDOMAIN\n}"])],
    ["no data for one type", warningsOf(["template ANY AAAA {\nrcode NOERROR\n}"])],
    [
      "a template for CNAME alone",
      warningsOf([CNAME("CNAME", "k8s")]),
      "template ANY CNAME k8s: is only for queries of type CNAME, and a client that needs an address asks for A or AAAA; write ANY for it",
    ],
    ["a template for CNAME beside another", warningsOf([CNAME("CNAME", "k8s"), CNAME("A", "k8s")])],
    [
      "a template for CNAME beside another for other names",
      warningsOf([CNAME("CNAME", "k8s"), CNAME("A", "corp.example")]),
      "template ANY CNAME k8s: is only for queries of type CNAME",
    ],
    ["a CNAME for all types", warningsOf([CNAME("ANY", "k8s")])],
    [
      "an entry of hosts that a template takes",
      warningsOf([CNAME("A", "example.com", "\\.example\\.com"), HOSTS]),
      "hosts a.example.com and 1 more: is not used, since template ANY A example.com comes first and answers it; give it a template of its own above that one",
    ],
    [
      "an entry of hosts that a template for all types takes",
      warningsOf([CNAME("ANY", "c.example.com"), HOSTS]),
      "hosts c.example.com: is not used, since template ANY ANY c.example.com comes first",
    ],
    [
      "an entry of hosts that no template takes",
      warningsOf([
        CNAME("A", "example.com", "^x\\."),
        CNAME("AAAA", "a.example.com"),
        CNAME("A", "other.example"),
        CNAME("TXT", "example.com"),
        HOSTS,
      ]),
    ],
    [
      "a rewrite to a Service in a block without kubernetes",
      warningsOf(
        [],
        block("int.example", "rewrite name suffix .int.example .a.svc.cluster.local answer auto", "forward . 10.0.0.2"),
      ),
      "a name of the cluster that this block asks 10.0.0.2 for",
    ],
    [
      "a rewrite to a Service in a block without any source",
      warningsOf([], block("int.example", "rewrite name a.int.example b.a.svc.cluster.local")),
      "a name of the cluster that nothing in this block answers",
    ],
    [
      "a rewrite to a Service that kube-dns is asked for",
      warningsOf([], block("int.example", ...ALIAS, "forward cluster.local 172.20.0.10", "forward . 10.0.0.2")),
    ],
    [
      "a rewrite to a Service in a block that asks kube-dns for all names",
      warningsOf([], block("int.example", ...ALIAS, "forward . 172.20.0.10")),
      "forward 172.20.0.10: is a loop for names that no rewrite takes, such as int.example, since this is the Service kube-dns",
    ],
    ["a rewrite to a Service beside kubernetes", warningsOf(["rewrite name a.example b.a.svc.cluster.local"])],
    [
      "a forward for another zone than its block's",
      warningsOf([], block("corp.example", "forward corp.test 10.0.0.3")),
      "names of corp.test do not reach a block for corp.example",
    ],
    [
      "a template for another zone than its block's",
      warningsOf([], block("corp.example", "template IN A corp.test {\nmatch ^a\n}", "forward . 10.0.0.3")),
      "template corp.test: is never used, since names of corp.test do not reach a block for corp.example",
    ],
    [
      "acl for another zone than its block's",
      warningsOf([], block("corp.example", "acl corp.test {\nblock\n}", "forward . 10.0.0.3")),
      "acl corp.test: is never used",
    ],
    [
      "a forward for a network in a block for reverse names",
      warningsOf([], block("10.in-addr.arpa", "forward 10.1.2.0/24 10.0.0.3")),
    ],
    [
      "a forward for a network of another block",
      warningsOf([], block("10.in-addr.arpa", "forward 192.168.0.0/16 10.0.0.3")),
      "forward 192.168.0.0/16: is never used",
    ],
    ["a forward for a part of its block", warningsOf([], block("corp.example", "forward a.corp.example 10.0.0.3"))],
    [
      "a block for Services without kubernetes",
      warningsOf([], block("svc.cluster.local:53", "forward . 10.0.0.9")),
      "zone svc.cluster.local: Services below it are not answered",
    ],
    [
      "a private and a public upstream",
      warningsOf([], "", forwardTo("10.20.0.2", "8.8.8.8")),
      "forward . 10.20.0.2 8.8.8.8: one is chosen at random",
    ],
    ["the nodes' resolver and a public one", warningsOf([], "", forwardTo("/etc/resolv.conf", "1.1.1.1")), "at random"],
    ["private upstreams", warningsOf([], "", forwardTo("10.20.0.2", "192.168.0.2", "[fd00::2]:53"))],
    ["public upstreams", warningsOf([], "", forwardTo("8.8.8.8", "[2001:4860:4860::8888]:53"))],
    [
      "a public upstream after a private one",
      warningsOf([], "", forwardTo("10.0.0.2", "8.8.8.8 {\npolicy sequential\n}")),
    ],
  ];
  for (const [what, found, ...messages] of cases) {
    it(`${messages.length === 0 ? "is not" : "is"} ${what}`, () => {
      assert.equal(found.length, messages.length, found.join("\n"));
      for (const message of messages) assert.ok(found[0]?.includes(message), found[0]);
    });
  }

  it("is dns64 on an IPv4 cluster", () => {
    const of = (lines: string, clusterDns?: readonly string[]) =>
      checkCorefile(`.:53 {\n${["errors", lines, ...SOURCES, ...REST].join("\n")}\n}\n`, { clusterDns }).warnings;
    assert.match(String(of("dns64", ["10.100.0.10"])), /dns64: has no effect, since it is for queries over IPv6/);
    assert.deepEqual(of("dns64 {\nallow_ipv4\n}", ["10.100.0.10"]), []);
    for (const clusterDns of [undefined, ["fd00::a"]]) assert.deepEqual(of("dns64", clusterDns), []);
  });

  it("is translate_all of dns64 on an IPv6 cluster", () => {
    const of = (lines: string, blocks: string, clusterDns?: readonly string[]) =>
      checkCorefile(`.:53 {\nhealth\nready\n${lines}\nforward . 10.0.0.2\n}\n${blocks}`, { clusterDns }).errors;
    const dns64 = "dns64 {\ntranslate_all\n}";
    assert.deepEqual(of(`${dns64}\n${KUBERNETES}`, "", ["fd00::a"]), [
      ".:53: dns64: translate_all only gives names their translated IPv4 addresses, and Services of this IPv6 cluster have none; leave it out, or give kubernetes a block of its own",
    ]);
    for (const clusterDns of [undefined, ["10.100.0.10"], ["10.100.0.10", "fd00::a"]])
      assert.deepEqual(of(`${dns64}\n${KUBERNETES}`, "", clusterDns), []);
    assert.deepEqual(of(`dns64\n${KUBERNETES}`, "", ["fd00::a"]), []);
    assert.deepEqual(of(dns64, block("cluster.local", KUBERNETES), ["fd00::a"]), []);
  });

  it("is a stub domain in a separate block beside autopath", () => {
    const stub = block("corp.example", "forward . 10.0.0.3");
    const verified = [
      "errors",
      "health",
      "ready",
      "autopath @kubernetes",
      `${KUBERNETES} {\npods verified\n}`,
      ...REST,
    ];
    const of = (lines: readonly string[], blocks: string) =>
      checkCorefile(`.:53 {\n${lines.join("\n")}\n}\n${blocks}`).warnings;
    assert.deepEqual(of(verified, stub), [
      ".:53: autopath: asks the upstreams of this block for corp.example, not those of the block for corp.example; use a line forward corp.example here instead",
    ]);
    assert.deepEqual(
      of(
        verified.filter((line) => !line.startsWith("autopath")),
        stub,
      ),
      [],
    );
    assert.deepEqual(of(verified, block("10.in-addr.arpa", "forward . 10.0.0.3")), []);
  });
});

describe("a Corefile that CoreDNS cannot parse at all", () => {
  const errorsOf = (text: string) => checkCorefile(text, { coredns: [1, 14, 3] }).errors;

  it("is recognized as a ConfigMap", () => {
    assert.deepEqual(errorsOf("kind: ConfigMap\ndata:\n  Corefile: |\n    .:53 {\n        errors\n    }\n"), [
      "line 3: is a key of a ConfigMap, not a line of a Corefile; give only the text below Corefile",
    ]);
  });

  it("is recognized as a configuration of the add-on", () => {
    assert.deepEqual(errorsOf("replicaCount: 2\ncorefile: |\n  .:53 {\n      errors\n  }\n"), [
      "line 2: is a key of a configuration of the add-on, not a line of a Corefile; give only the text below corefile",
    ]);
  });

  it("has JSON-escaped line breaks", () => {
    const message =
      "line 1: its line breaks are a backslash and an n, so that CoreDNS takes all words for zones; write lines";
    assert.deepEqual(errorsOf(".:53 {\\n    errors\\n    health\\n}\n"), [message]);
    assert.deepEqual(errorsOf('{"corefile": ".:53 {\\r\\n    errors\\r\\n}"}'), [message]);
  });

  it("imports a path from an empty variable", () => {
    assert.match(String(errorsOf(".:53 {\n    import {$NONE}\n}\n")), /import takes the name of a snippet/);
  });

  it("lacks a space before a brace", () => {
    assert.deepEqual(errorsOf(".:53 {\n    health{\n        lameduck 5s\n    }\n}\n"), [
      "line 2: health{ needs a space before its brace",
    ]);
    assert.deepEqual(
      errorsOf(".:53 {\n    # was health{\n    foo\n}\n").filter((text) => text.includes("foo")),
      [".:53: foo: CoreDNS 1.14.3 has no such plugin, and does not start"],
    );
    assert.deepEqual(errorsOf(".:53{\n    errors\n}\n"), ["line 1: .:53{ needs a space before its brace"]);
  });
});
