import assert from "node:assert/strict";
import { Destination } from "../../../../components/logging/destinations/destination-settings.ts";
import {
  destinationEgress,
  needsCidrs,
  transportIssues,
} from "../../../../components/logging/destinations/transport.ts";

const told = (destination: object, collector: Parameters<typeof transportIssues>[1] = "vector") =>
  transportIssues(Destination.parse(destination), collector).map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );
const CLEAR = "sends without TLS, so anyone on the path to logs.example.com can read the lines";
const BLIND = "sends without verification, so anyone on the path can impersonate logs.example.com";
const host = "logs.example.com";

describe("the transport to a destination", () => {
  it("gets a warning if anyone may read lines, or impersonate the destination", () => {
    assert.deepEqual(told({ kind: "http", url: `http://${host}/in` }), [`url: ${CLEAR}`]);
    assert.deepEqual(told({ kind: "loki", url: `http://${host}:3100` }, "promtail"), [`url: ${CLEAR}`]);
    assert.deepEqual(told({ kind: "opensearch", host, tls: false }, "fluentd"), [`tls: ${CLEAR}`]);
    assert.deepEqual(told({ kind: "elasticsearch", host, tls: { verify: false } }), [`tls.verify: ${BLIND}`]);
    assert.deepEqual(told({ kind: "otlp", url: `https://${host}`, verify: false }, "opentelemetry"), [
      `verify: ${BLIND}`,
    ]);
    assert.match(told({ kind: "opensearch", host: "10.0.0.5", tls: false }).join(), /on the path to 10\.0\.0\.5/);
  });

  it("gets a warning if it leads to the collector's own pod", () => {
    for (const collector of ["fluent-bit", "vector"] as const) {
      assert.deepEqual(told({ kind: "http", url: "http://localhost:9880" }, collector), [
        "url: leads to the collector's own pod",
      ]);
      assert.deepEqual(told({ kind: "opensearch", host: "127.0.0.1", tls: false }, collector), [
        "host: leads to the collector's own pod",
      ]);
      assert.deepEqual(
        told({ kind: "kafka", brokers: ["b.example.com:9092", "127.0.0.1:9092"], topic: "a" }, collector),
        ["brokers.1: leads to the collector's own pod"],
      );
    }
  });

  it("gets a warning if its CA certificate verifies nothing", () => {
    const unverified = { verify: false, caSecretName: "ca" };
    const idle = "caSecretName: has no effect with verify false, which accepts any certificate";
    const url = { kind: "http", url: `https://${host}/in` };
    assert.deepEqual(told({ ...url, ...unverified }, "fluent-bit"), [idle]);
    assert.deepEqual(told({ ...url, ...unverified }), [idle, `verify: ${BLIND}`]);
    assert.deepEqual(told({ ...url, caSecretName: "ca" }), []);
    for (const destination of [
      { kind: "elasticsearch", host },
      { kind: "opensearch", host: "search.logs.svc" },
      { kind: "kafka", brokers: ["b.example.com:9093"], topic: "a" },
    ]) {
      assert.deepEqual(told({ ...destination, tls: unverified }, "fluent-bit"), [`tls.${idle}`], destination.kind);
      assert.deepEqual(told({ ...destination, tls: { caSecretName: "ca" } }, "fluent-bit"), []);
    }
  });

  it("gets none within the cluster, with TLS, or if a policy reads the configuration", () => {
    for (const destination of [
      { kind: "http", url: "http://logs.monitoring.svc:9880/in" },
      { kind: "loki", url: "http://loki-0.loki.monitoring.svc.cluster.local:3100" },
      { kind: "http", url: "http://logs/in" },
      { kind: "opensearch", inCluster: true },
      { kind: "opensearch", host },
      { kind: "splunk", url: `https://${host}:8088`, token: { secretName: "hec" } },
      { kind: "stdout" },
    ])
      assert.deepEqual(told(destination), [], JSON.stringify(destination));
    assert.deepEqual(told({ kind: "http", url: `http://${host}/in` }, "fluent-bit"), []);
  });
});

const egress = (destination: object, destinationCidrs: readonly string[] = [], destinationPort?: number) =>
  destinationEgress(Destination.parse(destination), { destinationCidrs, destinationPort }, "logging");
const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } });
const tcp = (port: number) => [{ protocol: "TCP", port }];

describe("a sidecar's egress", () => {
  it("is empty for stdout", () => {
    assert.deepEqual(egress({ kind: "stdout" }), []);
  });

  it("allows only the OpenSearch pod of this stack in its namespace", () => {
    const podSelector = { matchLabels: { "app.kubernetes.io/name": "opensearch" } };
    assert.deepEqual(egress({ kind: "opensearch", inCluster: true }), [
      { to: [{ ...namespace("logging"), podSelector }], ports: tcp(9200) },
    ]);
  });

  it("allows one address, in either family", () => {
    assert.deepEqual(egress({ kind: "elasticsearch", host: "10.0.0.5", port: 9243 }), [
      { to: [{ ipBlock: { cidr: "10.0.0.5/32" } }], ports: tcp(9243) },
    ]);
    assert.deepEqual(egress({ kind: "http", url: "https://[2001:db8::5]/in" }), [
      { to: [{ ipBlock: { cidr: "2001:db8::5/128" } }], ports: tcp(443) },
    ]);
  });

  it("allows the namespace of a Service, on its port", () => {
    for (const host of [
      "loki.monitoring.svc",
      "loki.monitoring.svc.cluster.local",
      "loki-0.loki.monitoring.svc.cluster.local",
    ]) {
      assert.deepEqual(egress({ kind: "loki", url: `http://${host}:3100` }), [
        { to: [namespace("monitoring")], ports: tcp(3100) },
      ]);
    }
    assert.equal(needsCidrs(Destination.parse({ kind: "loki", url: "http://loki.monitoring.svc" })), false);
  });

  it("allows all ports of a namespace if the pods cannot listen on the Service's", () => {
    for (const url of ["http://loki-gateway.loki.svc", "https://loki-gateway.loki.svc"])
      assert.deepEqual(egress({ kind: "loki", url }), [{ to: [namespace("loki")] }]);
  });

  it("allows a configured port of the pods behind a Service", () => {
    const at = (url: string) => egress({ kind: "loki", url }, [], 3100);
    for (const url of ["http://loki.loki.svc:8080", "http://loki-gateway.loki.svc", "https://a.loki.loki.svc:3100"])
      assert.deepEqual(at(url), [{ to: [namespace("loki")], ports: tcp(3100) }], url);
    assert.deepEqual(at("http://10.0.0.5:8080"), [{ to: [{ ipBlock: { cidr: "10.0.0.5/32" } }], ports: tcp(8080) }]);
  });

  it("allows the given addresses for an external name", () => {
    const destination = { kind: "http", url: "http://logs.example.com/in" };
    assert.equal(needsCidrs(Destination.parse(destination)), true);
    assert.deepEqual(egress(destination, ["203.0.113.0/24", "2001:db8::/64"]), [
      { to: [{ ipBlock: { cidr: "203.0.113.0/24" } }, { ipBlock: { cidr: "2001:db8::/64" } }], ports: tcp(80) },
    ]);
  });
});
