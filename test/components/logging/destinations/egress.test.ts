import assert from "node:assert/strict";
import { Destination } from "../../../../components/logging/destinations/destination-settings.ts";
import { destinationEgress, needsCidrs } from "../../../../components/logging/destinations/egress.ts";

const egress = (destination: object, destinationCidrs: readonly string[] = [], destinationPort?: number) =>
  destinationEgress(Destination.parse(destination), { destinationCidrs, destinationPort });
const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } });
const tcp = (port: number) => [{ protocol: "TCP", port }];

describe("a sidecar's way out", () => {
  it("is none where lines go to stdout", () => {
    assert.deepEqual(egress({ kind: "stdout" }), []);
  });

  it("leads to the OpenSearch pod of this stack, and not to the rest of its namespace", () => {
    const podSelector = { matchLabels: { "app.kubernetes.io/name": "opensearch" } };
    assert.deepEqual(egress({ kind: "opensearch", inCluster: true }), [
      { to: [{ ...namespace("logging"), podSelector }], ports: tcp(9200) },
    ]);
  });

  it("leads to one address, in either family", () => {
    assert.deepEqual(egress({ kind: "elasticsearch", host: "10.0.0.5", port: 9243 }), [
      { to: [{ ipBlock: { cidr: "10.0.0.5/32" } }], ports: tcp(9243) },
    ]);
    assert.deepEqual(egress({ kind: "http", url: "https://[2001:db8::5]/in" }), [
      { to: [{ ipBlock: { cidr: "2001:db8::5/128" } }], ports: tcp(443) },
    ]);
  });

  it("leads to the namespace of a Service, on its port", () => {
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

  it("leads to all ports of a namespace where a Service's own is none that its pods may have", () => {
    for (const url of ["http://loki-gateway.loki.svc", "https://loki-gateway.loki.svc"])
      assert.deepEqual(egress({ kind: "loki", url }), [{ to: [namespace("loki")] }]);
  });

  it("leads to the port of the pods behind a Service that has another, where it is given", () => {
    const at = (url: string) => egress({ kind: "loki", url }, [], 3100);
    for (const url of ["http://loki.loki.svc:8080", "http://loki-gateway.loki.svc", "https://a.loki.loki.svc:3100"])
      assert.deepEqual(at(url), [{ to: [namespace("loki")], ports: tcp(3100) }], url);
    assert.deepEqual(at("http://10.0.0.5:8080"), [{ to: [{ ipBlock: { cidr: "10.0.0.5/32" } }], ports: tcp(8080) }]);
  });

  it("leads to the given addresses for a name outside", () => {
    const destination = { kind: "http", url: "http://logs.example.com/in" };
    assert.equal(needsCidrs(Destination.parse(destination)), true);
    assert.deepEqual(egress(destination, ["203.0.113.0/24", "2001:db8::/64"]), [
      { to: [{ ipBlock: { cidr: "203.0.113.0/24" } }, { ipBlock: { cidr: "2001:db8::/64" } }], ports: tcp(80) },
    ]);
  });
});
