import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { EksCluster } from "../../../components/cluster/eks/eks-cluster.ts";
import { LogCollection } from "../../../components/logging/log-collection.ts";
import { record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { ofType } from "../../support/find.ts";
import { podIdentityOf } from "../logging/recorded-collection.ts";

const GROUP = "aws:eks/nodeGroup:NodeGroup";
const SOURCE = "aws:cloudwatch/logDeliverySource:LogDeliverySource";
const DESTINATION = "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination";
const call = (_token: string, inputs: object) => ({ ...inputs, accountId: "111122223333", names: ["a", "b"] });
const NODES = `n${"o".repeat(31)}`;
const LONG = "production-observability-platform-of-all-teams";

/** The resources of a library user's cluster and log collection of these names, in a plan. */
async function plan(cluster: string, logs: string) {
  const { resources } = await record({ stack: "test", config: {}, preview: false, call }, async () => {
    new EksCluster(cluster, { region: "eu-central-1", nodeGroups: [{ name: NODES }] });
    const podIdentity = podIdentityOf(new k8s.core.v1.ConfigMap("agent", {}));
    new LogCollection(logs, {
      cluster: existingClusterHandle({ name: "dev", podIdentity }),
      teams: [{ name: "ts" }],
      sources: ["pods", "auto-mode"],
      destination: { kind: "cloudwatch" },
    });
  });
  return resources;
}

describe("the names of a library user's resources in AWS", () => {
  it("are Pulumi's if these are short enough", async () => {
    const resources = await plan("platform-of-all1", "logs-of-all-teams-in-europe");
    assert.deepEqual(
      ofType(resources, GROUP).map(({ name, inputs }) => [name.length, inputs.nodeGroupNamePrefix]),
      [[55, undefined]],
    );
    const deliveries = [...ofType(resources, SOURCE), ...ofType(resources, DESTINATION)];
    assert.deepEqual(
      deliveries.map(({ name, inputs }) => [name.length, inputs.name]),
      [45, 51, 52, 42, 37].map((length) => [length, undefined]),
    );
  });

  it("are within AWS's limits, and differ, however long the component's name is", async () => {
    const resources = await plan(LONG, LONG);
    const [group] = ofType(resources, GROUP);
    assert.equal(group?.inputs.nodeGroupNamePrefix, "production-observability-platform-of-");
    const names = ofType(resources, SOURCE).map(({ inputs }) => String(inputs.name));
    assert.deepEqual(
      names.map(({ length }) => length),
      [60, 60, 60, 60],
    );
    assert.equal(new Set(names).size, 4);
    assert.deepEqual(
      ofType(resources, DESTINATION).map(({ inputs }) => inputs.name),
      [`${LONG}-auto-mode`],
    );
  });
});
