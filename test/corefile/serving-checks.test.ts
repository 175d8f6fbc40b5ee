import assert from "node:assert/strict";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import type { CheckContext } from "../../corefile/checks/findings.ts";
import type { Version } from "../../corefile/releases.ts";
import { block, check, withLines } from "./default-corefile.ts";

const NOTHING = { errors: [], warnings: [] };

describe("log", () => {
  it("reads part of an unquoted format as a zone", () => {
    for (const line of ["log . {remote} {name}", "log {remote}"])
      assert.match(String(check(withLines(line)).warnings), /log: \{remote\} is read as a zone/);
    assert.deepEqual(check(withLines('log . "{remote} {name}"')), NOTHING);
  });

  it("has labels only with metadata", () => {
    const line = 'log . "{name} {/kubernetes/client-namespace}"';
    assert.match(String(check(withLines(line)).warnings), /\{\/kubernetes\/client-namespace\} is always -/);
    assert.deepEqual(check(withLines(`${line}\nmetadata`)), NOTHING);
  });
});

const KUBERNETES = "kubernetes cluster.local in-addr.arpa ip6.arpa {\nfallthrough in-addr.arpa ip6.arpa\n}";

interface Lines {
  readonly kubernetes?: string;
  readonly cache?: string;
  readonly forward?: string;
  readonly more?: string;
  readonly blocks?: string;
}

function warnings(lines: Lines, context: CheckContext = {}): readonly string[] {
  const { kubernetes = KUBERNETES, cache = "cache 30", forward = "forward . 10.0.0.2", more = "", blocks = "" } = lines;
  const all = ["errors", "health", "ready", more, kubernetes, "prometheus :9153", forward, cache, "loop", "reload"];
  const { errors, warnings: found } = checkCorefile(`.:53 {\n${all.join("\n")}\n}\n${blocks}`, context);
  assert.deepEqual(errors, []);
  return found;
}

describe("the cluster's names", () => {
  const STALE =
    ".:53: cache: serve_stale answers names of cluster.local with what they no longer have, such as a deleted pod's address; add";

  it("are kept out of a cache that serves expired answers at once", () => {
    for (const words of ["", " 1h", " 30m immediate"]) {
      const mode = words.includes("30m") ? "30m" : "1h";
      assert.deepEqual(warnings({ cache: `cache 30 {\nservfail 0s\nserve_stale${words}\n}` }), [
        `${STALE} disable success cluster.local and disable denial cluster.local, or serve_stale ${mode} verify`,
      ]);
    }
    const partly = "cache 30 {\nservfail 0s\nserve_stale\ndisable success cluster.local\n}";
    assert.deepEqual(warnings({ cache: partly }), [`${STALE} disable denial cluster.local, or serve_stale 1h verify`]);
  });

  it("may be in a cache that first asks for them, that is for other names, or in another block", () => {
    for (const cache of [
      "cache 30 {\nserve_stale 1h verify\n}",
      "cache 30 {\nservfail 0s\nserve_stale\ndisable success cluster.local\ndisable denial local\n}",
      "cache 30 {\nservfail 0s\nserve_stale\ndisable success\ndisable denial\n}",
      "cache 30 example.org {\nservfail 0s\nserve_stale\n}",
      "cache 30 in-addr.arpa {\nservfail 0s\nserve_stale\n}",
    ])
      assert.deepEqual(warnings({ cache }), [], cache);
    const other = "example.org:53 {\nforward . 10.0.0.3\ncache 30 {\nservfail 0s\nserve_stale\n}\n}\n";
    assert.deepEqual(warnings({ blocks: other }), []);
    const own = "cluster.local:53 {\nkubernetes\n}\n";
    assert.ok(
      !warnings({ cache: "cache 30 {\nservfail 0s\nserve_stale\n}", blocks: own }).join().includes("serve_stale"),
    );
    assert.deepEqual(
      warnings(
        { cache: "cache 30 {\nservfail 0s\nserve_stale\n}" },
        { isAddon: false, clusterDomain: "other.local" },
      ).filter((line) => line.includes("serve_stale")),
      [],
    );
  });

  it("are not kept for longer than their TTL by much", () => {
    const of = (options: string, kubernetes = KUBERNETES) =>
      warnings({ cache: `cache 30 {\n${options}\n}`, kubernetes });
    assert.deepEqual(of("success 9984 300 60"), [
      ".:53: cache success: keeps addresses of deleted pods for at least 60 s, since its shortest TTL is also for names of cluster.local; make it at most 30, or add disable success cluster.local",
    ]);
    assert.deepEqual(of("denial 9984 300 120"), [
      ".:53: cache denial: keeps that a new Service does not exist for at least 120 s, since its shortest TTL is also for names of cluster.local; make it at most 30, or add disable denial cluster.local",
    ]);
    assert.deepEqual(of("success 9984 300 30\ndenial 9984 300 0"), []);
    assert.deepEqual(of("success 9984 300 60\ndisable success cluster.local"), []);
    assert.deepEqual(of("success 9984 300 60", "kubernetes cluster.local {\nttl 60\n}"), []);
  });

  it("are not asked for elsewhere if they do not exist", () => {
    const passing = (zones: string) => `kubernetes cluster.local in-addr.arpa ip6.arpa {\nfallthrough ${zones}\n}`;
    const of = (zones: string) =>
      `.:53: ${`kubernetes fallthrough ${zones}`.trim()}: asks 10.0.0.2 for names of cluster.local that do not exist, several for each outside name that a pod looks up; write fallthrough in-addr.arpa ip6.arpa`;
    for (const zones of ["", ".", "cluster.local", "in-addr.arpa local"])
      assert.ok(warnings({ kubernetes: passing(zones) }).includes(of(zones)), zones);
  });

  it("may have another source behind kubernetes", () => {
    const kubernetes = "kubernetes cluster.local in-addr.arpa ip6.arpa {\nfallthrough\n}";
    for (const lines of [
      { forward: "forward cluster.local 10.0.0.3\nforward . 10.0.0.2" },
      { forward: "forward . 10.0.0.2 {\nexcept cluster.local\n}" },
      { more: "etcd cluster.local" },
      { more: "file /etc/hosts.db shop.cluster.local" },
    ])
      assert.ok(
        !warnings({ kubernetes, ...lines })
          .join()
          .includes("kubernetes fallthrough"),
        JSON.stringify(lines),
      );
  });
});

describe("stale answers", () => {
  it("are behind a failure of the upstream that the cache keeps, until 1.14.7", () => {
    const of = (options: string, coredns: Version = [1, 14, 3]) =>
      warnings({ cache: `cache 30 example.org {\n${options}\n}` }, { coredns, isAddon: false });
    const told = (kept: number) => [
      `.:53: cache: until CoreDNS 1.14.7, an upstream's SERVFAIL comes before a stale answer for ${kept} s, so that serve_stale only helps if upstreams are silent; add servfail 0s`,
    ];
    assert.deepEqual(of("serve_stale"), told(5));
    assert.deepEqual(of("serve_stale 1h immediate\nservfail 30s", [1, 14, 6]), told(30));
    for (const options of ["serve_stale 1h verify", "serve_stale\nservfail 0", "success 9984", "servfail 30s"])
      assert.deepEqual(of(options), [], options);
    assert.deepEqual(of("serve_stale", [1, 14, 7]), []);
  });
});

describe("autopath", () => {
  const block = (...lines: readonly string[]) =>
    `cluster.local:53 {\nautopath @kubernetes\nkubernetes {\npods verified\n}\n${lines.join("\n")}\n}\n`;

  it("needs a source of outside names in its own block", () => {
    const found =
      "cluster.local:53: autopath: asks this block for the name without its search domain, so that names outside the cluster are SERVFAIL; add a line forward . here";
    for (const lines of [[], ["forward corp.example 10.0.0.3"]])
      assert.ok(warnings({ blocks: block(...lines) }).includes(found), String(lines));
    for (const line of ["forward . 10.0.0.2", "grpc . 10.0.0.2"])
      assert.ok(!warnings({ blocks: block(line) }).includes(found), line);
  });
});

describe("force_tcp", () => {
  it("comes before prefer_udp", () => {
    const forward = (options: string) => `forward . 10.0.0.2 {\n${options}\n}`;
    assert.deepEqual(warnings({ forward: forward("force_tcp\nprefer_udp") }), [
      ".:53: forward .: prefer_udp has no effect beside force_tcp; leave one of them out",
    ]);
    for (const option of ["force_tcp", "prefer_udp"]) assert.deepEqual(warnings({ forward: forward(option) }), []);
  });
});

describe("a label of metadata in a rule of rewrite", () => {
  const rule = (words: string) =>
    `rewrite name regex ^a\\.(.*)\\.$ {1}.{kubernetes/client-namespace}.example. ${words}`;
  const of = (more: string, coredns?: CheckContext["coredns"]) =>
    warnings({ more }, { coredns, isAddon: false }).filter((line) => line.includes("client-namespace}"));

  it("is not replaced without the word metadata", () => {
    assert.deepEqual(of(rule("answer auto")), [
      ".:53: rewrite ^a\\.(.*)\\.$: {kubernetes/client-namespace} in {1}.{kubernetes/client-namespace}.example. is not replaced; from CoreDNS 1.15.0 write metadata behind the new name of a regex; leave it out before",
    ]);
  });

  it("needs the plugin metadata", () => {
    assert.deepEqual(of(rule("metadata answer auto"), [1, 15, 0]), [
      ".:53: rewrite ^a\\.(.*)\\.$: matches no name, since {kubernetes/client-namespace} has no value in a block without metadata; add a line metadata",
    ]);
    assert.deepEqual(of(`metadata\n${rule("metadata answer auto")}`, [1, 15, 0]), []);
  });
});

describe("the block for all names", () => {
  it("answers outside names only if a line forwards all of them", () => {
    const forwarding = (zones: string) => check(withLines("").replace("forward . ", `forward ${zones} `));
    assert.deepEqual(forwarding("corp.example").warnings, [
      ".:53: forward .: is missing, so names outside the cluster get no answer",
    ]);
    assert.deepEqual(forwarding("."), NOTHING);
    const byGrpc = withLines("").replace(/forward .*/, "grpc . 10.0.0.2:443");
    assert.deepEqual(check(byGrpc), NOTHING);
  });
});

describe("kubernetes", () => {
  const on = (zones: string) =>
    check(withLines("").replace("kubernetes cluster.local in-addr.arpa ip6.arpa", `kubernetes${zones}`));
  const taking = (domain: string) =>
    `.:53: zone cluster.local: nothing answers it, the domain of every pod on EKS, since kubernetes takes ${domain} for the cluster's domain; write kubernetes cluster.local in-addr.arpa ip6.arpa`;

  it("has the cluster's names only in a zone that is the cluster's domain", () => {
    for (const [zones, domain] of [
      ["", "."],
      [" .", "."],
      [" local", "local"],
      [" cluster.local svc.cluster.local", "svc.cluster.local"],
    ] as const)
      assert.deepEqual(on(zones).errors, [taking(domain)], zones);
    for (const zones of [" cluster.local", " Cluster.Local. local ."]) assert.deepEqual(on(zones).errors, [], zones);
  });

  it("takes its block's zones", () => {
    const text = withLines("").replace(/kubernetes[^}]*\}\n/, "");
    assert.deepEqual(check(`${text}${block("cluster.local:53", "errors", "cache", "kubernetes")}`).errors, []);
  });
});
