import assert from "node:assert/strict";
import fc from "fast-check";
import { corefileText } from "../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import type { CheckContext } from "../../corefile/checks/findings.ts";
import { dnsSettings } from "../components/dns/arbitraries.ts";

const BASE = [
  ...["errors", "health", "ready", "kubernetes cluster.local", "prometheus :9153", "forward . 10.0.0.2", "cache 30"],
  ...["loop", "reload", "loadbalance"],
];

/** Findings of the base Corefile with other lines, some of its own left out, and more blocks. */
function check(lines: readonly string[], without: readonly string[] = [], blocks = "", context: CheckContext = {}) {
  const kept = BASE.filter((line) => !without.some((name) => line.startsWith(name)));
  const text = `.:53 {\n${[...kept, ...lines].join("\n")}\n}\n${blocks}`;
  return checkCorefile(text, context);
}

describe("checkCorefile", () => {
  it("reports one error per line for probes that CoreDNS rejects", () => {
    assert.deepEqual(check(["health {\nlameduck 5\n}"], ["health"]).errors, [
      '.:53: health: lameduck takes a duration, such as 30s (found "5")',
    ]);
  });

  it("reports nothing else for a line of kubernetes that CoreDNS rejects", () => {
    const lines = ["kubernetes cluster.local {\npods verified\nttl 7200\n}", "autopath @kubernetes"];
    const rest = "forward . 10.0.0.2 {\nexcept cluster.local\n}";
    const found = check([...lines, rest], ["kubernetes", "forward"], "", { coredns: [1, 14, 3] });
    assert.deepEqual(found, {
      errors: ['.:53: kubernetes: ttl takes an integer from 0 to 3600 (found "7200")'],
      warnings: [],
    });
  });

  it("does not take the value of an unset variable for a zone", () => {
    const { errors } = check(["kubernetes {$DOMAIN} in-addr.arpa"], ["kubernetes"], "", { coredns: [1, 14, 3] });
    assert.deepEqual(errors, [
      ".:53: zone cluster.local: nothing answers it, the domain of every pod on EKS, since kubernetes answers in-addr.arpa",
    ]);
  });

  it("ignores the metrics port of a CoreDNS that is not the add-on", () => {
    const of = (isAddon: boolean) => check(["prometheus :9253"], ["prometheus"], "", { isAddon }).warnings;
    assert.equal(of(true).length, 1);
    assert.deepEqual(of(false), []);
  });

  it("finds nothing in the EKS default, nor in the tuned profile", () => {
    for (const profile of ["eks-default", "tuned"]) {
      const corefile = corefileText(DnsSettings.parse({ corefile: { profile } }));
      assert.deepEqual(checkCorefile(corefile), { errors: [], warnings: [] });
    }
  });

  it("finds no error in Corefiles rendered from any options", () => {
    fc.assert(
      fc.property(dnsSettings, (settings) => {
        assert.deepEqual(checkCorefile(corefileText(settings)).errors, []);
      }),
    );
  });

  const errors: readonly (readonly [what: string, found: ReturnType<typeof check>, message: string])[] = [
    [
      "a host's name upstream",
      check(["forward . dns.corp"], ["forward"]),
      '(found "dns.corp"); names are not looked up',
    ],
    [
      "a protocol that forward does not speak",
      check(["forward . quic://1.1.1.1"], ["forward"]),
      "forward: does not speak quic",
    ],
    [
      "an upstream without a domain",
      check(["forward 10.0.0.2"], ["forward"]),
      "forward: takes a domain before 10.0.0.2, such as .",
    ],
    ["a port that is none", check(["forward . 1.1.1.1:70000"], ["forward"]), "a port is 1 to 65535"],
    ["half an address", check(["forward . 10.0"], ["forward"]), '(found "10.0"); names are not looked up'],
    [
      "sixteen upstreams",
      check([`forward . ${Array(16).fill("1.1.1.1").join(" ")}`], ["forward"]),
      "takes at most 15 upstreams (found 16)",
    ],
    [
      "loopback upstream",
      check(["forward . 127.0.0.53"], ["forward"]),
      "a loop to itself, since this is the CoreDNS pod's own address",
    ],
    ["IPv6 loopback upstream", check(["forward . [::1]:53"], ["forward"]), "a loop to itself"],
    ["kube-dns of EKS upstream", check(["forward . 172.20.0.10"], ["forward"]), "this is the Service kube-dns"],
    [
      "kube-dns of the settings upstream",
      check(["forward . fd00::a"], ["forward"], "", { clusterDns: ["fd00:0::0a"] }),
      "Service kube-dns",
    ],
    [
      "a cache among the addresses of the settings",
      check(["forward . 169.254.20.10"], ["forward"], "", { clusterDns: ["172.20.0.10", "169.254.20.10"] }),
      "a loop to itself, since this is the node's cache, which asks CoreDNS",
    ],
    [
      "the node's cache upstream",
      check(["forward . 169.254.20.11"], ["forward"], "", { nodeLocal: "169.254.20.11" }),
      "a loop to itself, since this is the node's cache, which asks CoreDNS",
    ],
    [
      "two forwards before 1.9.4",
      check(["forward corp.example 10.0.0.3", "forward . 10.0.0.2"], ["forward"], "", { coredns: [1, 9, 3] }),
      "forward: occurs 2 times, which requires CoreDNS 1.9.4, but this is 1.9.3",
    ],
    [
      "a slip in an option",
      check(["health {\n lameduk 5s\n}"], ["health"]),
      ".:53: health: CoreDNS 1.14.3 has no option lameduk; it has lameduck",
    ],
    [
      "an option of years ago",
      check(["kubernetes cluster.local {\n upstream\n}"], ["kubernetes"], "", { coredns: [1, 12, 4] }),
      ".:53: kubernetes: CoreDNS has no option upstream since 1.7.0; leave it out, since CoreDNS itself looks up the names of CNAMEs",
    ],
    [
      "a plugin of years ago",
      check(["proxy . 10.0.0.2"]),
      ".:53: proxy: CoreDNS has no such plugin since 1.5.0, and does not start; use forward",
    ],
    ["a plugin twice", check(["cache 60"]), "cache: may occur only once in a server block"],
    ["a plugin that is none", check(["cahce 60"]), "cahce: CoreDNS 1.14.3 has no such plugin, and does not start"],
    [
      "a line that CoreDNS refuses",
      check(["multisocket 0"]),
      'multisocket: its line takes an integer from 1 to 1024 (found "0")',
    ],
    [
      "a file that the add-on's pods do not have",
      check(["forward . /etc/other.conf"], ["forward"], "", { coredns: [1, 13, 2] }),
      "forward: the add-on's pods have no file /etc/other.conf, and CoreDNS does not start without it",
    ],
    ["no kubernetes", check([], ["kubernetes"]), "kubernetes: is missing, so the cluster's own names get no answer"],
    [
      "no health",
      check([], ["health"]),
      "health: is missing, but the add-on's probe asks it on :8080, and Kubernetes restarts the pod",
    ],
    [
      "no ready",
      check([], ["ready"]),
      "ready: is missing, but the add-on's probe asks it on :8181, and the pod gets no queries",
    ],
    ["health on another port", check(["health :8081"], ["health"]), "health: listens elsewhere"],
    ["two blocks for one zone", check([], [], "dns://.:53 {\n errors\n}\n"), "zone .:53: already has a block"],
    [
      "multisocket before 1.12",
      check(["multisocket 2"], [], "", { coredns: [1, 11, 4] }),
      "requires CoreDNS 1.12.0, but this is 1.11.4",
    ],
  ];
  for (const [what, { errors: found }, message] of errors) {
    it(`calls ${what} an error`, () => {
      assert.equal(found.length, 1, found.join("\n"));
      assert.ok(found[0]?.includes(message), found[0]);
    });
  }

  it("calls a Corefile without .:53 an error", () => {
    const { errors: found } = checkCorefile("corp.example {\n health\n ready\n reload\n kubernetes\n}\n");
    assert.deepEqual(found, ["zone .:53: has no block, so names outside the other blocks are refused"]);
  });

  const warnings: readonly (readonly [what: string, found: ReturnType<typeof check>, message: string])[] = [
    ["no errors", check([], ["errors"]), "errors: is missing, so errors are not logged"],
    ["no forward", check([], ["forward"]), "forward: is missing, so names outside the cluster get no answer"],
    ["no cache", check([], ["cache"]), "cache: is missing, so every query goes to its source"],
    ["no loop", check([], ["loop"]), "loop: is missing, so a loop through the upstreams goes unnoticed"],
    [
      "no reload",
      check([], ["reload"]),
      "reload: is missing, so a changed Corefile is loaded only at the next restart",
    ],
    [
      "an option that this program has not seen yet",
      check(["cache 30 {\n warm_up\n}"], ["cache"], "", { coredns: [1, 15, 1] }),
      "cache: CoreDNS 1.15.1 has no option warm_up",
    ],
    [
      "a line of hosts that says nothing",
      check(
        ["hosts {\n10.0.0.300 a.example\nfallthrough\n}", "kubernetes cluster.local", "forward . 10.0.0.2"],
        ["kubernetes", "forward"],
      ),
      "hosts: 10.0.0.300 is neither an option nor an address, so that CoreDNS ignores its line",
    ],
    [
      "the usual address of a node's cache upstream",
      check(["forward . 169.254.20.10"], ["forward"]),
      "NodeLocal DNSCache usually has this address",
    ],
    [
      "the usual address of kube-dns upstream, where its own is not known",
      check(["forward . 10.96.0.10"], ["forward"], "", { clusterDns: [] }),
      "the Service kube-dns usually has this address",
    ],
    [
      "an order that is not used",
      check(["hosts {\n10.0.0.1 a\nfallthrough\n}"]),
      "hosts: is written after forward but sees a query before it",
    ],
    ["a forward behind a wider one", check(["forward corp.example 10.0.0.3"]), "forward corp.example: is never used"],
    [
      "a plugin that counts once",
      check(["loadbalance"]),
      "loadbalance: occurs 2 times, but only one line has an effect",
    ],
    [
      "a lame duck over the grace",
      check(["health {\nlameduck 30s\n}"], ["health"]),
      "health: lameduck 30s leaves CoreDNS no time to answer its last queries, since the pod is killed after 30s; use at most 25s",
    ],
    [
      "a cache whose TTL has a unit",
      check(["cache 5m"], ["cache"]),
      "cache 5m: takes 5m for a zone and caches only its names, since a TTL has no unit; write cache 300",
    ],
    [
      "autopath without verified pods",
      check(["autopath @kubernetes"]),
      "autopath: has no effect without `pods verified`",
    ],
    [
      "autopath by a plugin that is not there",
      check(["autopath @kubernets"]),
      "autopath @kubernets: has no effect, since this block has no plugin kubernets",
    ],
    [
      "a prefix that ends within a label",
      check(
        ["rewrite name prefix old- new- answer auto", "kubernetes cluster.local", "forward . 10.0.0.2"],
        ["kubernetes", "forward"],
      ),
      "rewrite prefix old-: CoreDNS appends a dot, so it matches whole labels only",
    ],
    [
      "a variable of the environment",
      check(["forward . {$UPSTREAM}"], ["forward"]),
      "forward: a variable is replaced by what CoreDNS's environment has, whose value is not known here",
    ],
    [
      "a variable where a number belongs",
      check(["cache {$TTL}"], ["cache"]),
      "cache: a variable is replaced by what CoreDNS's environment has",
    ],
    [
      "TLS without a name",
      check(["forward . tls://9.9.9.9"], ["forward"]),
      "without tls_servername CoreDNS only takes a certificate for the address 9.9.9.9, and most are for a name",
    ],
    [
      "a file that is not there",
      check(["forward . /etc/other.conf"], ["forward"]),
      "CoreDNS does not start unless its pod has the file /etc/other.conf",
    ],
    ["metrics on localhost", check(["prometheus"], ["prometheus"]), "prometheus: listens on localhost"],
    [
      "metrics on another port",
      check(["prometheus :9253"], ["prometheus"]),
      "prometheus: listens on :9253, where no collector looks for it; write :9153, which the Service names",
    ],
    [
      "an answer under another name",
      check(["rewrite name suffix .a .b", "kubernetes cluster.local", "forward . 10.0.0.2"], ["kubernetes", "forward"]),
      "without `answer auto` many resolvers reject",
    ],
    [
      "an import that cannot be read",
      check(["import custom/*.override"], ["health", "ready", "cache"]),
      "what is in that file is not checked",
    ],
  ];
  for (const [what, { warnings: all }, message] of warnings) {
    it(`warns of ${what}`, () => {
      const found = all.filter((text) => !text.includes("is checked as"));
      assert.equal(found.length, 1, found.join("\n"));
      assert.ok(found[0]?.includes(message), found[0]);
    });
  }

  it("accepts health and ready on every address of their port", () => {
    for (const host of ["0.0.0.0", "[::]", ""]) {
      const found = check([`health ${host}:8080`, `ready ${host}:8181`], ["health", "ready"]);
      assert.deepEqual(found, { errors: [], warnings: [] });
    }
    const { errors } = check(["health 127.0.0.1:8080"], ["health"]);
    assert.match(String(errors), /^health: listens elsewhere/);
  });

  it("accepts capital letters in a class, an escape or an alternative of a pattern", () => {
    const of = (pattern: string) =>
      check(
        [`rewrite name regex ${pattern} b.example answer auto`, "kubernetes cluster.local", "forward . 10.0.0.2"],
        ["kubernetes", "forward"],
      ).warnings;
    for (const part of [
      "[A-Za-z]+",
      "[a-zA-Z0-9-]+",
      "[^A-Z]+",
      "\\pL+",
      "\\p{Lu}?",
      "(?:Web|web)",
      "X*a",
      "(?i)Web",
      "[]A-Za]",
    ])
      assert.deepEqual(of(`^${part}\\.a\\.$`), [], part);
    for (const part of ["Web", "[A-Z]+", "(?P<Name>Web)"])
      assert.match(String(of(`^${part}\\.a\\.$`)), /matches no name, since CoreDNS compares names in lower case/, part);
  });

  it("accepts a TLS upstream with a server name, in either place, and another port of the pod", () => {
    const found = check(
      ["forward . tls://9.9.9.9%dns.quad9.net tls://[2620:fe::fe]:853%dns.quad9.net 127.0.0.1:5353"],
      ["forward"],
    );
    assert.deepEqual(found.errors, []);
    const named = check(["forward . tls://9.9.9.9 {\ntls_servername dns.quad9.net\n}"], ["forward"]);
    assert.deepEqual(named, { errors: [], warnings: [] });
  });

  it("accepts forwards for some domains before the one for all", () => {
    const found = check(["forward corp.example 10.0.0.3", "forward . 10.0.0.2"], ["forward"]);
    assert.deepEqual(found, { errors: [], warnings: [] });
  });

  it("accepts the cluster's names in a block of their own", () => {
    const found = check([], ["kubernetes", "reload"], "cluster.local {\n kubernetes\n errors\n reload\n}\n");
    assert.deepEqual(found, { errors: [], warnings: [] });
  });

  it("expands snippets, and lets blocks on different addresses share a zone", () => {
    const text = `(base) {\n${BASE.join("\n")}\n}\n.:53 {\n import base\n bind 10.0.0.1\n}\n.:53 {\n errors\n bind 10.0.0.2\n}\n`;
    assert.deepEqual(checkCorefile(text), { errors: [], warnings: [] });
  });
});
