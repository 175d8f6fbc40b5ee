import assert from "node:assert/strict";
import { checkedFacts } from "../../../components/cluster/existing-cluster.ts";
import { ClusterSettings, kubeDnsAddresses } from "../../../components/cluster/settings.ts";
import { parseSettings } from "../../../components/settings.ts";
import { ofType } from "../../support/find.ts";
import { planOnce } from "../../support/plans.ts";

type Json = Readonly<Record<string, unknown>>;

function config(sections: Readonly<Record<string, Json>>) {
  const texts = Object.entries(sections).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  return { "aws:region": "eu-central-1", ...Object.fromEntries(texts) };
}

/** The texts of all ConfigMaps of a stack, by their resource. */
async function files(cluster: Json, sections: Readonly<Record<string, Json>>): Promise<Map<string, string>> {
  const { resources } = await planOnce({ name: "prod", config: config({ cluster, ...sections }) });
  const maps = ofType(resources, "kubernetes:core/v1:ConfigMap");
  return new Map(maps.map(({ name, inputs }) => [name, Object.values(inputs.data ?? {}).join("\n")]));
}

const EXISTING = { kind: "existing", ipFamily: "ipv6" };
const TO_HTTP = { kind: "http", url: "https://logs.example.com" };
const SEVERAL = { sources: ["pods", "events"], destinations: { a: TO_HTTP, b: { kind: "stdout" } } };
const TO_SEARCH = { destination: { kind: "elasticsearch", host: "search.example.com" } };

/** How each collector listens, with each of its listening settings once. */
const COLLECTORS: readonly (readonly [logging: Json, listening: readonly string[]])[] = [
  [{ collector: "fluent-bit", ...SEVERAL }, ["http_listen: '::'", "listen: '::'"]],
  [{ collector: "fluentd", ...TO_SEARCH }, ["bind ::"]],
  [{ collector: "filebeat", ...TO_SEARCH }, ["host: http://[::]:5066"]],
  [{ collector: "vector", destination: TO_HTTP }, ["address: '[::]:9598'"]],
  [
    { collector: "opentelemetry", ...TO_SEARCH },
    ["endpoint: '[::]:4317'", "endpoint: '[::]:4318'", "endpoint: '[::]:13133'", "host: '::'"],
  ],
  [{ collector: "promtail", destination: { kind: "loki", url: "https://loki.example.com" } }, []],
  [{ collector: "logagent", ...TO_SEARCH }, []],
];

describe("a cluster with ipFamily ipv6", () => {
  for (const [logging, listening] of COLLECTORS)
    it(`makes ${logging.collector} listen on IPv6`, async () => {
      const found = await files(EXISTING, { logging });
      const lines = [...found]
        .filter(([name]) => name.startsWith("logs"))
        .flatMap(([, text]) => text.split("\n").map((line) => line.trim().replaceAll('"', "'")))
        .filter((line) => /0\.0\.0\.0|::[\]']?(:\d+'?)?$/.test(line));
      assert.deepEqual([...new Set(lines)].sort(), [...listening].sort());
    });

  it("makes the curl pods and the canary listen on both IPv6 and IPv4", async () => {
    const sections = { monitoring: { kind: "prometheus-operator" } };
    const listening = async (cluster: Json) => {
      const found = await files(cluster, sections);
      return ["ts-curl-responder", "monitoring-canary-files"].map(
        (name) => /listen .*/.exec(found.get(name) ?? "")?.[0],
      );
    };
    assert.deepEqual(await listening(EXISTING), ["listen [::]:80 ipv6only=off;", "listen [::]:8080 ipv6only=off;"]);
    assert.deepEqual(await listening({ kind: "existing" }), ["listen 80;", "listen 8080;"]);
  });

  it("changes the arguments of a pod, so that it restarts", async () => {
    const pods = async (cluster: Json) =>
      JSON.stringify(
        ofType((await planOnce({ name: "lab", config: config({ cluster }) })).resources, "kubernetes:core/v1:Pod"),
      );
    assert.notEqual(await pods(EXISTING), await pods({ kind: "existing" }));
    assert.equal(await pods({ kind: "existing", ipFamily: "ipv4" }), await pods({ kind: "existing" }));
  });

  it("is compared with AWS's answer", () => {
    const found = { kubernetesVersion: "1.35", ipFamily: "ipv6" };
    assert.equal(checkedFacts("prod", { compute: "managed", ipFamily: "ipv6" }, found), "1.35");
    assert.throws(
      () => checkedFacts("prod", { compute: "managed", ipFamily: "ipv4" }, found),
      /cluster\.ipFamily: must be ipv6, as in cluster prod \(found "ipv4"\)/,
    );
  });

  it("has DNS at an address that EKS chooses", () => {
    const auto = { kind: "eks-existing", name: "prod", ipFamily: "ipv6", compute: "auto" };
    const refused = (sections: Readonly<Record<string, Json>>) => {
      try {
        parseSettings(config(sections));
        return [];
      } catch (error) {
        return String(error)
          .split("\n")
          .filter((line) => /^ *(cluster|dns)\./.test(line))
          .map((line) => line.trim());
      }
    };
    assert.deepEqual(refused({ cluster: { ...auto, serviceCidr: "10.100.0.0/16" } }), [
      'cluster.serviceCidr: must not be set with ipFamily ipv6, where EKS chooses the addresses of Services (found "10.100.0.0/16")',
      "dns.clusterDns: is required with cluster.ipFamily ipv6 and cluster.compute auto, since the teams' NetworkPolicies allow DNS to that address",
    ]);
    assert.deepEqual(refused({ cluster: auto, dns: { clusterDns: ["fd12:3456::a"] } }), []);
    assert.deepEqual(refused({ cluster: { ...auto, compute: "managed" } }), []);
    assert.deepEqual(kubeDnsAddresses(ClusterSettings.parse(auto)), []);
    assert.deepEqual(kubeDnsAddresses(ClusterSettings.parse({ ...auto, ipFamily: "ipv4" })), [
      "10.100.0.10",
      "172.20.0.10",
    ]);
    assert.deepEqual(
      refused({ cluster: auto, dns: { clusterDns: ["nonsense"] } }).filter((line) => line.includes("is required")),
      [],
    );
  });
});
