import assert from "node:assert/strict";
import { canaryPolicy } from "../../../components/monitoring/canary.ts";
import { OWN_SEARCH, plan, warnings } from "./stacks.ts";

const OPERATOR = { kind: "prometheus-operator" };

describe("the objects of the canary, of scraping and of alerts", function () {
  this.timeout(20_000);

  it("runs the canary under Pod Security restricted", async () => {
    const { read } = await plan("existing", { logging: OWN_SEARCH, monitoring: OPERATOR });
    const { securityContext, containers } = read("monitoring-canary-daemonset").spec.template.spec;
    assert.deepEqual(
      containers.map(({ name }: { name: string }) => name),
      ["canary", "metrics"],
    );
    assert.equal(securityContext.runAsNonRoot, true);
    assert.deepEqual(securityContext.seccompProfile, { type: "RuntimeDefault" });
    for (const container of containers) {
      assert.equal(container.securityContext.allowPrivilegeEscalation, false, container.name);
      assert.deepEqual(container.securityContext.capabilities.drop, ["ALL"], container.name);
    }
  });

  it("allows the canary to look up names on its node, and to query the destination of its lines", async () => {
    const { egress } = canaryPolicy(
      "monitoring",
      { kind: "none", reason: "a test" },
      {
        dnsAddresses: ["169.254.20.10"],
      },
      "logging",
    );
    assert.deepEqual(egress[0]?.to?.[1], { ipBlock: { cidr: "169.254.20.10/32" } });
    const { read } = await plan("existing", { logging: OWN_SEARCH, monitoring: OPERATOR });
    const rules: { ports: { port: number }[] }[] = read("monitoring-canary-network").spec.egress;
    assert.deepEqual(
      rules.map(({ ports }) => ports.map(({ port }) => port)),
      [[53, 53], [443, 6443, 8443, 16_443], [9200]],
    );
  });

  it("opens the canary's metrics to Prometheus's namespace, and to none with CloudWatch", async () => {
    const ingress = async (monitoring: object) =>
      (await plan("eks", { monitoring })).read("monitoring-canary-network").spec.ingress;
    assert.equal((await ingress(OPERATOR)).length, 1);
    assert.deepEqual(await ingress({ kind: "cloudwatch" }), []);
  });

  it("gives no password to the canary", async () => {
    const destination = {
      kind: "elasticsearch",
      host: "search.example.com",
      tls: {},
      credentials: { secretName: "search-login" },
    };
    const sections = { logging: { destination }, monitoring: OPERATOR };
    const { read } = await plan("existing", sections);
    const [canary] = read("monitoring-canary-daemonset").spec.template.spec.containers;
    assert.deepEqual(
      canary.env.filter(({ name }: { name: string }) => name === "DESTINATION"),
      [{ name: "DESTINATION", value: "none" }],
    );
    assert.match(warnings("existing", sections).join(), /elasticsearch requires a password/);
  });

  it("queries this stack's OpenSearch by its name in the cluster's domain", async () => {
    const destination = { kind: "opensearch", inCluster: true };
    const dns = { corefile: { options: { clusterDomain: "k8s.corp" } }, adopt: {} };
    const { read } = await plan("existing", { dns, logging: { destination }, monitoring: OPERATOR });
    const [canary] = read("monitoring-canary-daemonset").spec.template.spec.containers;
    const url = canary.env.find(({ name }: { name: string }) => name === "SEARCH_URL");
    assert.equal(url.value, "http://opensearch.logging.svc.k8s.corp:9200");
  });

  it("follows no lines to a server whose certificate it cannot verify", () => {
    const search = { kind: "opensearch", host: "search.example.com" };
    const tls = { kind: "loki", url: "https://loki.example.com", caSecretName: "ca" };
    const told = (destination: object) =>
      warnings("existing", { logging: { destination }, monitoring: OPERATOR }).join();
    for (const destination of [{ ...search, tls: { caSecretName: "ca" } }, { ...search, tls: { verify: false } }, tls])
      assert.match(told(destination), /certificate of (opensearch|loki) is not from a public CA/);
    assert.doesNotMatch(told(search), /public CA/);
  });

  it("follows no lines that processing drops or changes", () => {
    const destination = { kind: "opensearch", inCluster: true };
    const told = (processing: object) =>
      warnings("existing", { logging: { destination, processing }, monitoring: OPERATOR }).join();
    const namespaces = ["shop"];
    for (const [processing, setting] of [
      [{ sample: [{ ratio: 0.1 }] }, "sample"],
      [{ sample: [{ ratio: 0.1, pattern: "^canary" }] }, "sample"],
      [{ drop: [{ pattern: "canary line" }] }, "drop"],
      [{ drop: [{ streams: ["stdout"] }] }, "drop"],
      [{ redact: [{ pattern: "\\d{6,}" }] }, "redact"],
    ] as const)
      assert.match(told(processing), new RegExp(`logging\\.processing\\.${setting} changes or leaves out its lines`));
    for (const processing of [
      {},
      { sample: [{ ratio: 0.1, namespaces }] },
      { drop: [{ pattern: "healthz" }, { levels: ["debug"] }, { streams: ["stderr"] }] },
      { redact: ["email", "credit-card", "ipv4", "ipv6", "api-key", "jwt"] },
    ])
      assert.doesNotMatch(told(processing), /changes or leaves out/);
  });

  it("notifies the same actions when an alarm is over", async () => {
    const alarmActions = ["arn:aws:sns:eu-central-1:123456789012:pager"];
    const { read } = await plan("eks", { monitoring: { kind: "cloudwatch", alarmActions } });
    const alarm = read("monitoring-CoreDnsDown");
    assert.deepEqual([alarm.alarmActions, alarm.okActions], [alarmActions, alarmActions]);
  });

  it("makes pods that are not ready visible to a scraper, and the dashboard to Grafana's sidecar", async () => {
    const { read } = await plan("existing", { monitoring: { kind: "annotations" } });
    assert.equal(read("monitoring-canary-8080").spec.publishNotReadyAddresses, true);
    const { metadata, data } = read("monitoring-dashboard");
    assert.equal(metadata.labels.grafana_dashboard, "1");
    const { panels } = JSON.parse(data["eks-dns-logging.json"]);
    const down = panels.find(({ title }: { title: string }) => title === "CanaryDown");
    assert.deepEqual(down.fieldConfig.defaults.thresholds.steps[1], { color: "orange", value: 300 });
  });
});
