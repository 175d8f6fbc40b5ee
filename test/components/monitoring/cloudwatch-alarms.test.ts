import assert from "node:assert/strict";
import { type Alarm, alarmsOf } from "../../../components/monitoring/cloudwatch-alarms.ts";
import { WHOLE } from "./stacks.ts";

const CONTEXT = { cluster: "dev", logGroups: { coredns: "/pods", canary: "/pods" } };
const POD = ["ClusterName", "Namespace", "PodName"];

/**
 * Metrics of Container Insights with enhanced observability, with the sets of dimensions under which its agent publishes them.
 * @see https://github.com/aws/amazon-cloudwatch-agent/blob/main/translator/translate/otel/exporter/awsemf/kubernetes.go
 * @see https://github.com/amazon-contributing/opentelemetry-collector-contrib/blob/aws-cwa-dev/receiver/awscontainerinsightreceiver/internal/k8sapiserver/k8sapiserver.go
 * @see https://github.com/aws/amazon-cloudwatch-agent-test/tree/main/test/metric_value_benchmark/eks_resources/test_schemas
 */
const PUBLISHED: Readonly<Record<string, readonly (readonly string[])[]>> = {
  status_replicas_available: [POD, ["ClusterName"]],
  status_replicas_unavailable: [POD, ["ClusterName"]],
  pod_number_of_container_restarts: [
    POD,
    ["ClusterName"],
    ["ClusterName", "FullPodName", "Namespace", "PodName"],
    ["ClusterName", "Namespace", "Service"],
  ],
  pod_memory_utilization_over_pod_limit: [
    POD,
    ["ClusterName"],
    ["ClusterName", "Namespace", "Service"],
    ["ClusterName", "Namespace"],
    ["ClusterName", "FullPodName", "Namespace", "PodName"],
  ],
};

const alarmOf = (name: string): Alarm => {
  const found = alarmsOf(WHOLE, CONTEXT).find(({ alert }) => alert.name === name);
  assert.ok(found, name);
  return found;
};

describe("the alarms of CloudWatch", () => {
  it("look at metrics of Container Insights as its agent publishes them", () => {
    const insights = alarmsOf(WHOLE, CONTEXT).filter(({ metric }) => metric.namespace === "ContainerInsights");
    for (const { alert, metric } of insights) {
      const keys = Object.keys(metric.dimensions).sort();
      const sets = PUBLISHED[metric.metricName] ?? [];
      assert.ok(
        sets.some((set) => set.join() === keys.join()),
        `${alert.name}: ${metric.metricName} by ${keys}`,
      );
    }
    const watched = (name: string) => {
      const { metric, comparison, threshold } = alarmOf(name);
      return [metric.metricName, metric.statistic, metric.dimensions.PodName, comparison, threshold];
    };
    assert.deepEqual(watched("CoreDnsDown"), [
      "status_replicas_available",
      "Minimum",
      "coredns",
      "LessThanThreshold",
      1,
    ]);
    const missing = (workload: string) => [
      "status_replicas_unavailable",
      "Maximum",
      workload,
      "GreaterThanThreshold",
      0,
    ];
    assert.deepEqual(watched("CoreDnsReplicaMissing"), missing("coredns"));
    assert.deepEqual(watched("NodeLocalDnsMissingOnNode"), missing("node-local-dns"));
    assert.deepEqual(watched("CollectorMissingOnNode"), missing("fluent-bit"));
    assert.deepEqual(watched("CanaryMissingOnNode"), missing("canary"));
  });

  it("are not the same as another", () => {
    const conditions = alarmsOf(WHOLE, CONTEXT).map(({ metric, comparison, threshold, periods }) =>
      JSON.stringify({ metric, comparison, threshold, periods }),
    );
    assert.equal(new Set(conditions).size, conditions.length);
  });
});
