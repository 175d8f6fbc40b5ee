import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { allChecks, checkInputOf } from "../../../lab/verify/catalog.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import type { Outcome } from "../../../lab/verify/result.ts";
import { fakeCluster } from "./fake-cluster.ts";

const WATCHED = {
  "eks-dns-logging:cluster": '{"kind":"existing","context":"kind-lab"}',
  "eks-dns-logging:logging": '{"destination":{"kind":"opensearch","inCluster":true}}',
  "eks-dns-logging:monitoring": '{"kind":"prometheus-operator"}',
};

function checksOf(changes: Readonly<Record<string, string>> = {}) {
  const all = allChecks(checkInputOf("local", parseSettings({ ...WATCHED, ...changes }), 60));
  return all.filter(({ group }) => group === "monitoring");
}

/** What a row finds with a Prometheus that answers so; `[]` as each result by default. */
async function outcome(id: string, answers: (path: string) => unknown, changes?: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const cluster = fakeCluster({
    proxyGet: async (target, path) => {
      asked.push(`${target.kind === "nodes" ? "" : target.namespace}/${target.name}${decodeURIComponent(path)}`);
      return JSON.stringify({ status: "success", data: answers(decodeURIComponent(path)) });
    },
  });
  const check = checksOf(changes).find((one) => one.id === id);
  assert.ok(check, id);
  const found: Outcome = await check.run(new Lab(cluster));
  return { ...found, asked };
}

const vector = (...values: readonly number[]) => ({
  result: values.map((value, at) => ({ metric: { instance: `10.0.0.${at}:2020` }, value: [0, String(value)] })),
});

describe("the rows of monitoring", () => {
  it("say what to set if Prometheus is not found", async () => {
    const cluster = fakeCluster({
      proxyGet: async () => {
        throw new ClusterError("not-found", 'services "prometheus-operated" not found');
      },
    });
    for (const check of checksOf())
      await assert.rejects(check.run(new Lab(cluster)), {
        name: "UnmetPrecondition",
        message: "no Service prometheus-operated in monitoring",
        likelyCause: /^Prometheus is not installed there, .* set monitoring\.prometheus\.namespace and service$/,
      });
  });

  it("look for an adopted CoreDNS in its own namespace", async () => {
    const elsewhere = { "eks-dns-logging:dns": '{"adopt":{"namespace":"dns-system"}}' };
    const found = (namespace: string) => (expr: string) =>
      expr.includes(`up{namespace="${namespace}",instance=~".+:(9153)"}`) ? vector(1) : vector();
    const of = (namespace: string) => outcome("monitoring:scraped:coredns", found(namespace), elsewhere);
    assert.equal((await of("dns-system")).status, "pass");
    assert.deepEqual([(await of("kube-system")).status, (await of("kube-system")).detail], ["fail", "no target"]);
  });

  it("exist for each target if the stack is monitored", () => {
    assert.deepEqual(
      checksOf().map(({ id }) => id),
      [
        "monitoring:scraped:coredns",
        "monitoring:scraped:fluent-bit",
        "monitoring:scraped:canary",
        "monitoring:rules",
        "monitoring:kube-state-metrics",
        "monitoring:canary",
      ],
    );
    assert.deepEqual(checksOf({ "eks-dns-logging:monitoring": "{}" }), []);
  });

  it("query for each target whether it is scraped", async () => {
    const up = await outcome("monitoring:scraped:fluent-bit", () => vector(1, 1));
    assert.equal(up.status, "pass");
    assert.deepEqual(up.asked, [
      'monitoring/prometheus-operated:9090/api/v1/query?query=up{namespace="logging",instance=~".+:(2020)"}',
    ]);
    const down = await outcome("monitoring:scraped:fluent-bit", () => vector(1, 0));
    assert.deepEqual([down.status, down.detail], ["fail", "down: 10.0.0.1:2020"]);
    const unlabeled = await outcome("monitoring:scraped:fluent-bit", (path) =>
      path.includes('namespace=""') ? vector(1) : vector(),
    );
    assert.deepEqual([unlabeled.status, unlabeled.detail], ["fail", "no label namespace"]);
    const enforced = await outcome("monitoring:scraped:fluent-bit", (path) =>
      path.endsWith('query=up{namespace!="logging",job=~".+/eks-dns-logging-fluent-bit"}')
        ? { result: [{ metric: { namespace: "monitoring" }, value: [0, "1"] }] }
        : vector(),
    );
    assert.deepEqual([enforced.status, enforced.detail], ["fail", "label namespace is monitoring"]);
    assert.match(enforced.cause ?? "", /sets enforcedNamespaceLabel: .* excludedFromEnforcement$/);
    const none = await outcome("monitoring:scraped:fluent-bit", () => vector());
    assert.equal(none.status, "fail");
    assert.match(
      none.cause ?? "",
      /PodMonitor eks-dns-logging-fluent-bit: .*podMonitorSelector, or the pods declare no port 2020$/,
    );
  });

  it("recognize the event reader by its own series if the collector has the same port", async () => {
    const events = {
      "eks-dns-logging:logging": '{"sources":["pods","events"],"destination":{"kind":"opensearch","inCluster":true}}',
    };
    const found = await outcome("monitoring:scraped:fluent-bit-events", () => vector(1), events);
    assert.equal(found.status, "pass");
    assert.match(found.asked[0] ?? "", / and on \(instance\) fluentbit_input_records_total\{.*kubernetes_events/);
    const none = await outcome("monitoring:scraped:fluent-bit-events", () => vector(), events);
    assert.match(none.cause ?? "", /PodMonitor eks-dns-logging-fluent-bit-events/);
  });

  it("compare the rules with those of the stack", async () => {
    const groups = (health: string, left: number) => {
      const names = /missing: (.*)/.exec(missing.detail)?.[1]?.split(", ") ?? [];
      const rules = names.slice(left).map((name) => ({ name, health, lastError: "many-to-many" }));
      return { groups: [{ rules }] };
    };
    const missing = await outcome("monitoring:rules", () => ({ groups: [] }));
    assert.equal(missing.status, "fail");
    assert.match(missing.detail, /^missing: CoreDnsDown, .*CanaryLost/);
    assert.equal((await outcome("monitoring:rules", () => groups("ok", 0))).status, "pass");
    const one = await outcome("monitoring:rules", () => groups("ok", 1));
    assert.deepEqual([one.status, one.detail], ["fail", "missing: CoreDnsDown"]);
    const broken = await outcome("monitoring:rules", () => groups("err", 0));
    assert.deepEqual([broken.status, broken.detail], ["fail", "CoreDnsDown: many-to-many"]);
  });

  it("check that kube-state-metrics serves the series of alerts, by the namespace of each object", async () => {
    const id = "monitoring:kube-state-metrics";
    const names = [
      "kube_configmap_metadata_resource_version",
      "kube_daemonset_status_number_unavailable",
      "kube_daemonset_status_updated_number_scheduled",
      "kube_pod_container_status_restarts_total",
      "kube_resourcequota",
    ];
    const served = (own: readonly string[], moved: readonly string[]) => (path: string) => ({
      result: (path.includes('exported_namespace=""') ? own : moved).map((name) => ({
        metric: { __name__: name },
        value: [0, "1"],
      })),
    });
    const fine = await outcome(id, served(names, []));
    assert.deepEqual([fine.status, fine.detail], ["pass", "5 metrics"]);
    assert.deepEqual(fine.asked, [
      `monitoring/prometheus-operated:9090/api/v1/query?query=count by (__name__) ({__name__=~"${names.join("|")}",exported_namespace=""})`,
    ]);
    // As an addon of kube-prometheus leaves metrics out.
    const lite = await outcome(id, served(names.slice(1), []));
    assert.deepEqual([lite.status, lite.detail], ["fail", `missing: ${names[0]}`]);
    assert.match(lite.cause ?? "", /--metric-denylist/);
    const dishonored = await outcome(id, served([], names));
    assert.deepEqual([dishonored.status, dishonored.detail], ["fail", "label exported_namespace"]);
    assert.match(dishonored.cause ?? "", /honorLabels/);
    const none = await outcome(id, served([], []));
    assert.match(none.cause ?? "", /monitoring\.prometheus\.kubeStateMetrics/);
    const without = { "eks-dns-logging:monitoring": '{"kind":"annotations","prometheus":{"kubeStateMetrics":false}}' };
    assert.ok(!checksOf(without).some((check) => check.id === id));
  });

  it("follow the canary", async () => {
    const answers = (age: number, lost: number) => (path: string) =>
      path.includes("lost") ? vector(lost) : vector(5, age);
    assert.equal((await outcome("monitoring:canary", answers(60, 0))).status, "pass");
    assert.equal((await outcome("monitoring:canary", answers(181, 0))).status, "fail");
    assert.equal((await outcome("monitoring:canary", answers(60, 2))).status, "warn");
    assert.equal((await outcome("monitoring:canary", () => vector())).status, "fail");
    const blind = { "eks-dns-logging:logging": "{}" };
    assert.equal((await outcome("monitoring:canary", () => vector(), blind)).status, "skip");
  });
});
