import assert from "node:assert/strict";
import { alertsOf } from "../../../components/monitoring/alerts/alert-table.ts";
import { alarmsOf } from "../../../components/monitoring/cloudwatch-alarms.ts";
import { grafanaDashboard } from "../../../components/monitoring/prometheus-objects.ts";
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

const ELSEWHERE = { ...CHART, namespace: "dns" };
const COREFILE = ".:53 {\n  errors\n  cache 30\n  prometheus :9153\n  forward . 10.0.0.2\n}\n";

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

  it("has alerts on its container and its ConfigMap, by the names in dns.adopt", () => {
    assert.match(exprOf("CoreDnsCrashLooping", CHART), /restarts_total\{namespace="kube-system",container="server"\}/);
    assert.match(exprOf("CoreDnsCrashLooping", CHART), /container="server",reason="CrashLoopBackOff"\}/);
    assert.doesNotMatch(exprOf("CoreDnsCrashLooping", CHART), /container="coredns"/);
    assert.match(exprOf("CoreDnsCorefileNotLoaded", CHART), /configmap="dns-coredns"\}/);
    assert.match(exprOf("CoreDnsCrashLooping", ELSEWHERE), /restarts_total\{namespace="dns",container="server"\}/);
    assert.match(exprOf("CoreDnsCorefileNotLoaded", ELSEWHERE), /\{namespace="dns",configmap="dns-coredns"\}/);
  });

  it("is the only one in alerts and graphs, in any namespace", () => {
    const stack = stackOf("existing", { adopt: ELSEWHERE, replicas: 3, corefile: { text: COREFILE } });
    const own = alertsOf(stack).filter(({ alert }) => alert.group === "coredns");
    assert.ok(own.length > 15, String(own.length));
    for (const { alert, condition } of own) {
      const namespaces = [condition.expr, ...Object.keys(condition.series)].flatMap((text) =>
        Array.from(text.matchAll(/namespace="([^"]*)"/g), ([, name]) => name),
      );
      assert.deepEqual([...new Set(namespaces)], ["dns"], alert.name);
    }
    assert.equal(
      own.find(({ alert }) => alert.name === "CoreDnsDown")?.condition.expr,
      'absent(coredns_build_info{namespace="dns",instance=~".+:9153"})',
    );
    const { panels } = grafanaDashboard(stack);
    assert.match(JSON.stringify(panels.find(({ title }) => title === "CoreDnsSlow")), /namespace=\\"dns\\"/);
  });

  it("has alarms on its Deployment in CloudWatch", () => {
    const sized = { replicas: 2, resources: { limits: { memory: "170Mi" } } };
    assert.deepEqual(alarmed({ ...sized, adopt: CHART }), [
      "CoreDnsDown: kube-system/dns-coredns",
      "CoreDnsReplicaMissing: kube-system/dns-coredns",
      "CoreDnsRestarting: kube-system/dns-coredns",
      "CoreDnsMemoryNearLimit: kube-system/dns-coredns",
    ]);
    assert.deepEqual(alarmed({ adopt: ELSEWHERE }), [
      "CoreDnsDown: dns/dns-coredns",
      "CoreDnsRestarting: dns/dns-coredns",
    ]);
    assert.deepEqual(alarmed({ adopt: {} }), [
      "CoreDnsDown: kube-system/coredns",
      "CoreDnsRestarting: kube-system/coredns",
    ]);
  });

  it("has alarms on its lines in the log group by its labels", () => {
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
    assert.equal(of(ELSEWHERE), "/own");
    assert.equal(of({ namespace: "dns" }), "/usual");
  });

  it("is scraped, though the chart's Service has no annotations for it", async () => {
    const of = (adopt: object) => plan("existing", { dns: { adopt }, monitoring: { kind: "annotations" } });
    for (const [adopt, namespace] of [
      [CHART, "kube-system"],
      [ELSEWHERE, "dns"],
    ] as const) {
      const { metadata, spec } = (await of(adopt)).read("monitoring-coredns-9153");
      assert.equal(metadata.namespace, namespace);
      assert.equal(metadata.annotations["prometheus.io/port"], "9153");
      assert.deepEqual(spec.selector, CHART.selector);
    }
    // Another than that of kube-system may carry the usual labels and no annotations.
    const usual = (await of({ namespace: "dns" })).read("monitoring-coredns-9153");
    assert.deepEqual([usual.metadata.namespace, usual.spec.selector], ["dns", { "k8s-app": "kube-dns" }]);
    assert.ok(!(await of({})).names.includes("monitoring-coredns-9153"));
  });

  it("is reachable for the canary, by its labels", async () => {
    const dns = { adopt: { namespace: "dns", selector: { app: "dns" } } };
    const { read } = await plan("existing", { dns, monitoring: { kind: "prometheus-operator" } });
    const peer = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "dns" } },
      podSelector: { matchLabels: dns.adopt.selector },
    };
    assert.deepEqual(read("monitoring-canary-network").spec.egress[0].to[1], peer);
  });

  it("is reachable for the canary and the teams at its Service's target port", async () => {
    const of = async (dns: object) => {
      const { resources, read } = await plan("existing", { dns, monitoring: { kind: "prometheus-operator" } });
      const team = resources.find(({ name }) => name === "ts-allow-dns")?.inputs;
      const rules = [read("monitoring-canary-network"), JSON.parse(JSON.stringify(team))].map(
        ({ spec }) => spec.egress[0],
      );
      assert.deepEqual(rules[0], rules[1]);
      return rules[0].ports.map(({ protocol, port }: { protocol: string; port: number }) => `${protocol} ${port}`);
    };
    const both = ["UDP 53", "TCP 53", "UDP 5353", "TCP 5353"];
    assert.deepEqual(await of({ adopt: CHART }), ["UDP 53", "TCP 53"]);
    assert.deepEqual(await of({ adopt: { ...CHART, manage: false, port: 5353 } }), both);
    const text = `${COREFILE.replace(".:53", ".:5353")}tls://example.org:5301 {\n  whoami\n}\n`;
    assert.deepEqual(await of({ adopt: CHART, corefile: { text } }), both);
  });

  it("is watched by the names in dns.adopt, even if the stack does not manage it", async () => {
    const dns = { adopt: { ...ELSEWHERE, manage: false } };
    const { resources, names, read } = await plan("existing", { dns, monitoring: { kind: "prometheus-operator" } });
    assert.deepEqual(
      resources.filter(({ type }) => type.endsWith("Patch")),
      [],
    );
    assert.deepEqual(read("monitoring-coredns").spec.namespaceSelector.matchNames, ["dns"]);
    // A policy on somebody else's CoreDNS might cut off another scraper.
    assert.ok(!names.includes("monitoring-coredns-scrapers"), names.join());
    const rules = JSON.stringify(read("monitoring-rules").spec);
    assert.match(rules, /absent\(coredns_build_info\{namespace=\\"dns\\"/);
    assert.doesNotMatch(rules, /CoreDnsWrongUpstream|CoreDnsReplicaMissing/);
    const team = resources.find(({ name }) => name === "ts-allow-dns")?.inputs;
    assert.deepEqual(JSON.parse(JSON.stringify(team)).spec.egress[0].to[1], {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "dns" } },
      podSelector: { matchLabels: CHART.selector },
    });
  });

  it("may be installed later on a new cluster, where the teams' policies allow it from the start", async () => {
    const dns = { adopt: { ...ELSEWHERE, manage: false }, replicas: 3 };
    const { warnings } = parseSettings(configOf("eks", { dns }));
    assert.deepEqual(
      warnings.map(({ path, message }) => `${path.join(".")}: ${message}`),
      [
        "dns.adopt.manage: false leaves a new cluster without CoreDNS: pods resolve no names until it is installed",
        "dns.replicas: has no effect with dns.adopt.manage false, which leaves CoreDNS as it is",
      ],
    );
    const { resources } = await plan("eks", { dns });
    assert.ok(!resources.some(({ name }) => name === "coredns-addon"));
    const team = JSON.stringify(resources.find(({ name }) => name === "ts-allow-dns")?.inputs);
    assert.deepEqual(JSON.parse(team).spec.egress[0].to[1].podSelector.matchLabels, CHART.selector);
    assert.throws(
      () => parseSettings(configOf("eks", { dns: { adopt: CHART } })),
      /dns\.adopt: must not be set with cluster\.kind eks, where CoreDNS is an add-on that this stack installs, unless manage is false/,
    );
  });

  it("is watched on EKS Auto Mode too, whose nodes answer DNS themselves", async () => {
    const of = async (dns: object) => {
      const cluster = { kind: "eks-existing", name: "prod", compute: "auto" };
      const sections = { cluster, dns, monitoring: { kind: "prometheus-operator" } };
      const { warnings } = parseSettings(configOf("eks-existing", sections));
      const told = warnings.filter(({ path }) => path[0] === "dns").map(({ message }) => message);
      return [told, (await plan("eks-existing", sections)).names.includes("monitoring-coredns")];
    };
    assert.deepEqual(await of({ adopt: CHART }), [[], true]);
    assert.deepEqual(await of({}), [
      ["installs nothing with cluster.compute auto, where each node answers DNS itself and no CoreDNS pods run"],
      false,
    ]);
  });

  it("is scraped in its namespace by the labels in dns.adopt", async () => {
    const selector = { app: "dns" };
    const of = async (namespace: string) => {
      const stack = { dns: { adopt: { namespace, selector } }, monitoring: { kind: "prometheus-operator" } };
      const { spec } = (await plan("existing", stack)).read("monitoring-coredns");
      return [spec.namespaceSelector.matchNames, spec.selector.matchLabels];
    };
    assert.deepEqual(await of("kube-system"), [["kube-system"], selector]);
    assert.deepEqual(await of("dns"), [["dns"], selector]);
  });
});
