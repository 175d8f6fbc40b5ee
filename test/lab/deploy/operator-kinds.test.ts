import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { missingKinds } from "../../../lab/deploy/operator-kinds.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";

describe("the kinds that must be there before lab up", () => {
  const missing = (kind: string, there: () => Promise<string[]>) =>
    missingKinds(
      { kinds: there },
      parseSettings({
        "eks-dns-logging:cluster": '{"kind":"existing"}',
        "eks-dns-logging:monitoring": JSON.stringify({ kind }),
      }),
    );
  const fails = (kind: "not-found" | "forbidden") => async () => {
    throw new ClusterError(kind, "no");
  };

  it("are those of Prometheus Operator, each named if it is missing", async () => {
    assert.deepEqual(await missing("prometheus-operator", async () => ["PodMonitor", "PrometheusRule"]), []);
    assert.deepEqual(await missing("prometheus-operator", async () => ["PodMonitor", "ServiceMonitor"]), [
      'monitoring.kind: must be annotations or none until the cluster has PrometheusRule (monitoring.coreos.com/v1), which Prometheus Operator\'s CustomResourceDefinitions add (found "prometheus-operator")',
    ]);
    assert.match(
      (await missing("prometheus-operator", fails("not-found"))).join(),
      /has PodMonitor and PrometheusRule /,
    );
  });

  it("are none if no objects use them, or the user may not list them", async () => {
    assert.deepEqual(await missing("annotations", fails("not-found")), []);
    assert.deepEqual(await missing("none", fails("not-found")), []);
    assert.deepEqual(await missing("prometheus-operator", fails("forbidden")), []);
  });
});
