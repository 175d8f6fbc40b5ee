import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { configOf, type Kind, OWN_SEARCH, warnings } from "./stacks.ts";

describe("issues of monitoring settings", () => {
  it("refuses what cannot be, and warns of what has no effect", () => {
    const refused = (kind: Kind, monitoring: unknown) => () => parseSettings(configOf(kind, { monitoring }));
    assert.throws(refused("existing", { kind: "cloudwatch" }), /monitoring\.kind: must not be cloudwatch/);
    assert.throws(refused("existing", { kind: "prometheus" }), /monitoring\.kind: must be one of/);
    const fargate = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35", compute: "fargate" };
    assert.throws(
      () =>
        parseSettings(
          configOf("eks-existing", { cluster: fargate, logging: false, monitoring: { kind: "annotations" } }),
        ),
      /monitoring\.canary\.enabled: must be false with cluster.compute fargate/,
    );
    assert.deepEqual(warnings("existing", { monitoring: { kind: "annotations" } }), [
      "monitoring.canary: follows no line, so that no alert tells of lost or late ones: the collector's own log is read through the API server alone",
    ]);
    assert.deepEqual(warnings("existing", { logging: OWN_SEARCH, monitoring: { kind: "annotations" } }), []);
    const logagent = { ...OWN_SEARCH, collector: "logagent" };
    assert.deepEqual(warnings("existing", { logging: logagent, monitoring: { kind: "annotations" } }), [
      "monitoring.kind: scrapes no metrics of Logagent, which has none",
    ]);
    assert.deepEqual(
      warnings("existing", { monitoring: { alarmActions: ["arn:aws:sns:eu-central-1:123456789012:a"] } }),
      ["monitoring.alarmActions: has no effect unless kind is cloudwatch"],
    );
  });

  it("keeps the canary's namespace for the canary", () => {
    const monitoring = { kind: "annotations", prometheus: { namespace: "canary" } };
    const teams = [{ name: "birds", namespaces: [{ name: "aviary" }, { name: "canary", adopt: true }] }];
    const of = (settings: Record<string, unknown>) => () => parseSettings(configOf("existing", settings));
    assert.throws(
      of({ monitoring }),
      /monitoring\.prometheus\.namespace: must be another namespace, .* \(found "canary"\)/,
    );
    assert.throws(
      of({ monitoring: { kind: "annotations" }, teams }),
      /monitoring\.canary\.enabled: must be false while team birds has the namespace canary/,
    );
    assert.doesNotThrow(of({ monitoring: { ...monitoring, canary: { enabled: false } }, teams }));
    assert.doesNotThrow(of({ teams }));
  });

  it("refuses values with which Prometheus would find nothing, and warns of settings that its kind does not read", () => {
    const refused = (prometheus: object) => () =>
      parseSettings(configOf("existing", { monitoring: { kind: "prometheus-operator", prometheus } }));
    for (const interval of ["4s", "61s", "600s", "1m"])
      assert.throws(
        refused({ interval }),
        /prometheus\.interval: must be a number of seconds from 5s to 60s/,
        interval,
      );
    for (const service of ["prometheus:0", "prometheus:65536"])
      assert.throws(refused({ service }), /prometheus\.service: must have a port from 1 to 65535/, service);
    assert.throws(refused({ labels: { "a key": "b" } }), /prometheus\.labels\["a key"\]: key must be a label key/);
    for (const interval of ["5s", "60s"]) assert.doesNotThrow(refused({ interval, service: "prometheus:65535" }));
    const arn = "arn:aws:ssm-incidents::123456789012:response-plan/dns";
    const alarms = (count: number) => () =>
      warnings("eks", { monitoring: { kind: "cloudwatch", alarmActions: Array.from({ length: count }, () => arn) } });
    assert.doesNotThrow(alarms(5));
    assert.throws(alarms(6), /monitoring\.alarmActions: must have at most 5 ARNs/);

    const unread = (monitoring: object) =>
      warnings("eks", { logging: false, monitoring }).filter((line) => line.includes("has no effect"));
    const prometheus = { interval: "10s" };
    const inCluster = "monitoring.prometheus: has no effect unless kind is prometheus-operator or annotations";
    assert.deepEqual(unread({ canary: { lossAfter: 100 }, prometheus }), [
      "monitoring.canary: has no effect while kind is none",
      inCluster,
    ]);
    assert.deepEqual(unread({ kind: "cloudwatch", prometheus, canary: { lossAfter: 100 } }), [inCluster]);
    assert.deepEqual(unread({ kind: "annotations", prometheus }), [
      "monitoring.prometheus.interval: has no effect unless kind is prometheus-operator: set it in your Prometheus",
    ]);
    assert.deepEqual(unread({ kind: "prometheus-operator", prometheus }), []);
    assert.deepEqual(unread({ prometheus: { interval: "30s" } }), []);
  });
});
