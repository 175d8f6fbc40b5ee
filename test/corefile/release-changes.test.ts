import assert from "node:assert/strict";
import { parseCorefile } from "../../corefile/model.ts";
import { behaviorChanges, versionOf } from "../../corefile/releases.ts";
import { block, DEFAULT } from "./default-corefile.ts";

describe("behavior changes of a newer CoreDNS", () => {
  /** Releases that change something, and the first words of what. */
  const changed = (from: string, to: string, ...lines: readonly string[]) =>
    behaviorChanges(versionOf(from), versionOf(to), parseCorefile(block(".:53", ...lines)).servers).map(
      ({ version, change }) => `${version} ${change.split(" ").slice(0, 3).join(" ")}`,
    );
  const ACL = "acl corp.example {\nblock net 10.0.0.0/8\n}";
  const RENAME = "rewrite name exact a.corp.example b.example answer auto";
  const METRICS = ["prometheus :9153", "kubernetes cluster.local"];

  it("are reported if a line shows them", () => {
    const cases: readonly (readonly [lines: readonly string[], found: readonly string[]])[] = [
      [["errors", "cache", "whoami"], []],
      [["prometheus :9153"], ["1.14.0 the label plugin"]],
      [[ACL], []],
      [[RENAME], []],
      [[ACL, "rewrite ttl exact a.corp.example 5"], []],
      [[ACL, RENAME], ["1.14.2 acl matches the"]],
      [["kubernetes cluster.local"], []],
      [
        METRICS,
        [
          "1.14.0 the label plugin",
          "1.14.2 coredns_kubernetes_rest_client_request_duration_seconds and rate_limiter_duration_seconds",
          "1.14.3 coredns_kubernetes_dns_programming_duration_seconds counts Services",
        ],
      ],
      [["log"], ["1.14.5 log writes SERVFAIL"]],
      [["forward . /etc/resolv.conf"], ["1.14.7 forward asks its"]],
      [["forward . 10.0.0.8 10.0.0.9"], []],
      [["forward . 10.0.0.8 {\nmax_connect_attempts 3\n}"], []],
    ];
    for (const [lines, found] of cases) assert.deepEqual(changed("1.12.4", "1.15.0", ...lines), found, String(lines));
  });

  it("are limited to the releases between both", () => {
    const told = (from: string, to: string) => changed(from, to, DEFAULT).map((line) => line.split(" ")[0]);
    assert.deepEqual(told("1.12.4", "1.13.2"), []);
    assert.deepEqual(told("1.13.2", "1.14.3"), ["1.14.0", "1.14.2", "1.14.3"]);
    assert.deepEqual(told("1.14.3", "1.14.6"), []);
    assert.deepEqual(told("1.14.3", "1.15.0"), ["1.14.7"]);
    assert.deepEqual(told("1.15.0", "1.13.2"), []);
  });
});
