import assert from "node:assert/strict";
import { alertsOf } from "../../../components/monitoring/alerts/index.ts";
import { alarmsOf } from "../../../components/monitoring/cloudwatch-alarms.ts";
import { watchedStack } from "../../../components/monitoring/watched-stack.ts";
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

describe("the alerts of an adopted CoreDNS", function () {
  this.timeout(20_000);

  it("look for its container and its ConfigMap, by the names that dns.adopt gives", () => {
    assert.match(exprOf("CoreDnsCrashLooping", CHART), /restarts_total\{namespace="kube-system",container="server"\}/);
    assert.match(exprOf("CoreDnsCrashLooping", CHART), /container="server",reason="CrashLoopBackOff"\}/);
    assert.doesNotMatch(exprOf("CoreDnsCrashLooping", CHART), /container="coredns"/);
    assert.match(exprOf("CoreDnsCorefileNotLoaded", CHART), /configmap="dns-coredns"\}/);
    // Those of kube-system, where another one is adopted.
    const elsewhere = { ...CHART, namespace: "dns" };
    assert.match(exprOf("CoreDnsCrashLooping", elsewhere), /container="coredns"\}/);
    assert.match(exprOf("CoreDnsCorefileNotLoaded", elsewhere), /configmap="coredns"\}/);
  });

  it("look for its Deployment in CloudWatch", () => {
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

  it("have metrics to read, though the chart's Service carries no annotations for a scraper", async () => {
    const of = (adopt: object) => plan("existing", { dns: { adopt }, monitoring: { kind: "annotations" } });
    const { metadata, spec } = (await of(CHART)).read("monitoring-coredns-9153");
    assert.equal(metadata.namespace, "kube-system");
    assert.equal(metadata.annotations["prometheus.io/port"], "9153");
    assert.deepEqual(spec.selector, CHART.selector);
    for (const adopt of [{}, { ...CHART, namespace: "dns" }])
      assert.ok(!(await of(adopt)).names.includes("monitoring-coredns-9153"));
  });
});
