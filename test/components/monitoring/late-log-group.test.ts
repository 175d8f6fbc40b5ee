import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Monitoring } from "../../../components/monitoring/monitoring.ts";
import { record } from "../../../lab/plan/plan.ts";
import { UNKNOWN } from "../../../lab/plan/recording.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";

type Give = (name: string) => pulumi.Input<string>;

/** What watches a log group whose name is given in some way. */
async function watched(give: (group: k8s.core.v1.ConfigMap) => Give, { preview = false, name = "/pods" } = {}) {
  const { resources } = await record({ stack: "test", config: {}, preview }, async () => {
    const podIdentity = { clusterName: "dev", region: "eu-central-1", partition: "aws", tags: {} };
    const cluster = existingClusterHandle({ name: "dev", podIdentity });
    const logGroup = give(new k8s.core.v1.ConfigMap("group", {}))(name);
    const logging = { destination: { kind: "cloudwatch", logGroup } } as const;
    new Monitoring("watch", { cluster, kind: "cloudwatch", dns: {}, logging });
    // Until then, the inputs of its resources are read.
    await setTimeout(100);
  });
  return resources.filter(({ type }) => type.startsWith("aws:"));
}

const inputsByName = (resources: Awaited<ReturnType<typeof watched>>) =>
  Object.fromEntries(resources.map(({ type, name, inputs }) => [`${type} ${name}`, inputs]));

describe("A log group whose name is an output", () => {
  it("is counted like one with a plain name", async () => {
    const plain = inputsByName(await watched(() => (name) => name));
    assert.match(JSON.stringify(plain), /"logGroupName":"\/pods"/);
    assert.deepEqual(inputsByName(await watched(() => (name) => Promise.resolve(name))), plain);
  });

  it("is unknown in a preview, in filters, alarms and the dashboard", async () => {
    const resources = await watched(
      ({ metadata }) =>
        (name) =>
          metadata.uid.apply(() => name),
      { preview: true },
    );
    assert.doesNotMatch(JSON.stringify(resources), /known-after-deployment/);
    const filters = resources.filter(({ type }) => type.endsWith("LogMetricFilter"));
    assert.ok(filters.length > 2);
    for (const { inputs } of filters) assert.equal(inputs.logGroupName, UNKNOWN);
    const alarm = resources.find(({ name }) => name === "watch-CollectorDown");
    assert.deepEqual(alarm?.inputs.dimensions, { LogGroupName: UNKNOWN });
    assert.equal(resources.find(({ name }) => name === "watch-dashboard")?.inputs.dashboardBody, UNKNOWN);
  });

  it("is checked once known, under the argument's name", async () => {
    await assert.rejects(
      watched(() => (name) => Promise.resolve(name), { name: "aws/pods" }),
      /watch\.logging\.destination\.logGroup: must not begin with aws\//,
    );
  });
});
