import assert from "node:assert/strict";
import fc from "fast-check";
import { checkCorefile } from "../../../../components/dns/corefile/check.ts";
import { corefileOf, corefileText } from "../../../../components/dns/corefile/from-settings.ts";
import { sameMeaning } from "../../../../components/dns/corefile/meaning.ts";
import { parseCorefile, pluginName, renderCorefile } from "../../../../components/dns/corefile/model.ts";
import { DnsSettings } from "../../../../components/dns/settings.ts";
import { dnsSettings } from "../arbitraries.ts";
import { REFUSED_LINES } from "./refused-lines.ts";

/** As the add-on writes it, with its own indentation. */
const EKS_DEFAULT = `.:53 {
    errors
    health {
        lameduck 5s
      }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
`;

/** The only plugin of a Corefile with one line. */
function plugin(line: string) {
  const [server] = parseCorefile(`.:53 {\n${line}\n}\n`).servers;
  const [first, ...others] = server?.plugins ?? [];
  assert.ok(first !== undefined && others.length === 0);
  return JSON.parse(JSON.stringify(first));
}

/** That line as it is rendered. */
function rendered(line: string): string {
  const lines = renderCorefile(parseCorefile(`.:53 {\n${line}\n}\n`))
    .split("\n")
    .slice(1, -2);
  return lines.map((text) => text.slice(4)).join("\n");
}

describe("Corefile model", () => {
  it("reads the EKS default as typed plugins, and renders the same meaning", () => {
    const corefile = parseCorefile(EKS_DEFAULT);
    assert.deepEqual(
      corefile.servers.flatMap(({ plugins }) => plugins.filter(({ plugin: name }) => name === "other")),
      [],
    );
    assert.ok(sameMeaning(parseCorefile(renderCorefile(corefile)), corefile));
  });

  it("makes the EKS default of settings that say nothing", () => {
    assert.ok(sameMeaning(corefileOf(DnsSettings.parse({})), parseCorefile(EKS_DEFAULT)));
  });

  const lines: readonly (readonly [line: string, model: unknown, spelling?: string])[] = [
    ["cache", { plugin: "cache" }],
    ["cache 30 example.org", { plugin: "cache", ttl: 30, zones: ["example.org"] }],
    [
      "cache 30 {\n    success 20000 60 5\n    denial 5000\n    prefetch 10 1m 20%\n    serve_stale 1h verify\n    servfail 1s\n    keepttl\n}",
      {
        plugin: "cache",
        ttl: 30,
        success: { capacity: 20_000, ttl: 60, minTtl: 5 },
        denial: { capacity: 5000 },
        prefetch: { amount: 10, duration: "1m", percentage: 20 },
        serveStale: { duration: "1h", refresh: "verify" },
        servfail: "1s",
        more: [{ name: "keepttl", args: [] }],
      },
    ],
    ["cache {\n    serve_stale\n}", { plugin: "cache", serveStale: {} }],
    [
      "cache {\n    serve_stale 1h immediate 30s\n}",
      { plugin: "cache", serveStale: { duration: "1h", refresh: "immediate", further: ["30s"] } },
    ],
    [
      "forward corp.example 10.0.0.2 tls://10.0.0.3 {\n    except a.corp.example\n    force_tcp\n    prefer_udp\n    expire 20s\n    max_fails 3\n    tls /c /k\n    tls_servername dns.example\n    policy sequential\n    health_check 1s no_rec domain example.org\n    max_concurrent 1000\n    next NXDOMAIN\n}",
      {
        plugin: "forward",
        from: "corp.example",
        upstreams: ["10.0.0.2", "tls://10.0.0.3"],
        except: ["a.corp.example"],
        forceTcp: true,
        preferUdp: true,
        expire: "20s",
        maxFails: 3,
        tls: ["/c", "/k"],
        tlsServerName: "dns.example",
        policy: "sequential",
        healthCheck: { interval: "1s", noRecursion: true, domain: "example.org" },
        maxConcurrent: 1000,
        more: [{ name: "next", args: ["NXDOMAIN"] }],
      },
    ],
    [
      "kubernetes cluster.local {\n    pods verified\n    fallthrough\n    ttl 10\n    endpoint_pod_names\n}",
      {
        plugin: "kubernetes",
        zones: ["cluster.local"],
        pods: "verified",
        fallthrough: [],
        ttl: 10,
        more: [{ name: "endpoint_pod_names", args: [] }],
      },
    ],
    ["autopath cluster.local @kubernetes", { plugin: "autopath", zones: ["cluster.local"], source: "@kubernetes" }],
    [
      "hosts /etc/hosts example.org {\n    10.0.0.1 a.example.org b\n    ttl 60\n    no_reverse\n    reload 1m\n    fallthrough\n}",
      {
        plugin: "hosts",
        file: ["/etc/hosts", "example.org"],
        entries: [{ address: "10.0.0.1", names: ["a.example.org", "b"] }],
        ttl: 60,
        noReverse: true,
        reload: "1m",
        fallthrough: [],
      },
    ],
    [
      "rewrite name a.example b.example",
      { plugin: "rewrite", match: "exact", from: "a.example", to: "b.example" },
      "rewrite stop name exact a.example b.example",
    ],
    [
      "rewrite continue name suffix .a. .b. answer auto",
      { plugin: "rewrite", match: "suffix", from: ".a.", to: ".b.", answer: ["answer", "auto"], continue: true },
    ],
    [
      "rewrite stop {\n    name regex (.*)\\.a {1}.b\n    answer auto\n}",
      { plugin: "rewrite", match: "regex", from: "(.*)\\.a", to: "{1}.b", answer: ["answer", "auto"] },
      "rewrite stop name regex (.*)\\.a {1}.b answer auto",
    ],
    [
      "rewrite ttl exact a.example 30",
      { plugin: "other", line: { name: "rewrite", args: ["ttl", "exact", "a.example", "30"] } },
    ],
    [
      'errors {\n    consolidate 5m ".* i/o timeout$" warning\n    stacktrace\n}',
      {
        plugin: "errors",
        consolidate: [{ period: "5m", pattern: ".* i/o timeout$", further: ["warning"] }],
        more: [{ name: "stacktrace", args: [] }],
      },
    ],
    ["errors stdout", { plugin: "errors", target: "stdout" }],
    [
      'log example.org "{remote} {name}" {\n    class denial error\n}',
      { plugin: "log", scope: ["example.org", "{remote} {name}"], classes: ["denial", "error"] },
    ],
    ["health :8081 {\n    lameduck 5s\n}", { plugin: "health", address: ":8081", lameduck: "5s" }],
    [
      "ready :8182 {\n    monitor continuously\n}",
      { plugin: "ready", address: ":8182", more: [{ name: "monitor", args: ["continuously"] }] },
    ],
    ["prometheus", { plugin: "prometheus" }],
    ["loop", { plugin: "loop" }],
    ["reload 10s 5s", { plugin: "reload", interval: "10s", jitter: "5s" }],
    [
      "loadbalance weighted /w {\n    reload 10s\n}",
      { plugin: "loadbalance", policy: ["weighted", "/w"], more: [{ name: "reload", args: ["10s"] }] },
    ],
    ["multisocket", { plugin: "multisocket" }],
    ["multisocket 4", { plugin: "multisocket", sockets: 4 }],
    [
      "bind 10.0.0.1 {\n    except 10.0.0.2\n}",
      { plugin: "bind", addresses: ["10.0.0.1"], more: [{ name: "except", args: ["10.0.0.2"] }] },
    ],
    [
      'template IN A example.org {\n    answer "{{ .Name }} 60 IN A 10.0.0.1"\n}',
      {
        plugin: "other",
        line: {
          name: "template",
          args: ["IN", "A", "example.org"],
          block: [{ name: "answer", args: ["{{ .Name }} 60 IN A 10.0.0.1"] }],
        },
      },
    ],
  ];
  for (const [line, model, spelling] of lines) {
    it(`reads and writes ${line.split("\n").join(" ")}`, () => {
      assert.deepEqual(plugin(line), model);
      assert.equal(rendered(line), spelling ?? line);
    });
  }

  for (const [line, problem] of REFUSED_LINES) {
    it(`says why CoreDNS refuses ${line.split("\n").join(" ")}`, () => {
      assert.match(plugin(line).problem, problem);
    });
  }

  it("keeps snippets, imports and unknown plugins as they are", () => {
    const text =
      '(common) {\n    errors\n    cache 30\n}\n.:53 {\n    import common\n    import custom/*.override\n    nonesuch a "b c" {\n        d\n    }\n}\n';
    const corefile = parseCorefile(text);
    assert.equal(renderCorefile(corefile), text);
    assert.deepEqual(corefile.servers[0]?.plugins.map(pluginName), ["import", "import", "nonesuch"]);
  });

  it("keeps what other distributions write, such as k3s and kubeadm", () => {
    const k3s = [
      ".:53 {",
      "    errors",
      "    health",
      "    ready",
      "    kubernetes cluster.local in-addr.arpa ip6.arpa {",
      "        pods insecure",
      "        fallthrough in-addr.arpa ip6.arpa",
      "    }",
      "    hosts /etc/coredns/NodeHosts {",
      "        ttl 60",
      "        reload 15s",
      "        fallthrough",
      "    }",
      "    prometheus :9153",
      "    cache 30 {",
      "        disable success cluster.local",
      "        disable denial cluster.local",
      "    }",
      "    forward . /etc/resolv.conf {",
      "        max_concurrent 1000",
      "    }",
      "    import /etc/coredns/custom/*.override",
      "}",
      "import /etc/coredns/custom/*.server",
      "",
    ].join("\n");
    const corefile = parseCorefile(k3s);
    assert.equal(renderCorefile(corefile), k3s);
    assert.deepEqual(checkCorefile(corefile), {
      errors: [],
      warnings: [
        "import /etc/coredns/custom/*.server: what is in that file is not checked",
        ".:53: import /etc/coredns/custom/*.override: what is in that file is not checked",
        ".:53: hosts stands after kubernetes but sees a query before it: CoreDNS's order is fixed, that of the lines is not used",
      ],
    });
  });

  it("gives a capacity's least TTL the place after the TTL that holds without it", () => {
    const corefile = (cache: unknown) => corefileText(DnsSettings.parse({ corefile: { options: { cache } } }));
    assert.match(corefile({ success: { capacity: 2048, minTtl: 1 } }), /success 2048 30 1/);
    assert.match(corefile({ ttl: 60, denial: { minTtl: 1 } }), /denial 9984 60 1/);
  });

  it("reads what it renders, for any settings", () => {
    fc.assert(
      fc.property(dnsSettings, (settings) => {
        const corefile = corefileOf(settings);
        const text = renderCorefile(corefile);
        const again = parseCorefile(text);
        assert.equal(renderCorefile(again), text);
        assert.ok(sameMeaning(again, corefile));
        assert.deepEqual(
          again.servers.flatMap(({ plugins }) => plugins.filter(({ plugin: name }) => name === "other")),
          [],
        );
      }),
    );
  });
});
