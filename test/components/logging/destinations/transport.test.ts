import assert from "node:assert/strict";
import { Destination } from "../../../../components/logging/destinations/destination-settings.ts";
import { transportIssues } from "../../../../components/logging/destinations/transport.ts";

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
