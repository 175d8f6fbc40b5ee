/** A line of a Corefile each, what it is in the model, and how it is written where that is otherwise. */
export const PLUGIN_LINES: readonly (readonly [line: string, model: unknown, spelling?: string])[] = [
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
    // {01} is no group: CoreDNS leaves it as it is.
    "rewrite stop name regex (.*)\\.a {1}.{01}.b",
    { plugin: "rewrite", match: "regex", from: "(.*)\\.a", to: "{1}.{01}.b" },
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
