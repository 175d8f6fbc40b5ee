import assert from "node:assert/strict";
import { block, check, DEFAULT } from "./default-corefile.ts";

const NOTHING = { errors: [], warnings: [] };
const OTHER = "errors\ncache\nloop\nforward . 10.0.0.9";

describe("a forward", () => {
  const to = (words: string, ...options: readonly string[]) =>
    block(".:53", DEFAULT.replace("/etc/resolv.conf", `${words} {\n${options.join("\n")}\n}`));

  it("uses plain DNS whatever its TLS options say", () => {
    for (const option of ["tls_servername cloudflare-dns.com", "tls"])
      assert.match(
        String(check(to("1.1.1.1:853", option)).warnings),
        /forward \. 1\.1\.1\.1:853: tls\w* has no effect, and queries go out in plain DNS; write tls:\/\//,
      );
    // At port 853 the Service kube-dns does not answer, so that no query comes back.
    for (const upstream of ["tls://1.1.1.1", "tls://172.20.0.10"])
      assert.deepEqual(check(to(upstream, "tls_servername cloudflare-dns.com")), NOTHING);
  });

  it("pauses between two checks of a failed upstream", () => {
    for (const zero of ["0s", "0", "0ms"])
      assert.deepEqual(check(to("10.0.0.2", `health_check ${zero}`)).warnings, [
        `.:53: forward .: health_check ${zero} checks a failed upstream without a pause, which can take a whole CPU; use 500ms, or max_fails 0, which checks none`,
      ]);
    assert.deepEqual(check(to("10.0.0.2", "health_check 0s", "max_fails 0")), NOTHING);
    assert.deepEqual(check(to("10.0.0.2", "health_check 1ms")), NOTHING);
  });

  it("has one name for the certificates of all its upstreams", () => {
    const name = "tls_servername cloudflare-dns.com";
    for (const upstreams of ["tls://1.1.1.1 tls://8.8.8.8", "tls://1.0.0.1:853 tls://[2620:fe::fe]"])
      assert.deepEqual(check(to(upstreams, name)).warnings, [
        `.:53: forward . ${upstreams}: ${name} is for all upstreams, and only one of these has a certificate for it, so the others never answer; use the resolvers of one operator`,
      ]);
    for (const upstreams of ["tls://1.1.1.1 tls://1.0.0.1", "tls://1.1.1.1 tls://10.0.0.9", "tls://[2620:fe::fe]"])
      assert.deepEqual(check(to(upstreams, name, "policy sequential")), NOTHING);
    assert.deepEqual(check(to("tls://1.1.1.1%cloudflare-dns.com tls://9.9.9.9%dns.quad9.net")), NOTHING);
  });

  it("never ends a failover before 1.14.7", () => {
    const text = to("10.0.0.2 10.0.0.3", "failover SERVFAIL REFUSED");
    for (const coredns of [
      [1, 13, 2],
      [1, 14, 3],
      [1, 14, 6],
    ] as const)
      assert.deepEqual(check(text, coredns), {
        errors: [],
        warnings: [
          ".:53: forward .: until CoreDNS 1.14.7, failover sends a query to which all upstreams answer SERVFAIL or REFUSED again and again for 5 s, tens of thousands of times; use next SERVFAIL REFUSED, and another line forward . for the other upstreams",
        ],
      });
    assert.deepEqual(check(text, [1, 14, 7]), NOTHING);
    const advised = to("10.0.0.2", "next SERVFAIL REFUSED").replace("cache 30", "cache 30\nforward . 10.0.0.3");
    assert.deepEqual(check(advised), NOTHING);
  });

  it("leaves no names to another line", () => {
    assert.deepEqual(check(to("10.0.0.2", "except corp.example cluster.local")).warnings, [
      ".:53: forward .: except corp.example leaves these names to no other line, so they are SERVFAIL; add a line forward corp.example",
    ]);
    const text = to("10.0.0.2", "except corp.example");
    assert.deepEqual(check(text + block("corp.example", OTHER)), NOTHING);
    assert.deepEqual(check(text.replace("forward .", "forward corp.example 10.0.0.9\nforward .")), NOTHING);
  });

  it("is never used after the first line that takes its names, whatever their zones", () => {
    const zones = [
      "b.a.Example.",
      "a.example",
      "c.b.a.example",
      "example",
      "d.a.example",
      "a.example",
      "test",
      "a.test",
      "b.a.test",
    ];
    const { warnings } = check(
      block(".:53", OTHER.replace("forward . ", `${zones.map((z) => `forward ${z} 10.0.0.9\n`).join("")}forward . `)),
    );
    assert.deepEqual(
      warnings.filter((text) => text.includes("never used")),
      [
        ["c.b.a.example", "b.a.Example."],
        ["d.a.example", "a.example"],
        ["a.example", "a.example"],
        ["a.test", "test"],
        ["b.a.test", "test"],
      ].map(
        ([zone, first]) =>
          `.:53: forward ${zone}: is never used, since forward ${first} comes first and takes its names`,
      ),
    );
  });
});

describe("the server name of a TLS upstream, after %", () => {
  const named = DEFAULT.replace("/etc/resolv.conf", "tls://1.1.1.1%cloudflare-dns.com");

  it("is an error before 1.13 only", () => {
    assert.deepEqual(check(block(".:53", named), [1, 12, 4]).errors, [
      ".:53: forward . tls://1.1.1.1%cloudflare-dns.com: CoreDNS takes a name after % from 1.13.0, and 1.12.4 queries no server there; use tls_servername",
    ]);
    for (const version of [
      [1, 13, 2],
      [1, 14, 3],
    ] as const)
      assert.deepEqual(check(block(".:53", named), version), NOTHING);
  });

  it("is a warning beside another upstream", () => {
    const { errors, warnings } = check(block(".:53", named.replace(".com", ".com 9.9.9.9")), [1, 12, 4]);
    assert.deepEqual(errors, []);
    assert.match(String(warnings), /CoreDNS takes a name after % from 1\.13\.0/);
  });
});

describe("a block whose rewritten names go to CoreDNS itself", () => {
  const KUBE_DNS = "forward . 172.20.0.10";
  const of = (...lines: readonly string[]) => check(block(".:53", DEFAULT) + block("corp.example", "cache", ...lines));
  const PROBLEM = "corp.example: forward 172.20.0.10: is a loop for names that no rewrite takes";
  const SERVICE = "web.shop.svc.cluster.local";

  it("loops for names that no rule takes", () => {
    for (const [rule, name] of [
      [`a.corp.example ${SERVICE}`, "corp.example"],
      ["suffix .corp.example .shop.svc.cluster.local answer auto", "corp.example"],
      [`regex ^(.*\\.)?a\\.corp\\.example\\.$ ${SERVICE} answer auto`, "corp.example"],
      [`regex ^(\\w*\\.)?corp\\.example\\.$ ${SERVICE} answer auto`, "1.2.corp.example"],
    ]) {
      const { errors, warnings } = of(`rewrite name ${rule}`, KUBE_DNS);
      assert.deepEqual(errors, []);
      assert.deepEqual(warnings, [
        `${PROBLEM}, such as ${name}, since this is the Service kube-dns, and CoreDNS is behind it; one query of them can take all memory of the pod; write one line for the domain of the new names, and another for all other names`,
      ]);
    }
  });

  it("is stopped by the plugin loop if no rule takes what that asks for", () => {
    assert.deepEqual(of(`rewrite name a.corp.example ${SERVICE}`, KUBE_DNS, "loop").errors, [
      `${PROBLEM}, since this is the Service kube-dns, and CoreDNS is behind it; the plugin loop finds it, and CoreDNS stops; write one line for the domain of the new names, and another for all other names`,
    ]);
    assert.deepEqual(
      of("rewrite name suffix .corp.example .shop.svc.cluster.local answer auto", KUBE_DNS, "loop").errors,
      [],
    );
  });

  it("does not loop if rules take all its names, or if others go elsewhere", () => {
    for (const lines of [
      [`rewrite name regex ^(.*\\.)?corp\\.example\\.$ ${SERVICE} answer auto`, KUBE_DNS, "loop"],
      ["rewrite name suffix corp.example shop.svc.cluster.local answer auto", KUBE_DNS],
      [`rewrite name a.corp.example ${SERVICE}`, "forward cluster.local 172.20.0.10", "forward . 10.0.0.9"],
      [
        `rewrite name a.corp.example ${SERVICE}`,
        `${KUBE_DNS} {\nexcept corp.example\n}`,
        "forward corp.example 10.0.0.9",
      ],
      [`rewrite name a.corp.example ${SERVICE}`, "hosts {\n10.0.0.9 corp.example\nfallthrough\n}", KUBE_DNS],
    ])
      assert.ok(!JSON.stringify(of(...lines)).includes("is a loop"), lines.join());
  });
});
