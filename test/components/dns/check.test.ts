import assert from "node:assert/strict";
import { possibleRejections, possibleVersions } from "eks-dns-logging-corefile/addon";
import fc from "fast-check";
import { LOOKED_UP_VERSION } from "../../../components/dns/addon.ts";
import { checkDns, dnsWarnings } from "../../../components/dns/issues.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { dnsSettings } from "./arbitraries.ts";

/** `path: message` of each issue, for Kubernetes 1.35 on EKS. */
function issues(settings: unknown, kubernetes: string | undefined = "1.35"): string[] {
  return checkDns(DnsSettings.parse(settings), kubernetes).map(({ path, message }) => `${path.join(".")}: ${message}`);
}
const options = (choices: unknown) => ({ corefile: { options: choices } });
const onNodes = (...matchExpressions: readonly unknown[]) => {
  const required = { nodeSelectorTerms: [{ matchExpressions }] };
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } };
};

describe("checkDns", () => {
  it("accepts the defaults on every Kubernetes version with an add-on version, and on an existing cluster", () => {
    for (const version of ["1.33", "1.34", "1.35", "1.36", undefined]) {
      assert.deepEqual(checkDns(DnsSettings.parse({}), version), []);
    }
  });

  it("accepts a node affinity of which one term suits CoreDNS", () => {
    const term = (arch: string) => ({
      matchExpressions: [{ key: "kubernetes.io/arch", operator: "In", values: [arch] }],
    });
    const required = { nodeSelectorTerms: [term("s390x"), term("arm64")] };
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
    assert.deepEqual(checkDns(DnsSettings.parse({ affinity }), "1.36"), []);
  });

  it("accepts any combination of valid parts", () => {
    fc.assert(
      fc.property(dnsSettings, (settings) => {
        // EKS has one domain alone.
        const onEks = (settings.corefile.options?.clusterDomain ?? "cluster.local") === "cluster.local";
        const found = checkDns(settings, onEks ? "1.35" : undefined);
        assert.deepEqual(
          found.filter(({ severity }) => severity !== "warning"),
          [],
        );
      }),
    );
  });

  const OLD = "v1.11.1-eksbuild.8";
  const wrong: readonly (readonly [settings: unknown, issue: RegExp])[] = [
    [
      options({ clusterDomain: "corp.local" }),
      /^corefile\.options\.clusterDomain: must be cluster\.local, the only domain that EKS nodes/,
    ],
    ...["169.254.169.254", "169.254.169.253", "169.254.170.23", "::ffff:169.254.170.23"].map(
      (address) =>
        [
          { nodeLocalCache: { mode: "kubelet", address } },
          /^nodeLocalCache\.address: must not be in 169\.254\.169\.0\/24 or 169\.254\.170\.0\/24, which AWS/,
        ] as const,
    ),
    [
      { addonVersion: OLD, autoscaling: {} },
      /^autoscaling: must not be set, since v1\.11\.1-eksbuild\.8 does not support it$/,
    ],
    [
      { addonVersion: OLD, clusterSize: { nodes: 9, pods: 9, services: 9 } },
      /^: clusterSize requires replicas, since v1\.11\.1-eksbuild\.8 has no autoscaling$/,
    ],
    [
      { addonVersion: "v1.8.7-eksbuild.2", tolerations: [] },
      /^tolerations: must not be set, since v1\.8\.7-eksbuild\.2 does not support it/,
    ],
    [
      { addonVersion: "v1.8.7-eksbuild.2", topologyMode: "Auto" },
      /^topologyMode: must not be set, since v1\.8\.7-eksbuild\.2 does not support it/,
    ],
    [
      { addonVersion: "v1.8.7-eksbuild.2", topologySpread: [] },
      /^topologySpread: must not be set, since v1\.8\.7-eksbuild\.2 does not support it/,
    ],
    [
      { addonVersion: "v1.11.4-eksbuild.24", ...options({ multisocket: 2 }) },
      /^corefile\.options: .*requires CoreDNS 1\.12\.0/,
    ],
    [{ timeouts: { create: "10m" } }, /^timeouts\.create: must be at least 20m, since EKS itself waits that long$/],
    [
      options({ upstreams: ["10.0.0.2", "dns.corp"] }),
      /^corefile\.options\.upstreams\.1: must be an IP address with an optional port \(10\.0\.0\.2,/,
    ],
    [
      options({ upstreams: ["127.0.0.1"] }),
      /^corefile\.options\.upstreams\.0: must be another server, since this is the CoreDNS pod's own/,
    ],
    [
      options({ upstreams: ["10.100.0.10"] }),
      /^corefile\.options\.upstreams\.0: must be another server, since this is the Service kube-dns,/,
    ],
    [
      { clusterDns: ["10.96.0.10"], ...options({ upstreams: ["10.96.0.10:53"] }) },
      /^corefile\.options\.upstreams\.0: must be another server, since this is the Service kube-dns,/,
    ],
    [
      {
        nodeLocalCache: { mode: "kubelet" },
        ...options({ stubDomains: [{ domains: ["corp.example"], upstreams: ["169.254.20.10"] }] }),
      },
      /^corefile\.options\.stubDomains\.0\.upstreams\.0: must be another server, since this is the/,
    ],
    [
      {
        addonVersion: "v1.9.3-eksbuild.15",
        ...options({ stubDomains: [{ domains: ["a.example"], upstreams: ["10.0.0.2"] }] }),
      },
      /^corefile\.options: .*forward: occurs 2 times, which requires CoreDNS 1\.9\.4/,
    ],
    [
      options({ stubDomains: [{ domains: ["corp.example"], upstreams: ["localhost"] }] }),
      /^corefile\.options\.stubDomains\.0\.upstreams\.0: must be an IP address with an optional port/,
    ],
    [
      options({ stubDomains: [{ domains: ["svc.cluster.local"], upstreams: ["10.0.0.2"] }] }),
      /^corefile\.options\.stubDomains\.0\.domains\.0: must be a domain outside cluster\.local, whose/,
    ],
    [
      options({ stubDomains: [{ domains: ["*.corp.example"], upstreams: ["10.0.0.2"] }] }),
      /^corefile\.options\.stubDomains\.0\.domains\.0: must be a domain without \*, since it covers all/,
    ],
    [
      options({ stubDomains: [{ domains: ["a.example", "A.example."], upstreams: ["10.0.0.2"] }] }),
      /^corefile\.options\.stubDomains\.0\.domains\.1: must be unique among stubDomains$/,
    ],
    [
      options({ reload: { interval: "1s", jitter: "1s" } }),
      /^corefile\.options\.reload\.interval: must be at least 2s$/,
    ],
    [
      { addonVersion: "v1.13.2-eksbuild.31", ...options({ reload: { jitter: "0s" } }) },
      /reload: the jitter takes a duration from 1s/,
    ],
    [options({ reload: { jitter: "500ms" } }), /^corefile\.options\.reload\.jitter: must be 0s, or at least 1s$/],
    [options({ cache: { servfail: "10m" } }), /^corefile\.options\.cache\.servfail: must be at most 5m$/],
    [
      options({ autopath: true, pods: "insecure" }),
      /^corefile\.options\.pods: must be verified with autopath, which needs it to find a pod's/,
    ],
    [
      options({ rewrite: [{ match: "regex", from: "(a", to: "b" }] }),
      /^corefile\.options\.rewrite\.0\.from: must be a regular expression in Go's syntax, without/,
    ],
    [
      options({ rewrite: [{ match: "regex", from: "^(?!a)", to: "b" }] }),
      /^corefile\.options\.rewrite\.0\.from: must be a regular expression in Go's syntax, without/,
    ],
    [
      options({ rewrite: [{ match: "regex", from: "(.*)\\.a", to: "{2}.{1}" }] }),
      /^corefile\.options\.rewrite\.0\.to: must not use more groups than \(\.\*\)\\\.a has$/,
    ],
    [
      options({ rewrite: [{ from: "a.example", to: "{1}" }] }),
      /^corefile\.options\.rewrite\.0\.to: must not use groups, which only a regex has$/,
    ],
    [
      { corefile: { text: ".:53 {\n import own\n}\n" } },
      /^corefile\.text: CoreDNS cannot run this Corefile: import own: the add-on's pods have no such file, no snippet above/,
    ],
    [
      options({ rewrite: [{ from: "{$HOME}", to: "b" }] }),
      /^corefile\.options\.rewrite\.0\.from: must not contain a single brace, \{\$, \{%, # or "$/,
    ],
    [
      { corefile: { upstreamLoad: {} } },
      /^corefile: upstreamLoad requires profile tuned, whose max_concurrent it sizes$/,
    ],
    [
      {
        corefile: { profile: "tuned", upstreamLoad: {}, options: { forward: { maxConcurrent: 100 } } },
      },
      /^corefile\.upstreamLoad: has no effect with options\.forward\.maxConcurrent, /,
    ],
    [
      { corefile: { text: ".:53 {\n errors\n" } },
      /^corefile\.text: CoreDNS cannot run this Corefile: line 2: the text ends before a closing brace$/,
    ],
    [
      { nodeLocalCache: {} },
      /^clusterDns: must be the address of the Service kube-dns with nodeLocalCache in iptables/,
    ],
    [
      { nodeLocalCache: { mode: "kubelet", address: "10.0.0.1" } },
      /^nodeLocalCache\.address: must be an address of 169\.254\.0\.0\/16, such as 169\.254\.20\.10, or/,
    ],
    [
      { nodeLocalCache: { mode: "kubelet", address: "fe80::a" } },
      /^nodeLocalCache\.address: .* or of fd00::\/8 on an IPv6/,
    ],
    [
      { nodeLocalCache: {}, clusterDns: ["169.254.20.10"] },
      /^nodeLocalCache\.address: must not be an address of clusterDns$/,
    ],
    [
      { nodeLocalCache: {}, clusterDns: ["172.20.0.10", "172.20.0.10"] },
      /^clusterDns\.1: must differ from the others with nodeLocalCache, which does not start with an address twice$/,
    ],
    [
      { nodeLocalCache: { address: "fd00::1" }, clusterDns: ["fd00::a", "fd00:0:0::a"] },
      /^clusterDns\.1: must differ from the others with nodeLocalCache/,
    ],
    [
      { nodeSelector: { "kubernetes.io/os": "windows" } },
      /^nodeSelector\.kubernetes\.io\/os: must be linux, or no node/,
    ],
    [
      { nodeSelector: { "beta.kubernetes.io/arch": "x86_64" } },
      /^nodeSelector\.beta\.kubernetes\.io\/arch: must be amd64 or arm64, or no node runs CoreDNS and its add-on fails/,
    ],
    [
      onNodes({ key: "kubernetes.io/arch", operator: "In", values: ["aarch64", "x86_64"] }),
      /nodeSelectorTerms\.0\.matchExpressions\.0\.values: must be amd64 or arm64, or no node runs CoreDNS/,
    ],
    [
      { nodeLocalCache: {}, clusterDns: ["fd00::a"] },
      /^clusterDns: must have the address family of nodeLocalCache\.address, IPv4 or IPv6$/,
    ],
    [
      { nodeLocalCache: { mode: "kubelet" }, ...options({ autopath: true }) },
      /^corefile\.options\.autopath: must be false with nodeLocalCache, since CoreDNS then sees/,
    ],
  ];
  for (const [settings, issue] of wrong) {
    it(`finds the one issue in ${JSON.stringify(settings)}`, () => {
      // An old add-on is an issue of its own where the Kubernetes version is known.
      const isOld = typeof settings === "object" && settings !== null && "addonVersion" in settings;
      const found = issues(settings, isOld ? LOOKED_UP_VERSION : "1.35");
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", issue);
    });
  }

  it("reports all issues together, with the values found", () => {
    const settings = DnsSettings.parse({
      timeouts: { delete: "1m" },
      ...options({ reload: { interval: "1s" }, upstreams: ["::1"] }),
    });
    assert.deepEqual(
      checkDns(settings, "1.35").map(({ path, value }) => [path.join("."), value]),
      [
        ["timeouts.delete", "1m"],
        ["corefile.options.upstreams.0", "::1"],
        ["corefile.options.reload.interval", "1s"],
      ],
    );
  });

  it("reports every error in a complete Corefile", () => {
    const found = issues({
      corefile: { text: ".:53 {\n forward . 127.0.0.1\n kubernetes cluster.local\n health\n ready\n bogus\n}\n" },
    });
    assert.equal(found.length, 2);
    assert.match(
      found[0] ?? "",
      /^corefile\.text: CoreDNS cannot run this Corefile: \.:53: bogus: CoreDNS 1\.13\.2 has no such plugin/,
    );
    assert.match(found[1] ?? "", /a loop to itself/);
  });

  it("rejects a cloud's zones without credentials, unless CoreDNS may have a role from another owner", () => {
    const text =
      ".:53 {\n health\n ready\n kubernetes cluster.local\n route53 corp.example.com.:Z0123456789ABC\n forward . 10.0.0.2\n}\n";
    const settings = DnsSettings.parse({ corefile: { text } });
    const messages = checkDns(settings, "1.35").map(({ message }) => message);
    assert.equal(messages.length, 1);
    assert.match(
      messages[0] ?? "",
      /route53: the add-on's pods have no credentials for Route 53, and CoreDNS does not start/,
    );
    assert.deepEqual(checkDns(settings, "1.35", true), []);
    assert.ok(
      dnsWarnings(settings, "1.35").some((warning) => /route53: its credentials are not checked/.test(warning)),
    );
  });

  it("checks against all possible versions if only AWS knows it", () => {
    assert.deepEqual(issues({ autoscaling: {} }, LOOKED_UP_VERSION), []);
    assert.deepEqual(issues({ addonVersion: OLD, autoscaling: {} }, LOOKED_UP_VERSION), [
      `autoscaling: must not be set, since ${OLD} does not support it`,
    ]);
    const rejected = possibleRejections({ replicaCount: "2", replicas: 2, corefile: ".:53 {}" });
    assert.deepEqual(
      rejected.map(({ path, undecided, versions }) => [path.join("."), undecided, versions]),
      [
        ["replicaCount", false, possibleVersions()],
        ["replicas", true, possibleVersions()],
      ],
    );
  });

  it("rejects an add-on much older than EKS's default, and only warns of an older CoreDNS", () => {
    const severities = (addonVersion: string, kubernetes: string) =>
      checkDns(DnsSettings.parse({ addonVersion }), kubernetes).map(({ severity, path }) => [path[0], severity]);
    const warned = [["addonVersion", "warning"]];
    assert.deepEqual(severities("v1.8.7-eksbuild.2", "1.34"), [["addonVersion", undefined]]);
    assert.deepEqual(severities("v1.9.3-eksbuild.15", "1.35"), [["addonVersion", undefined]]);
    assert.deepEqual(severities("v1.10.1-eksbuild.11", "1.36"), [["addonVersion", undefined]]);
    assert.deepEqual(severities("v1.11.4-eksbuild.24", "1.36"), warned);
    assert.deepEqual(severities("v1.13.2-eksbuild.31", "1.36"), warned);
    assert.deepEqual(severities("v1.14.3-eksbuild.3", "1.36"), []);
    assert.deepEqual(severities("v1.14.6-eksbuild.4", "1.35"), []);
    assert.deepEqual(severities("v1.9.3-eksbuild.15", LOOKED_UP_VERSION), []);
    assert.match(
      issues({ addonVersion: "v1.9.3-eksbuild.15" })[0] ?? "",
      /^addonVersion: must be a version that EKS offers with Kubernetes 1\.35, whose default is v1\.13\.2-eksbuild\.31; aws eks describe-/,
    );
    assert.match(
      issues({ addonVersion: "v1.12.4-eksbuild.29" })[0] ?? "",
      /^addonVersion: is an older CoreDNS than that of v1\.13\.2-eksbuild\.31, EKS's default with Kubernetes 1\.35$/,
    );
  });

  it("requires a version if none is known, except on an existing cluster", () => {
    assert.match(
      issues({}, "1.50")[0] ?? "",
      /^addonVersion: must be set for Kubernetes 1\.50, since a default is known for 1\.33, 1\.34,/,
    );
    assert.deepEqual(issues({ addonVersion: "v1.14.6-eksbuild.4" }, "1.50"), []);
    assert.deepEqual(checkDns(DnsSettings.parse({ addonVersion: OLD, autoscaling: {} }), undefined), []);
  });
});

describe("dnsWarnings", () => {
  it("warns about a Corefile, and ignores text that is not one", () => {
    const text = ".:53 {\n forward . 10.0.0.2\n kubernetes\n health\n ready\n cache\n errors\n reload\n}\n";
    const warnings = dnsWarnings(DnsSettings.parse({ corefile: { text } }), "1.35");
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? "", /kubernetes: is written after forward/);
    assert.match(warnings[1] ?? "", /loop: is missing/);
    assert.deepEqual(dnsWarnings(DnsSettings.parse({ corefile: { text: ".:53 {" } }), "1.35"), []);
    assert.deepEqual(dnsWarnings(DnsSettings.parse({}), undefined), []);
  });
});
