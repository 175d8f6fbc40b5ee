import assert from "node:assert/strict";
import { record } from "../../lab/plan/plan.ts";
import { find, ofType } from "../support/find.ts";

describe("examples/as-a-library", () => {
  it("makes CoreDNS, a team and log collection without this project's settings", async () => {
    const { resources, outputs } = await record(
      { stack: "prod", config: {} },
      () => import("../../examples/as-a-library/index.ts"),
    );
    const addon = find(resources, "aws:eks/addon:Addon", "dns-addon");
    assert.equal(addon.inputs.clusterName, "prod");
    assert.equal(JSON.parse(String(addon.inputs.configurationValues)).replicaCount, 3);
    const quota = find(resources, "kubernetes:core/v1:ResourceQuota", "shop-quota");
    assert.deepEqual(quota.inputs.spec, {
      hard: {
        "requests.cpu": "8",
        "requests.memory": "2Gi",
        "limits.memory": "4Gi",
        "requests.storage": "10Gi",
        pods: "50",
        services: "10",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
      },
    });
    const { metadata } = find(resources, "kubernetes:core/v1:Namespace", "shop-namespace").inputs;
    assert.match(
      JSON.stringify(metadata),
      /"cost-center":"42".*"name":"shop-team"|"name":"shop-team".*"cost-center":"42"/,
    );
    assert.deepEqual(ofType(resources, "kubernetes:core/v1:Pod"), []);
    assert.match(String(outputs.corefile), /serve_stale/);
    const { data } = find(resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config").inputs;
    assert.match(JSON.stringify(data), /host: search.example.com/);
  });
});
