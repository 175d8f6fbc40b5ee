import assert from "node:assert/strict";
import { ruleFile } from "../../../components/monitoring/alerts/alert-table.ts";
import { promtool, type Series } from "./promtool.ts";
import { WHOLE } from "./stacks.ts";

/** What Prometheus adds to the series of kube-state-metrics 2.18, with `honor_labels`, as the Helm chart's ServiceMonitor scrapes it. */
const scrapedFrom = (pod: string, instance: string) =>
  `container="kube-state-metrics",endpoint="http",instance="${instance}",job="kube-state-metrics",pod="${pod}",service="kube-state-metrics"`;
const OWN = scrapedFrom("kube-state-metrics-a", "10.0.0.5:8080");
const OTHER = scrapedFrom("kube-state-metrics-b", "10.0.0.6:8080");

const DAEMON_SET = 'daemonset="fluent-bit",namespace="logging"';
const quota = (type: string, own: string) =>
  `kube_resourcequota{namespace="ts-team",resource="services",resourcequota="team",type="${type}",${own}}`;

/** The firing alerts of a name at a time. */
const firing = (name: string, at: string, ...labels: readonly string[]) => ({
  expr: `ALERTS{alertname="${name}",alertstate="firing"}`,
  eval_time: at,
  exp_samples: labels.map((own) => ({
    labels: `ALERTS{alertname="${name}",alertstate="firing",severity="warning",${own}}`,
    value: 1,
  })),
});

describe("the alerts on kube-state-metrics in promtool", function () {
  this.timeout(180_000);
  const failures = promtool();
  const found = (series: Series, expected: readonly ReturnType<typeof firing>[]) =>
    failures(ruleFile(WHOLE), [
      {
        interval: "30s",
        input_series: Object.entries(series).map(([selector, values]) => ({ series: selector, values })),
        promql_expr_test: expected,
      },
    ]);

  it("name the faulty object, not kube-state-metrics' pod, however many of these are scraped", async () => {
    const series = Object.fromEntries(
      [OWN, OTHER].flatMap((own) => [
        [quota("used", own), "10x60"],
        [quota("hard", own), "10x60"],
        [`kube_daemonset_status_number_unavailable{${DAEMON_SET},${own}}`, "1x60"],
        [`kube_daemonset_status_updated_number_scheduled{${DAEMON_SET},${own}}`, "1x60"],
      ]),
    );
    const expected = [
      firing("QuotaNear", "20m", 'namespace="ts-team",resource="services",resourcequota="team"'),
      firing("CollectorMissingOnNode", "20m", DAEMON_SET),
    ];
    assert.equal(await found(series, expected), "");
  });

  it("keep counting the time of a full quota while kube-state-metrics is replaced", async () => {
    const series = Object.fromEntries(
      ["used", "hard"].flatMap((type) => [
        [quota(type, OWN), "10x12 stale"],
        [quota(type, OTHER), "_x12 10x60"],
      ]),
    );
    const own = 'namespace="ts-team",resource="services",resourcequota="team"';
    assert.equal(await found(series, [firing("QuotaNear", "12m", own)]), "");
  });

  it("stay quiet during a rolling update, but not if it stops", async () => {
    const unavailable = `kube_daemonset_status_number_unavailable{${DAEMON_SET},${OWN}}`;
    const updated = `kube_daemonset_status_updated_number_scheduled{${DAEMON_SET},${OWN}}`;
    // A node each 90 s for half an hour, then none.
    const series = {
      [unavailable]: "0x2 1x120",
      [updated]: "0x2 0 0 0 1 1 1 2 2 2 3 3 3 4 4 4 5 5 5 6 6 6 7 7 7 8x90",
    };
    const quiet = ["5m", "8m", "11m", "16m"].map((at) => firing("CollectorMissingOnNode", at));
    assert.equal(await found(series, [...quiet, firing("CollectorMissingOnNode", "21m", DAEMON_SET)]), "");
  });

  it("detect at once that a deleted pod is not admitted again", async () => {
    const series = {
      [`kube_daemonset_status_number_unavailable{${DAEMON_SET},${OWN}}`]: "0x10 1x60",
      [`kube_daemonset_status_updated_number_scheduled{${DAEMON_SET},${OWN}}`]: "3x10 2x60",
    };
    assert.equal(await found(series, [firing("CollectorMissingOnNode", "11m", DAEMON_SET)]), "");
  });

  it("detect a crashing CoreDNS, though the kubelet rarely reports that it waits", async () => {
    // As the kubelet of Kubernetes 1.36 told it: each start, and the reason in the end of the longer pauses.
    const pod = `container="coredns",namespace="kube-system",pod="coredns-a",uid="a",${OWN.replace(/container="[^"]*",|pod="[^"]*",/g, "")}`;
    const series = {
      [`kube_pod_container_status_restarts_total{${pod}}`]: "1 2 3 3 4 4 4 5 5 5 5 5 5x10 6x10 6x20",
      [`kube_pod_container_status_waiting_reason{${pod},reason="CrashLoopBackOff"}`]: "_x5 1 _ _ _ 1 1 1 stale",
    };
    const critical = (at: string, ...labels: readonly string[]) => ({
      ...firing("CoreDnsCrashLooping", at),
      exp_samples: labels.map((own) => ({
        labels: `ALERTS{alertname="CoreDnsCrashLooping",alertstate="firing",severity="critical",${own}}`,
        value: 1,
      })),
    });
    const own = 'namespace="kube-system",pod="coredns-a"';
    const during = ["2m30s", "4m", "6m", "9m"].map((at) => critical(at, own));
    assert.equal(await found(series, [critical("1m"), ...during, critical("16m")]), "");
    const once = { [`kube_pod_container_status_restarts_total{${pod}}`]: "1x5 2x40" };
    assert.equal(await found(once, [critical("5m"), critical("10m")]), "");
    const gone = { [`kube_pod_container_status_restarts_total{${pod}}`]: "1 2 3 4x10 stale" };
    assert.equal(await found(gone, [critical("5m", own), critical("8m")]), "");
  });

  it("wait five minutes for a pod that restarts", async () => {
    const series = { [`kube_daemonset_status_number_unavailable{${DAEMON_SET},${OWN}}`]: "0x10 1x8 0x60" };
    const quiet = ["9m", "10m", "15m"].map((at) => firing("CollectorMissingOnNode", at));
    assert.equal(await found(series, quiet), "");
  });
});
