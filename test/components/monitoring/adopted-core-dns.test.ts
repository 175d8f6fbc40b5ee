import assert from "node:assert/strict";
import { alertsOf } from "../../../components/monitoring/alerts/index.ts";
import { alarmsOf } from "../../../components/monitoring/cloudwatch-alarms.ts";
import { logGroupsOf, watchedStack } from "../../../components/monitoring/watched-stack.ts";
import { parseSettings } from "../../../components/settings.ts";
import { configOf, type Kind, plan } from "./stacks.ts";

/** A CoreDNS as its Helm chart installs it, as release `dns`. */
const CHART = {
  deployment: "dns-coredns",
  configMap: "dns-coredns",
  container: "server",
  selector: { "app.kubernetes.io/instance": "dns", "k8s-app": "coredns" },
};

function stackOf(kind: Kind, section: object) {
  const { dns, logging, teams, monitoring } = parseSettings(configOf(kind, { dns: section }));
  return watchedStack({ dns, logging, teams, managesCoreDns: true }, monitoring);
}

function exprOf(name: string, adopt: object): string {
  return alertsOf(stackOf("existing", { adopt })).find(({ alert }) => alert.name === name)?.condition.expr ?? "";
}

/** The alarms on CoreDNS's workload, each with the workload. */
function alarmed(section: object): string[] {
  const alarms = alarmsOf(stackOf("eks-existing", section), { cluster: "prod", logGroupOf: () => undefined });
  const own = alarms.filter(({ alert }) => alert.group === "coredns");
  return own.map(({ alert, metric }) => `${alert.name}: ${metric.dimensions.Namespace}/${metric.dimensions.PodName}`);
}

describe("an adopted CoreDNS", function () {
  this.timeout(20_000);

  it("has alerts on its container and its ConfigMap, by the names that dns.adopt gives", () => {
    assert.match(exprOf("CoreDnsCrashLooping", CHART), /restarts_total\{namespace="kube-system",container="server"\}/);
    assert.match(exprOf("CoreDnsCrashLooping", CHART), /container="server",reason="CrashLoopBackOff"\}/);
    assert.doesNotMatch(exprOf("CoreDnsCrashLooping", CHART), /container="coredns"/);
    assert.match(exprOf("CoreDnsCorefileNotLoaded", CHART), /configmap="dns-coredns"\}/);
    // Those of kube-system, where another one is adopted.
    const elsewhere = { ...CHART, namespace: "dns" };
    assert.match(exprOf("CoreDnsCrashLooping", elsewhere), /container="coredns"\}/);
    assert.match(exprOf("CoreDnsCorefileNotLoaded", elsewhere), /configmap="coredns"\}/);
  });

  it("has alarms on its Deployment in CloudWatch", () => {
    const sized = { replicas: 2, resources: { limits: { memory: "170Mi" } } };
    assert.deepEqual(alarmed({ ...sized, adopt: CHART }), [
      "CoreDnsDown: kube-system/dns-coredns",
      "CoreDnsReplicaMissing: kube-system/dns-coredns",
      "CoreDnsRestarting: kube-system/dns-coredns",
      "CoreDnsMemoryNearLimit: kube-system/dns-coredns",
    ]);
    assert.deepEqual(alarmed({ adopt: {} }), [
      "CoreDnsDown: kube-system/coredns",
      "CoreDnsRestarting: kube-system/coredns",
    ]);
  });

  it("has alarms on its lines in the log group to which its labels lead", () => {
    const groups = Object.fromEntries(
      ["own", "usual"].map((name) => [name, { kind: "cloudwatch", logGroup: `/${name}` }]),
    );
    const routes = [
      { to: ["own"], labels: { "k8s-app": "coredns" } },
      { to: ["usual"], labels: { "k8s-app": "kube-dns" } },
    ];
    const of = (adopt: object) => {
      const sections = { dns: { adopt }, logging: { destinations: groups, routes } };
      return logGroupsOf(parseSettings(configOf("eks-existing", sections)), "prod")("coredns");
    };
    assert.equal(of(CHART), "/own");
    assert.equal(of({ ...CHART, namespace: "dns" }), "/usual");
  });

  it("has metrics to read, though the chart's Service carries no annotations for a scraper", async () => {
    const of = (adopt: object) => plan("existing", { dns: { adopt }, monitoring: { kind: "annotations" } });
    const { metadata, spec } = (await of(CHART)).read("monitoring-coredns-9153");
    assert.equal(metadata.namespace, "kube-system");
    assert.equal(metadata.annotations["prometheus.io/port"], "9153");
    assert.deepEqual(spec.selector, CHART.selector);
    for (const adopt of [{}, { ...CHART, namespace: "dns" }])
      assert.ok(!(await of(adopt)).names.includes("monitoring-coredns-9153"));
  });

  it("answers the canary, which its labels let out to it", async () => {
    const dns = { adopt: { namespace: "dns", selector: { app: "dns" } } };
    const { read } = await plan("existing", { dns, monitoring: { kind: "prometheus-operator" } });
    const peer = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "dns" } },
      podSelector: { matchLabels: dns.adopt.selector },
    };
    assert.deepEqual(read("monitoring-canary-network").spec.egress[0].to[1], peer);
  });

  it("is scraped in kube-system by the labels that dns.adopt names", async () => {
    const selector = { app: "dns" };
    const of = async (namespace: string) => {
      const stack = { dns: { adopt: { namespace, selector } }, monitoring: { kind: "prometheus-operator" } };
      const { spec } = (await plan("existing", stack)).read("monitoring-coredns");
      return [spec.namespaceSelector.matchNames, spec.selector.matchLabels];
    };
    assert.deepEqual(await of("kube-system"), [["kube-system"], selector]);
    assert.deepEqual(await of("dns"), [["kube-system"], { "k8s-app": "kube-dns" }]);
  });
});
