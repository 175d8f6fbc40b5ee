import assert from "node:assert/strict";
import fc from "fast-check";
import {
  cacheCapacity,
  dnsProfile,
  expectedReplicas,
  maxConcurrent,
  memoryNeed,
  nameMemory,
} from "../../../components/dns/profile.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";

const profile = (settings: unknown) => dnsProfile(DnsSettings.parse(settings));
const row = (settings: unknown, setting: string) => profile(settings).rows.find((one) => one.setting === setting);

describe("sizes by cluster size", () => {
  it("follow the published formulas", () => {
    assert.equal(nameMemory({ pods: 9000, services: 1000 }, false), 64);
    assert.equal(nameMemory({ pods: 9000, services: 1000 }, true), 96);
    assert.equal(expectedReplicas({ nodes: 3, cores: 12 }), 2);
    assert.equal(expectedReplicas({ nodes: 320, cores: undefined }), 20);
    assert.equal(expectedReplicas({ nodes: 10, cores: 1280 }), 5);
    assert.equal(expectedReplicas({ nodes: 50_000, cores: undefined }), 1000);
    assert.equal(maxConcurrent({ queriesPerSecond: 5000, delay: "400ms" }), 2000);
    assert.equal(maxConcurrent({ queriesPerSecond: 1, delay: "1ms" }), 1);
  });

  it("cover CoreDNS's measured memory with full caches", () => {
    const measured: readonly (readonly [pods: number, services: number, kilobytes: number])[] = [
      [15_000, 2000, 160_384],
      [30_000, 5000, 268_632],
      [150_000, 10_000, 440_144],
    ];
    for (const [pods, services, kilobytes] of measured) {
      const capacity = cacheCapacity({ pods, services });
      const use = { autopath: false, capacities: [capacity, capacity], waiting: undefined };
      assert.ok(memoryNeed({ pods, services }, use).limit > (kilobytes / 1024) * 1.2, `${pods} pods`);
    }
  });

  it("never fall as the cluster grows, with a limit above the need", () => {
    const size = fc.record({
      pods: fc.integer({ min: 1, max: 150_000 }),
      services: fc.integer({ min: 1, max: 10_000 }),
    });
    fc.assert(
      fc.property(size, fc.integer({ min: 0, max: 50_000 }), fc.boolean(), (small, more, autopath) => {
        const big = { pods: small.pods + more, services: small.services };
        const use = { autopath, capacities: [cacheCapacity(small)], waiting: 2048 };
        const [less, need] = [memoryNeed(small, use), memoryNeed(big, use)];
        assert.ok(need.limit >= less.limit && need.limit > need.names + need.cache + need.queries && need.limit >= 170);
        assert.ok(cacheCapacity(big) >= cacheCapacity(small));
        assert.equal(cacheCapacity(big) % 256, 0);
        assert.ok(
          memoryNeed(small, { ...use, autopath: true }).names > memoryNeed(small, { ...use, autopath: false }).names,
        );
      }),
    );
  });
});

describe("dnsProfile", () => {
  const BIG = { clusterSize: { nodes: 320, pods: 9000, services: 1500 } };

  it("leaves everything to the add-on by default", () => {
    const { rows, ...values } = profile({});
    assert.deepEqual(values, {
      replicas: 2,
      autoscaling: undefined,
      memoryLimit: undefined,
      cache: { success: undefined, denial: undefined },
      maxConcurrent: undefined,
      autopath: false,
    });
    assert.deepEqual(
      rows.map(({ setting, value }) => [setting, value]),
      [
        ["replicas", "2"],
        ["resources.limits.memory", "170Mi"],
        ["corefile.options.cache.success.capacity", "9984"],
        ["corefile.options.cache.denial.capacity", "9984"],
        ["corefile.options.forward.maxConcurrent", "no limit"],
        ["corefile.options.autopath", "off"],
      ],
    );
  });

  it("sizes a big cluster, and gives the reasons", () => {
    const { rows, ...values } = profile({ ...BIG, corefile: { profile: "tuned", options: { autopath: true } } });
    assert.deepEqual(values, {
      replicas: undefined,
      autoscaling: { minReplicas: 2, maxReplicas: 40 },
      memoryLimit: "260Mi",
      cache: { success: 21_248, denial: 21_248 },
      maxConcurrent: 2048,
      autopath: true,
    });
    assert.match(rows[1]?.reason ?? "", /\(pods \+ services\) \/ 250 \+ 56 = 98 MB, cache 27 MB, queries 82 MB/);
    assert.match(rows[5]?.reason ?? "", /34 MB more in each CoreDNS pod/);
  });

  it("can be overridden one by one, and says so", () => {
    const set: readonly (readonly [settings: object, setting: string, value: string])[] = [
      [{ replicas: 7 }, "replicas", "7"],
      [{ autoscaling: { minReplicas: 3, maxReplicas: 9 } }, "autoscaling", "3 to 9"],
      [{ autoscaling: {} }, "autoscaling", "2 to the add-on's own limit"],
      [{ resources: { limits: { memory: "1Gi" } } }, "resources.limits.memory", "1Gi"],
      [
        { corefile: { options: { cache: { success: { capacity: 4096 } } } } },
        "corefile.options.cache.success.capacity",
        "4096",
      ],
      [
        { corefile: { options: { cache: { denial: { capacity: 2048 } } } } },
        "corefile.options.cache.denial.capacity",
        "2048",
      ],
      [{ corefile: { options: { forward: { maxConcurrent: 5 } } } }, "corefile.options.forward.maxConcurrent", "5"],
    ];
    for (const [settings, setting, value] of set) {
      assert.deepEqual(row({ ...BIG, ...settings }, setting), { setting, value, reason: "set" });
    }
  });

  it("sizes max_concurrent of the tuned profile from rate and delay", () => {
    const corefile = { profile: "tuned", upstreamLoad: { queriesPerSecond: 5000, delay: "400ms" } };
    assert.equal(profile({ corefile }).maxConcurrent, 2000);
    assert.equal(
      row({ corefile }, "corefile.options.forward.maxConcurrent")?.reason,
      "rate × delay: 5000 queries/s × 400ms",
    );
  });

  it("does not describe the cache of a complete Corefile", () => {
    const { rows } = profile({ ...BIG, corefile: { text: ".:53 {\n}\n" } });
    assert.deepEqual(
      rows.map(({ setting }) => setting),
      ["autoscaling", "resources.limits.memory"],
    );
  });
});
