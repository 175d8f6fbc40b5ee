import assert from "node:assert/strict";
import { cacheMemoryIssues } from "../../../components/dns/memory-issues.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";

const messages = (settings: unknown, isAddon = true) =>
  cacheMemoryIssues(DnsSettings.parse(settings), isAddon).map(({ path, message, severity }) =>
    [severity, path.join("."), message].join(" "),
  );
const cached = (success: number) => ({ corefile: { options: { cache: { success: { capacity: success } } } } });

describe("cacheMemoryIssues", () => {
  it("warns of a cache that takes more than the memory limit", () => {
    assert.deepEqual(messages(cached(1_000_000)), [
      "warning corefile.options.cache takes 1208 of the 1291 MB that CoreDNS then needs, above resources.limits.memory of 170Mi: raise that, or lower the capacity",
    ]);
    assert.equal(messages({ ...cached(1_000_000), resources: { limits: { memory: "1Gi" } } }).length, 1);
  });

  it("says nothing where the cache fits, and of a limit that nobody knows", () => {
    assert.deepEqual(messages(cached(80_000)), []);
    assert.deepEqual(messages({ ...cached(1_000_000), resources: { limits: { memory: "2Gi" } } }), []);
    assert.deepEqual(messages({ ...cached(1_000_000), clusterSize: { nodes: 3, pods: 60, services: 20 } }), []);
    assert.deepEqual(messages(cached(1_000_000), false), []);
  });
});
