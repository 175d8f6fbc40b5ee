import assert from "node:assert/strict";
import fc from "fast-check";
import { checkDns, dnsWarnings } from "../../../components/dns/check.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { dnsSettings } from "./arbitraries.ts";

/** `path: message` of each issue, for Kubernetes 1.35 on EKS. */
function issues(settings: unknown, kubernetes: string | undefined = "1.35"): string[] {
  return checkDns(DnsSettings.parse(settings), kubernetes).map(({ path, message }) => `${path.join(".")}: ${message}`);
}
const options = (choices: unknown) => ({ corefile: { options: choices } });

describe("checkDns", () => {
  it("accepts the defaults on every Kubernetes version that has an add-on version, and on an existing cluster", () => {
    for (const version of ["1.33", "1.34", "1.35", "1.36", undefined]) {
      assert.deepEqual(checkDns(DnsSettings.parse({}), version), []);
    }
  });

  it("accepts any settings that are made of right parts", () => {
    fc.assert(
      fc.property(dnsSettings, (settings) => {
        // EKS has one domain alone.
        const onEks = (settings.corefile.options?.clusterDomain ?? "cluster.local") === "cluster.local";
        assert.deepEqual(checkDns(settings, onEks ? "1.35" : undefined), []);
      }),
    );
  });

  const OLD = "v1.11.1-eksbuild.8";
  const wrong: readonly (readonly [settings: unknown, issue: RegExp])[] = [
    [options({ clusterDomain: "corp.local" }), /^corefile\.options\.clusterDomain: cluster\.local: the nodes of EKS/],
    ...["169.254.169.254", "169.254.169.253", "169.254.170.23", "::ffff:169.254.170.23"].map(
      (address) =>
        [
          { nodeLocalCache: { mode: "kubelet", address } },
          /^nodeLocalCache\.address: an address that AWS does not use itself/,
        ] as const,
    ),
    [{ addonVersion: OLD, autoscaling: {} }, /^autoscaling: nothing: v1\.11\.1-eksbuild\.8 has no autoScaling$/],
    [
      { addonVersion: OLD, clusterSize: { nodes: 9, pods: 9, services: 9 } },
      /^clusterSize: replicas beside it, since v1\.11\.1-eksbuild\.8 does not scale by itself$/,
    ],
    [
      { addonVersion: "v1.8.7-eksbuild.2", tolerations: [] },
      /^tolerations: nothing: v1\.8\.7-eksbuild\.2 has no tolerations/,
    ],
    [
      { addonVersion: "v1.8.7-eksbuild.2", topologySpread: [] },
      /^topologySpread: nothing: .* has no topologySpreadConstraints/,
    ],
    [
      { addonVersion: "v1.11.4-eksbuild.24", ...options({ multisocket: 2 }) },
      /^corefile\.options: .*CoreDNS has it from 1\.12\.0/,
    ],
    [{ timeouts: { create: "10m" } }, /^timeouts\.create: at least 20m/],
    [options({ upstreams: ["10.0.0.2", "dns.corp"] }), /^corefile\.options\.upstreams\.1: an IP address/],
    [
      options({ upstreams: ["127.0.0.1"] }),
      /^corefile\.options\.upstreams\.0: another server: this is the CoreDNS pod's own address/,
    ],
    [options({ upstreams: ["10.100.0.10"] }), /upstreams\.0: another server: this is the Service kube-dns/],
    [
      { clusterDns: ["10.96.0.10"], ...options({ upstreams: ["10.96.0.10:53"] }) },
      /another server: this is the Service kube-dns/,
    ],
    [
      {
        nodeLocalCache: { mode: "kubelet" },
        ...options({ stubDomains: [{ domains: ["corp.example"], upstreams: ["169.254.20.10"] }] }),
      },
      /^corefile\.options\.stubDomains\.0\.upstreams\.0: another server: this is the node's cache/,
    ],
    [
      {
        addonVersion: "v1.9.3-eksbuild.15",
        ...options({ stubDomains: [{ domains: ["a.example"], upstreams: ["10.0.0.2"] }] }),
      },
      /^corefile\.options: .*forward stands 2 times: CoreDNS takes that from 1\.9\.4/,
    ],
    [
      options({ stubDomains: [{ domains: ["corp.example"], upstreams: ["localhost"] }] }),
      /^corefile\.options\.stubDomains\.0\.upstreams\.0: an IP address/,
    ],
    [
      options({ stubDomains: [{ domains: ["svc.cluster.local"], upstreams: ["10.0.0.2"] }] }),
      /domains\.0: a domain outside cluster\.local/,
    ],
    [
      options({ stubDomains: [{ domains: ["*.corp.example"], upstreams: ["10.0.0.2"] }] }),
      /domains\.0: a domain without \*/,
    ],
    [
      options({ stubDomains: [{ domains: ["a.example", "A.example."], upstreams: ["10.0.0.2"] }] }),
      /domains\.1: a domain that no other entry has/,
    ],
    [options({ lameduck: "30s" }), /^corefile\.options\.lameduck: at most 25s/],
    [options({ reload: { interval: "1s", jitter: "1s" } }), /reload\.interval: at least 2s/],
    [options({ reload: { jitter: "500ms" } }), /reload\.jitter: 0s, or at least 1s/],
    [options({ cache: { servfail: "10m" } }), /cache\.servfail: at most 5m/],
    [options({ autopath: true, pods: "insecure" }), /^corefile\.options\.pods: verified/],
    [options({ rewrite: [{ match: "regex", from: "(a", to: "b" }] }), /rewrite\.0\.from: a regular expression/],
    [
      options({ rewrite: [{ match: "regex", from: "^(?!a)", to: "b" }] }),
      /rewrite\.0\.from: a regular expression in Go's syntax, without look-around/,
    ],
    [
      options({ rewrite: [{ match: "regex", from: "(.*)\\.a", to: "{2}.{1}" }] }),
      /rewrite\.0\.to: no more groups than \(\.\*\)\\\.a has/,
    ],
    [options({ rewrite: [{ from: "a.example", to: "{1}" }] }), /rewrite\.0\.to: no groups, which only a regex has/],
    [{ corefile: { text: ".:53 {\n import own\n}\n" } }, /^corefile\.text: a Corefile; line 2: import own: no snippet/],
    [options({ rewrite: [{ from: "{$HOME}", to: "b" }] }), /rewrite\.0\.from: text without/],
    [{ corefile: { upstreamLoad: {} } }, /^corefile\.upstreamLoad: only with profile tuned/],
    [{ corefile: { text: ".:53 {\n errors\n" } }, /^corefile\.text: a Corefile; line 2: the text ends before/],
    [{ nodeLocalCache: {} }, /^clusterDns: the address of the Service kube-dns/],
    [
      { nodeLocalCache: { mode: "kubelet", address: "10.0.0.1" } },
      /^nodeLocalCache\.address: an address of 169\.254\.0\.0\/16/,
    ],
    [
      { nodeLocalCache: { mode: "kubelet", address: "fe80::a" } },
      /^nodeLocalCache\.address: .* or of fd00::\/8 on an IPv6/,
    ],
    [
      { nodeLocalCache: {}, clusterDns: ["169.254.20.10"] },
      /^nodeLocalCache\.address: another address than clusterDns/,
    ],
    [{ nodeLocalCache: {}, clusterDns: ["fd00::a"] }, /^clusterDns: addresses of one family/],
    [
      { nodeLocalCache: { mode: "kubelet" }, ...options({ autopath: true }) },
      /^corefile\.options\.autopath: false with nodeLocalCache/,
    ],
  ];
  for (const [settings, issue] of wrong) {
    it(`finds the one issue in ${JSON.stringify(settings)}`, () => {
      const found = issues(settings);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", issue);
    });
  }

  it("reports all issues together, with the values found", () => {
    const settings = DnsSettings.parse({
      timeouts: { delete: "1m" },
      ...options({ lameduck: "40s", upstreams: ["::1"] }),
    });
    assert.deepEqual(
      checkDns(settings, "1.35").map(({ path, value }) => [path.join("."), value]),
      [
        ["timeouts.delete", "1m"],
        ["corefile.options.upstreams.0", "::1"],
        ["corefile.options.lameduck", "40s"],
      ],
    );
  });

  it("gives each error of a whole Corefile", () => {
    const found = issues({
      corefile: { text: ".:53 {\n forward . 127.0.0.1\n kubernetes\n health\n ready\n bogus\n}\n" },
    });
    assert.equal(found.length, 2);
    assert.match(found[0] ?? "", /^corefile\.text: a Corefile that CoreDNS runs; \.:53: bogus/);
    assert.match(found[1] ?? "", /a loop to itself/);
  });

  it("asks for a version where none is known, and not on an existing cluster", () => {
    assert.match(
      issues({}, "1.50")[0] ?? "",
      /^addonVersion: a version for Kubernetes 1\.50, since one is known for 1\.33, /,
    );
    assert.deepEqual(issues({ addonVersion: "v1.14.6-eksbuild.4" }, "1.50"), []);
    assert.deepEqual(checkDns(DnsSettings.parse({ addonVersion: OLD, autoscaling: {} }), undefined), []);
  });
});

describe("dnsWarnings", () => {
  it("says what is worth a look, and nothing about text that is no Corefile", () => {
    const text = ".:53 {\n forward . 10.0.0.2\n kubernetes\n health\n ready\n cache\n errors\n reload\n}\n";
    const warnings = dnsWarnings(DnsSettings.parse({ corefile: { text } }), "1.35");
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? "", /kubernetes stands after forward/);
    assert.match(warnings[1] ?? "", /no loop/);
    assert.deepEqual(dnsWarnings(DnsSettings.parse({ corefile: { text: "}" } }), "1.35"), []);
    assert.deepEqual(dnsWarnings(DnsSettings.parse({}), undefined), []);
  });
});
