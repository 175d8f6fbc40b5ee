import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseSettings } from "../../../components/settings.ts";
import { configOf, OWN_SEARCH, plan, warnings } from "./stacks.ts";

/** Groups and names of the rules of a PrometheusRule or a rules file. */
function rulesOf(file: { groups: { name: string; rules: { alert: string; expr: string }[] }[] }) {
  return new Map(file.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr])));
}

describe("monitoring", function () {
  this.timeout(20_000);

  it("plans nothing by default", async () => {
    for (const kind of ["eks", "eks-existing", "existing"] as const) assert.deepEqual((await plan(kind, {})).names, []);
  });

  it("creates PodMonitors, rules, a dashboard and the canary for the operator, on every kind of cluster", async () => {
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
          scrapeClassicHistograms: true,
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

  it("does not touch the CoreDNS in kube-system if the settings are for another", async () => {
    const { read } = await plan("existing", {
      dns: { adopt: { namespace: "dns" } },
      monitoring: { kind: "annotations" },
    });
    assert.equal(read("monitoring-coredns-scrapers").metadata.namespace, "dns");
    const { to } = read("monitoring-canary-network").spec.egress[0];
    assert.deepEqual(
      to.map(({ namespaceSelector }: { namespaceSelector: { matchLabels: object } }) => namespaceSelector.matchLabels),
      ["kube-system", "dns"].map((name) => ({ "kubernetes.io/metadata.name": name })),
    );
  });

  it("allows only the scraper at the metrics port", async () => {
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

  it("scrapes the event reader separately from the collector, with each container that sends", async () => {
    const logging = {
      collector: "vector",
      sources: ["pods", "events"],
      destinations: { all: { kind: "http", url: "http://a/" }, more: { kind: "http", url: "http://b/" } },
      routes: [{ to: ["all"] }, { to: ["more"], sources: ["events"] }],
    };
    const { read } = await plan("existing", { logging, monitoring: { kind: "prometheus-operator" } });
    const monitor = read("monitoring-fluent-bit-events");
    assert.deepEqual(monitor.spec.selector.matchLabels, { "app.kubernetes.io/name": "fluent-bit-events" });
    const ports = [2020, 2022, 2024];
    assert.deepEqual(
      monitor.spec.podMetricsEndpoints.map(({ portNumber }: { portNumber: number }) => portNumber),
      ports,
    );
    const { podSelector, ingress } = read("monitoring-fluent-bit-events-scrapers").spec;
    assert.deepEqual(podSelector, monitor.spec.selector);
    assert.deepEqual(
      ingress.map((rule: { ports: { port: number }[] }) => rule.ports.map(({ port }) => port)),
      [ports],
    );
    const rules = JSON.stringify(read("monitoring-rules").spec);
    for (const name of ["EventReaderDown", "EventsUnreadable"]) assert.match(rules, new RegExp(`"${name}"`));
    assert.match(rules, /\(9598\|2020\|2022\|2024\)/);
    const annotated = await plan("existing", { logging, monitoring: { kind: "annotations" } });
    for (const port of ports) {
      const { metadata, spec } = annotated.read(`monitoring-fluent-bit-events-${port}`);
      assert.equal(metadata.annotations["prometheus.io/port"], String(port));
      assert.deepEqual(spec.selector, { "app.kubernetes.io/name": "fluent-bit-events" });
    }
  });

  it("keeps each server of CoreDNS open, and warns if its metrics are not at the scraped port", async () => {
    const stack = (prometheus: string) => ({
      dns: {
        corefile: {
          text: `.:53 {\n health\n ready\n kubernetes cluster.local\n ${prometheus}\n forward . 10.0.0.2\n}\na.example:5353 {\n erratic\n}\n`,
        },
      },
      monitoring: { kind: "prometheus-operator" },
    });
    const [, open] = (await plan("eks", stack("prometheus :9153"))).read("monitoring-coredns-scrapers").spec.ingress;
    const ports: { protocol: string; port: number }[] = open.ports;
    assert.deepEqual(
      ports.map(({ protocol, port }) => `${protocol} ${port}`),
      ["UDP 53", "TCP 53", "UDP 5353", "TCP 5353", "TCP 8080", "TCP 8181"],
    );
    for (const [line, told] of [
      ["prometheus :9153", 0],
      ["prometheus 0.0.0.0:9153", 0],
      ["prometheus :9999", 1],
      ["errors", 1],
    ] as const) {
      const about = warnings("eks", stack(line)).filter((warning) => warning.includes("scrapes no metrics of CoreDNS"));
      assert.equal(about.length, told, line);
    }
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

  it("has no alerts for omitted parts", async () => {
    const { names, read } = await plan("existing", {
      dns: false,
      logging: false,
      teams: [],
      monitoring: { kind: "prometheus-operator", canary: { enabled: false } },
    });
    assert.deepEqual(names, ["monitoring", "monitoring-dashboard", "monitoring-rules"]);
    assert.deepEqual(read("monitoring-rules").spec.groups, []);
  });

  it("creates alarms for what CloudWatch can watch, and names the rest", async () => {
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

  it("counts lines in their log group, and none without one", async () => {
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
    // Of two clusters in one account each raises its own alarms.
    const { namespace } = read("monitoring-CoreDnsPanic-lines").metricTransformation;
    assert.equal(namespace, "eks-dns-logging/eks-dns-logging");
    assert.equal(read("monitoring-CoreDnsPanic").namespace, namespace);
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

  it("raises an alarm after one restart of CoreDNS, and if the collector does not run", async () => {
    const { read } = await plan("eks", { logging: { collector: "vector" }, monitoring: { kind: "cloudwatch" } });
    const { evaluationPeriods, datapointsToAlarm } = read("monitoring-CoreDnsRestarting");
    assert.deepEqual([evaluationPeriods, datapointsToAlarm], [5, 1]);
    const { metricName, dimensions, statistic, threshold } = read("monitoring-CollectorMissingOnNode");
    assert.deepEqual([metricName, statistic, threshold], ["status_replicas_unavailable", "Maximum", 0]);
    assert.equal(dimensions.PodName, "vector");
  });

  it("links alerts to runbooks only at the URL in the settings", async () => {
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

  it("knows the upstreams if the Corefile names them", async () => {
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
