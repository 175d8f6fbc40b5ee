import assert from "node:assert/strict";
import { bypassIssues } from "../../../components/dns/issues.ts";
import { cacheMemoryIssues } from "../../../components/dns/profile.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";

const messages = (settings: unknown, isAddon = true) =>
  cacheMemoryIssues(DnsSettings.parse(settings), isAddon).map(({ path, message, severity }) =>
    [severity, path.join("."), message].join(" "),
  );
const cached = (success: number) => ({ corefile: { options: { cache: { success: { capacity: success } } } } });

describe("cacheMemoryIssues", () => {
  it("warns of a cache that exceeds the memory limit", () => {
    assert.deepEqual(messages(cached(1_000_000)), [
      "warning corefile.options.cache takes 1208 of the 1291 MB that CoreDNS then needs, above resources.limits.memory of 170Mi: raise that, or lower the capacity",
    ]);
    assert.equal(messages({ ...cached(1_000_000), resources: { limits: { memory: "1Gi" } } }).length, 1);
  });

  it("warns of a set limit that CoreDNS exceeds", () => {
    const limited = (memory: string, more: object = {}) =>
      messages({ resources: { limits: { memory }, requests: { memory: "50Mi" } }, ...more });
    const size = { clusterSize: { nodes: 500, pods: 20_000, services: 3000 } };
    assert.deepEqual(limited("170Mi", size), [
      "warning resources.limits.memory is less than the 194 MB that CoreDNS needs with these settings: 77 for names, 88 for a larger cache, 29 for queries",
    ]);
    assert.deepEqual(limited("128Mi", { corefile: { profile: "tuned" } }), [
      "warning resources.limits.memory is less than the 148 MB that CoreDNS needs with these settings: 54 for names, 12 for a larger cache, 82 for queries",
    ]);
    assert.match(limited("64Mi").join(), /^warning resources\.limits\.memory is less than the 83 MB/);
    for (const [memory, more] of [
      ["100Mi", {}],
      ["200Mi", size],
      ["170Mi", { corefile: { profile: "tuned" } }],
    ] as const)
      assert.deepEqual(limited(memory, more), []);
    assert.deepEqual(messages(size), []);
  });

  it("is silent if the cache fits or the limit is unknown", () => {
    assert.deepEqual(messages(cached(80_000)), []);
    assert.deepEqual(messages({ ...cached(1_000_000), resources: { limits: { memory: "2Gi" } } }), []);
    assert.deepEqual(messages({ ...cached(1_000_000), clusterSize: { nodes: 3, pods: 60, services: 20 } }), []);
    assert.deepEqual(messages(cached(1_000_000), false), []);
  });
});

describe("bypassIssues", () => {
  const paths = (corefile: object, more: object = { nodeLocalCache: { mode: "kubelet" } }) =>
    bypassIssues(DnsSettings.parse({ corefile, ...more })).map(({ path }) => path.join("."));
  const OUTSIDE = { profile: "tuned", options: { cache: { ttl: 300 }, forward: { maxFails: 3 }, log: {} } };

  it("warns of settings for outside names if the node's cache sends those elsewhere", () => {
    assert.deepEqual(paths(OUTSIDE), [
      "corefile.profile",
      "corefile.options.cache",
      "corefile.options.forward",
      "corefile.options.log",
    ]);
    const [first] = bypassIssues(DnsSettings.parse({ corefile: OUTSIDE, nodeLocalCache: { mode: "kubelet" } }));
    assert.equal(first?.severity, "warning");
    assert.match(first?.message ?? "", /^has no effect on outside names, which nodeLocalCache sends/);
  });

  it("is silent if the cache sends CoreDNS all names, and about settings for cluster names", () => {
    assert.deepEqual(paths(OUTSIDE, {}), []);
    for (const own of [{ upstreams: ["10.0.0.2"] }, { rewrite: [{ from: "a.example", to: "b.example" }] }])
      assert.deepEqual(paths({ ...OUTSIDE, options: { ...OUTSIDE.options, ...own } }), []);
    const cluster = { ttl: 10, lameduck: "10s", pods: "verified", log: { zones: ["svc.cluster.local"] } };
    assert.deepEqual(paths({ options: cluster }), []);
    assert.deepEqual(paths({ options: { log: { zones: ["cluster.local", "corp.example"] } } }), [
      "corefile.options.log",
    ]);
  });
});
