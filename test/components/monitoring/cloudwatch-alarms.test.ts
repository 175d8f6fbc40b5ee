import assert from "node:assert/strict";
import { ALERTS } from "../../../components/monitoring/alerts/alert-table.ts";
import { type Alarm, alarmsOf, unseenByCloudWatch } from "../../../components/monitoring/cloudwatch-alarms.ts";
import { plan, WHOLE, warnings } from "./stacks.ts";

/** The longest name of an EKS cluster. */
const LONG_NAME = `a${"-b".repeat(49)}c`;
const CONTEXT = { cluster: "dev", logGroupOf: () => "/pods" };
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
  it("are those that its metrics or the pods' lines show", () => {
    const seen = alarmsOf(WHOLE, CONTEXT).map(({ alert }) => alert.name);
    for (const name of ["CoreDnsDown", "CoreDnsCorefileNotLoaded", "CanaryLost"]) assert.ok(seen.includes(name), name);
    assert.deepEqual([...seen, ...unseenByCloudWatch(WHOLE, CONTEXT)].sort(), ALERTS.map(({ name }) => name).sort());
  });

  it("count no lines if these go elsewhere", () => {
    const alarms = alarmsOf(WHOLE, { cluster: "dev", logGroupOf: () => undefined });
    assert.deepEqual(
      alarms.filter(({ filter, metric }) => filter !== undefined || metric.namespace === "AWS/Logs"),
      [],
    );
    assert.ok(alarms.length > 3);
  });

  it("use metrics of Container Insights as its agent publishes them", () => {
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

  it("have patterns that match only their own lines", () => {
    const seen = ALERTS.flatMap(({ name, cloudwatch }) =>
      cloudwatch?.kind === "lines" ? [{ name, pattern: cloudwatch.pattern, line: cloudwatch.line }] : [],
    );
    assert.ok(seen.length >= 7);
    for (const { name, pattern, line } of seen) {
      // An exact phrase, which brackets and colons need quotes for.
      assert.match(pattern, /^"[^"\\]+"$/, name);
      const matching = seen.filter((other) => line.includes(other.pattern.slice(1, -1))).map((other) => other.name);
      assert.deepEqual(matching, [name]);
    }
  });

  it("stay on for a while after a single line, so that they do not end before the fault", () => {
    const held = (name: string) => [alarmOf(name).periods, alarmOf(name).datapoints];
    assert.deepEqual(held("CoreDnsCrashLooping"), [7, 1]);
    assert.deepEqual(held("CoreDnsReloadFailed"), [10, 1]);
    assert.deepEqual(held("CoreDnsCorefileNotLoaded"), [5, 1]);
    assert.deepEqual(held("CoreDnsPanic"), [5, 1]);
    assert.deepEqual(held("CoreDnsServfail"), [5, undefined]);
  });

  it("all differ", () => {
    const conditions = alarmsOf(WHOLE, CONTEXT).map(({ metric, comparison, threshold, periods }) =>
      JSON.stringify({ metric, comparison, threshold, periods }),
    );
    assert.equal(new Set(conditions).size, conditions.length);
  });

  // @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  it("respect CloudWatch's limits with the longest cluster name", async () => {
    assert.equal(LONG_NAME.length, 100);
    const { resources } = await plan("eks", {
      cluster: { kind: "eks", name: LONG_NAME },
      logging: { destination: { kind: "cloudwatch" } },
      monitoring: { kind: "cloudwatch" },
    });
    const of = (type: string) =>
      resources.flatMap((one) =>
        one.type === `aws:cloudwatch/${type}` ? [JSON.parse(JSON.stringify(one.inputs))] : [],
      );
    const alarms = of("metricAlarm:MetricAlarm");
    assert.ok(alarms.length > 10);
    for (const alarm of alarms) {
      assert.ok(alarm.name.length <= 255 && alarm.name.startsWith(LONG_NAME), alarm.name);
      assert.ok(alarm.alarmDescription.length <= 1024, alarm.name);
      assert.ok(alarm.period * alarm.evaluationPeriods <= 86_400, alarm.name);
      assert.ok((alarm.datapointsToAlarm ?? 1) <= alarm.evaluationPeriods, alarm.name);
      assert.ok(Object.keys(alarm.dimensions).length <= 30, alarm.name);
    }
    for (const { name, pattern, metricTransformation } of of("logMetricFilter:LogMetricFilter")) {
      assert.match(name, /^[^:*]{1,512}$/);
      assert.ok(pattern.length <= 1024, name);
      for (const text of [metricTransformation.namespace, metricTransformation.name])
        assert.match(text, /^[^:*$]{1,255}$/);
    }
    const [dashboard] = of("dashboard:Dashboard");
    assert.match(dashboard.dashboardName, /^[A-Za-z0-9_-]{1,255}$/);
    assert.equal(JSON.parse(dashboard.dashboardBody).widgets.length, alarms.length);
    assert.ok(alarms.length <= 500);
  });

  it("reject a runbook URL that is too long for their description", () => {
    const runbooks = (length: number) => () =>
      warnings("eks", {
        logging: { destination: { kind: "cloudwatch" } },
        monitoring: { kind: "cloudwatch", runbookUrl: `https://${"a".repeat(length - 8)}` },
      });
    const limit = Number(/must have at most (\d+) characters/.exec(String(thrownBy(runbooks(1100))))?.[1]);
    assert.ok(limit > 700 && limit < 1000, `${limit}`);
    assert.doesNotThrow(runbooks(limit));
    assert.throws(
      runbooks(limit + 1),
      /monitoring\.runbookUrl: must have at most \d+ characters, since an alarm's description has at most 1024 \(found "https:/,
    );
  });

  it("count no lines that the settings drop, and name the missing alerts", async () => {
    const sections = (processing: object) => ({
      logging: { destination: { kind: "cloudwatch" }, processing },
      monitoring: { kind: "cloudwatch" },
    });
    const filters = async (processing: object) =>
      (await plan("eks", sections(processing))).names.flatMap(
        (name) => /^monitoring-(.*)-lines$/.exec(name)?.[1] ?? [],
      );
    const all = await filters({});
    assert.ok(all.includes("CoreDnsServfail") && all.includes("CoreDnsPanic"));
    const errors = { drop: [{ namespaces: ["kube-system"], pattern: "plugin/errors" }] };
    assert.deepEqual(
      await filters(errors),
      all.filter((name) => name !== "CoreDnsServfail"),
    );
    assert.match(warnings("eks", sections(errors)).join("\n"), /cloudwatch has no alarm for .*CoreDnsServfail/);
    assert.deepEqual(await filters({ drop: [{ namespaces: ["kube-system"] }] }), ["CanaryLookupFailing", "CanaryLost"]);
    // Fewer lines still raise the alarm, or later.
    assert.deepEqual(await filters({ sample: [{ namespaces: ["kube-system"], ratio: 0.5 }] }), all);
  });

  it("notify the same recipients when they are over, and start nothing then", async () => {
    const notified = [
      "arn:aws:sns:eu-central-1:123456789012:pager",
      "arn:aws:lambda:eu-central-1:123456789012:function:page",
    ];
    const started = [
      "arn:aws:ssm:eu-central-1:123456789012:opsitem:1",
      "arn:aws:ssm-incidents::123456789012:response-plan/dns",
      "arn:aws:aiops:eu-central-1:123456789012:investigation-group/abc",
    ];
    const { read } = await plan("eks", { monitoring: { kind: "cloudwatch", alarmActions: [...started, ...notified] } });
    const { alarmActions, okActions } = read("monitoring-CoreDnsDown");
    assert.deepEqual(alarmActions, [...started, ...notified]);
    assert.deepEqual(okActions, notified);
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
