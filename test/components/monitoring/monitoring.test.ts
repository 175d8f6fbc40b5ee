import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseSettings } from "../../../components/settings.ts";
import { planStack } from "../../../lab/plan/plan.ts";

const KINDS = {
  eks: { "aws:region": "eu-central-1", "eks-dns-logging:cluster": '{"kind":"eks"}' },
  "eks-existing": {
    "aws:region": "eu-central-1",
    "eks-dns-logging:cluster": '{"kind":"eks-existing","name":"prod","kubernetesVersion":"1.35"}',
  },
  existing: { "eks-dns-logging:cluster": '{"kind":"existing","context":"kind-lab"}' },
} as const;
type Kind = keyof typeof KINDS;

const OWN_SEARCH = { destination: { kind: "opensearch", inCluster: true } };

function configOf(kind: Kind, sections: Readonly<Record<string, unknown>>): Record<string, string> {
  const own = Object.entries(sections).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  return { ...KINDS[kind], ...Object.fromEntries(own) };
}

async function plan(kind: Kind, sections: Readonly<Record<string, unknown>>) {
  const { resources } = await planStack({ name: "watched", config: configOf(kind, sections) });
  const own = resources.filter(({ name }) => name.startsWith("monitoring"));
  const read = (name: string) => {
    const found = own.find((one) => one.name === name);
    assert.ok(found, `${name} is not among ${own.map((one) => one.name).join(", ")}`);
    return JSON.parse(JSON.stringify(found.inputs));
  };
  return { resources, names: own.map(({ name }) => name).sort(), read };
}

const warnings = (kind: Kind, sections: Readonly<Record<string, unknown>>) =>
  parseSettings(configOf(kind, sections)).warnings.map(({ path, message }) => `${path.join(".")}: ${message}`);

/** Groups and names of the rules of a PrometheusRule or a rules file. */
function rulesOf(file: { groups: { name: string; rules: { alert: string; expr: string }[] }[] }) {
  return new Map(file.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr])));
}

describe("monitoring", function () {
  this.timeout(20_000);

  it("plans nothing by default", async () => {
    for (const kind of ["eks", "eks-existing", "existing"] as const) assert.deepEqual((await plan(kind, {})).names, []);
  });

  it("makes PodMonitors, rules, a dashboard and the canary for the operator, on every kind of cluster", async () => {
    for (const kind of ["eks", "eks-existing", "existing"] as const) {
      const { names, read } = await plan(kind, {
        logging: OWN_SEARCH,
        monitoring: { kind: "prometheus-operator", prometheus: { namespace: "observe", labels: { release: "main" } } },
      });
      const scrapers = kind === "existing" ? [] : ["monitoring-coredns-scrapers"];
      assert.deepEqual(
        names,
        [
          "monitoring",
          "monitoring-canary",
          "monitoring-canary-daemonset",
          "monitoring-canary-files",
          "monitoring-canary-namespace",
          "monitoring-canary-network",
          "monitoring-coredns",
          "monitoring-dashboard",
          "monitoring-fluent-bit",
          "monitoring-fluent-bit-scrapers",
          "monitoring-rules",
          ...scrapers,
        ].sort(),
      );
      assert.deepEqual(read("monitoring-fluent-bit"), {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PodMonitor",
        metadata: {
          name: "eks-dns-logging-fluent-bit",
          namespace: "observe",
          labels: {
            "app.kubernetes.io/managed-by": "pulumi",
            "app.kubernetes.io/name": "monitoring",
            "app.kubernetes.io/part-of": "eks-dns-logging",
            release: "main",
          },
        },
        spec: {
          namespaceSelector: { matchNames: ["logging"] },
          selector: { matchLabels: { "app.kubernetes.io/name": "fluent-bit" } },
          podMetricsEndpoints: [
            {
              portNumber: 2020,
              path: "/api/v2/metrics/prometheus",
              interval: "30s",
              relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" }],
            },
          ],
        },
      });
      const rules = rulesOf(read("monitoring-rules").spec);
      for (const name of ["CoreDnsDown", "LinesDropped", "QuotaNear", "OpenSearchDown", "CanaryLost"])
        assert.ok(rules.has(name), `${kind}: ${name}`);
      assert.equal(rules.has("NodeLocalDnsDown"), false);
      // What somebody else decides gives no alert.
      assert.equal(rules.has("CoreDnsMemoryNearLimit"), kind !== "existing");
      assert.equal(rules.has("CoreDnsReplicaMissing"), kind !== "existing");
    }
  });

  it("scrapes every process that sends to one of several destinations", async () => {
    const { read } = await plan("existing", {
      logging: { destinations: { a: { kind: "stdout" }, b: { kind: "loki", url: "http://loki.monitoring.svc:3100" } } },
      monitoring: { kind: "prometheus-operator" },
    });
    const ports = read("monitoring-fluent-bit").spec.podMetricsEndpoints.map(
      ({ portNumber }: { portNumber: number }) => portNumber,
    );
    assert.equal(ports.length, 3);
    assert.equal(new Set(ports).size, 3);
    const [scrapers] = read("monitoring-fluent-bit-scrapers").spec.ingress;
    assert.deepEqual(
      scrapers.ports.map(({ port }: { port: number }) => port),
      ports,
    );
  });

  it("annotates Services and writes a rules file without the operator", async () => {
    const { names, read } = await plan("eks", { monitoring: { kind: "annotations" } });
    const services = names.filter((name) => /-\d+$/.test(name));
    // The Service kube-dns carries annotations already.
    assert.deepEqual(services, ["monitoring-canary-8080", "monitoring-fluent-bit-2020"]);
    const { metadata, spec } = read("monitoring-fluent-bit-2020");
    assert.deepEqual(metadata.annotations, {
      "prometheus.io/scrape": "true",
      "prometheus.io/port": "2020",
      "prometheus.io/path": "/api/v2/metrics/prometheus",
    });
    assert.deepEqual(spec.selector, { "app.kubernetes.io/name": "fluent-bit" });
    const file = parse(read("monitoring-rules").data["eks-dns-logging.rules.yaml"]);
    assert.ok(rulesOf(file).has("SendFailing"));
  });

  it("lets the scraper in at the metrics port, and nobody else", async () => {
    const { read } = await plan("eks", { monitoring: { kind: "annotations", prometheus: { namespace: "observe" } } });
    const scraper = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "observe" } },
    };
    assert.deepEqual(read("monitoring-coredns-scrapers").spec, {
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      policyTypes: ["Ingress"],
      ingress: [
        { from: [scraper], ports: [{ protocol: "TCP", port: 9153 }] },
        {
          ports: [
            { protocol: "UDP", port: 53 },
            { protocol: "TCP", port: 53 },
            { protocol: "TCP", port: 8080 },
            { protocol: "TCP", port: 8181 },
          ],
        },
      ],
    });
    assert.deepEqual(read("monitoring-fluent-bit-scrapers").spec.ingress, [
      { from: [scraper], ports: [{ protocol: "TCP", port: 2020 }] },
    ]);
    assert.deepEqual(read("monitoring-canary-network").spec.ingress, [
      { from: [scraper], ports: [{ protocol: "TCP", port: 8080 }] },
    ]);
  });

  it("keeps the receiver of the OpenTelemetry Collector open to applications", async () => {
    const { read } = await plan("existing", {
      logging: {
        ...OWN_SEARCH,
        collector: "opentelemetry",
        destination: { kind: "elasticsearch", host: "es.example.com" },
      },
      monitoring: { kind: "prometheus-operator" },
    });
    const [, open] = read("monitoring-opentelemetry-scrapers").spec.ingress;
    assert.deepEqual(open, {
      ports: [
        { protocol: "TCP", port: 4317 },
        { protocol: "TCP", port: 4318 },
      ],
    });
  });

  it("gives no alert for parts that are left out", async () => {
    const { names, read } = await plan("existing", {
      dns: false,
      logging: false,
      teams: [],
      monitoring: { kind: "prometheus-operator", canary: { enabled: false } },
    });
    assert.deepEqual(names, ["monitoring", "monitoring-dashboard", "monitoring-rules"]);
    assert.deepEqual(read("monitoring-rules").spec.groups, []);
  });

  it("makes alarms of what CloudWatch sees, and names the rest", async () => {
    const sections = { logging: { destination: { kind: "cloudwatch" } }, monitoring: { kind: "cloudwatch" } };
    const { names, read } = await plan("eks", sections);
    assert.deepEqual(read("monitoring-CoreDnsMemoryNearLimit").dimensions, {
      ClusterName: "eks-dns-logging",
      Namespace: "kube-system",
      PodName: "coredns",
    });
    assert.deepEqual(read("monitoring-CanaryLost-lines").pattern, '"canary line"');
    assert.equal(read("monitoring-CanaryLost").treatMissingData, "breaching");
    assert.equal(read("monitoring-CoreDnsPanic").treatMissingData, "notBreaching");
    const { widgets } = JSON.parse(read("monitoring-dashboard").dashboardBody);
    assert.equal(widgets.length, names.filter((name) => /^monitoring-[A-Z]\w+$/.test(name)).length);
    const told = warnings("eks", sections).find((line) => line.startsWith("monitoring.kind"));
    assert.match(told ?? "", /cloudwatch has no alarm for .*CoreDnsSlow.*BufferFilling/);
  });

  it("counts lines in the log group that takes them, and none where no group does", async () => {
    const monitoring = { kind: "cloudwatch" };
    const named = {
      destinations: { a: { kind: "cloudwatch" }, b: { kind: "cloudwatch" } },
      routes: [
        { namespaces: ["canary"], to: ["b"] },
        { namespaces: ["kube-system"], to: ["a"] },
      ],
    };
    const { resources, read } = await plan("eks", { logging: named, monitoring });
    const groups = resources
      .filter(({ type }) => type === "aws:cloudwatch/logGroup:LogGroup")
      .map((one) => one.inputs.name);
    const canary = read("monitoring-CanaryLost-lines").logGroupName;
    const coredns = read("monitoring-CoreDnsPanic-lines").logGroupName;
    assert.deepEqual(
      [canary, coredns],
      ["/eks-dns-logging/eks-dns-logging/pods-b", "/eks-dns-logging/eks-dns-logging/pods-a"],
    );
    for (const group of [canary, coredns]) assert.ok(groups.includes(group), `${group}: ${groups}`);
    assert.equal(read("monitoring-CollectorDown").dimensions.LogGroupName, canary);
    const excluding = { destination: { kind: "cloudwatch" }, namespaces: { exclude: ["canary"] } };
    const { names } = await plan("eks", { logging: excluding, monitoring });
    assert.ok(names.includes("monitoring-CoreDnsPanic"));
    for (const name of ["CanaryLost", "CanaryLookupFailing", "CollectorDown"])
      assert.ok(!names.includes(`monitoring-${name}`), name);
    const told = warnings("eks", { logging: excluding, monitoring }).filter((line) =>
      line.startsWith("monitoring.canary"),
    );
    assert.match(told.join(), /logging\.namespaces leaves out the namespace canary/);
  });

  it("raises an alarm at one restart of CoreDNS, and where the collector does not run", async () => {
    const { read } = await plan("eks", { logging: { collector: "vector" }, monitoring: { kind: "cloudwatch" } });
    const { evaluationPeriods, datapointsToAlarm } = read("monitoring-CoreDnsRestarting");
    assert.deepEqual([evaluationPeriods, datapointsToAlarm], [5, 1]);
    const { metricName, dimensions, statistic, threshold } = read("monitoring-CollectorMissingOnNode");
    assert.deepEqual([metricName, statistic, threshold], ["daemonset_status_number_unavailable", "Maximum", 0]);
    assert.equal(dimensions.PodName, "vector");
  });

  it("links an alert to a runbook at the address of the settings alone", async () => {
    const runbookUrl = "https://git.example.com/platform/docs/runbooks/";
    for (const [monitoring, key, runbook] of [
      [{}, "runbook", "docs/runbooks/coredns.md#corednsdown"],
      [{ runbookUrl }, "runbook_url", "https://git.example.com/platform/docs/runbooks/coredns.md#corednsdown"],
    ] as const) {
      const { read } = await plan("existing", { monitoring: { kind: "prometheus-operator", ...monitoring } });
      const rules: { alert: string; annotations: Record<string, string> }[] =
        read("monitoring-rules").spec.groups[0].rules;
      const annotations = rules.find(({ alert }) => alert === "CoreDnsDown")?.annotations ?? {};
      assert.deepEqual(Object.keys(annotations).sort(), ["description", key, "summary"].sort());
      assert.equal(annotations[key], runbook);
      const alarms = await plan("eks", { monitoring: { kind: "cloudwatch", ...monitoring } });
      assert.match(alarms.read("monitoring-CoreDnsDown").alarmDescription, new RegExp(`Runbook: ${runbook}$`));
    }
    for (const wrong of ["docs/runbooks", "https://git.example.com/a#b", "https://"])
      assert.throws(
        () => parseSettings(configOf("existing", { monitoring: { runbookUrl: wrong } })),
        /monitoring\.runbookUrl: must be an address such as https:/,
      );
  });

  it("refuses what cannot be, and warns of what has no effect", () => {
    const refused = (kind: Kind, monitoring: unknown) => () => parseSettings(configOf(kind, { monitoring }));
    assert.throws(refused("existing", { kind: "cloudwatch" }), /monitoring\.kind: must not be cloudwatch/);
    assert.throws(refused("existing", { kind: "prometheus" }), /monitoring\.kind: must be one of/);
    const fargate = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35", compute: "fargate" };
    assert.throws(
      () =>
        parseSettings(
          configOf("eks-existing", { cluster: fargate, logging: false, monitoring: { kind: "annotations" } }),
        ),
      /monitoring\.canary\.enabled: must be false with cluster.compute fargate/,
    );
    assert.deepEqual(warnings("existing", { monitoring: { kind: "annotations" } }), [
      "monitoring.canary: follows no line, so that no alert tells of lost or late ones: the collector's own log is read through the API server alone",
    ]);
    assert.deepEqual(warnings("existing", { logging: OWN_SEARCH, monitoring: { kind: "annotations" } }), []);
    const logagent = { ...OWN_SEARCH, collector: "logagent" };
    assert.deepEqual(warnings("existing", { logging: logagent, monitoring: { kind: "annotations" } }), [
      "monitoring.kind: scrapes no metrics of Logagent, which has none",
    ]);
    assert.deepEqual(
      warnings("existing", { monitoring: { alarmActions: ["arn:aws:sns:eu-central-1:123456789012:a"] } }),
      ["monitoring.alarmActions: has no effect unless kind is cloudwatch"],
    );
  });

  it("refuses values with which Prometheus would find nothing, and warns of settings that its kind does not read", () => {
    const refused = (prometheus: object) => () =>
      parseSettings(configOf("existing", { monitoring: { kind: "prometheus-operator", prometheus } }));
    for (const interval of ["4s", "61s", "600s", "1m"])
      assert.throws(
        refused({ interval }),
        /prometheus\.interval: must be a number of seconds from 5s to 60s/,
        interval,
      );
    for (const service of ["prometheus:0", "prometheus:65536"])
      assert.throws(refused({ service }), /prometheus\.service: must have a port from 1 to 65535/, service);
    assert.throws(refused({ labels: { "a key": "b" } }), /prometheus\.labels\["a key"\]: key must be a label key/);
    for (const interval of ["5s", "60s"]) assert.doesNotThrow(refused({ interval, service: "prometheus:65535" }));
    const arn = "arn:aws:ssm-incidents::123456789012:response-plan/dns";
    assert.doesNotThrow(() => warnings("eks", { monitoring: { kind: "cloudwatch", alarmActions: [arn] } }));

    const unread = (monitoring: object) =>
      warnings("eks", { logging: false, monitoring }).filter((line) => line.includes("has no effect"));
    const prometheus = { interval: "10s" };
    const inCluster = "monitoring.prometheus: has no effect unless kind is prometheus-operator or annotations";
    assert.deepEqual(unread({ canary: { lossAfter: 100 }, prometheus }), [
      "monitoring.canary: has no effect while kind is none",
      inCluster,
    ]);
    assert.deepEqual(unread({ kind: "cloudwatch", prometheus, canary: { lossAfter: 100 } }), [inCluster]);
    assert.deepEqual(unread({ kind: "annotations", prometheus }), [
      "monitoring.prometheus.interval: has no effect unless kind is prometheus-operator: set it in your Prometheus",
    ]);
    assert.deepEqual(unread({ kind: "prometheus-operator", prometheus }), []);
    assert.deepEqual(unread({ prometheus: { interval: "30s" } }), []);
  });

  it("knows the upstreams that names may go to, where the Corefile names them", async () => {
    const upstreams = (corefile: object) =>
      plan("eks", { dns: { corefile }, monitoring: { kind: "prometheus-operator" } }).then(({ read }) =>
        rulesOf(read("monitoring-rules").spec).get("CoreDnsWrongUpstream"),
      );
    assert.equal(await upstreams({}), undefined);
    const addresses = await upstreams({
      options: { upstreams: ["10.0.0.2", "tls://9.9.9.9"], forward: { tlsServerName: "dns.quad9.net" } },
    });
    assert.match(addresses ?? "", /to!~"10\\\\\.0\\\\\.0\\\\\.2:53\|9\\\\\.9\\\\\.9\\\\\.9:853"/);
  });
});
