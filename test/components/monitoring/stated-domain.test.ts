import assert from "node:assert/strict";
import { clusterDomainOf } from "../../../components/dns/resolver.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { parseSettings } from "../../../components/settings.ts";
import { configOf, plan } from "./stacks.ts";

describe("the cluster's domain", () => {
  const text = (zones: string) =>
    `.:53 {\n  errors\n  prometheus :9153\n  kubernetes ${zones}\n  forward . 10.0.0.2\n}\n`;

  it("is that of the settings, or of their complete Corefile", () => {
    const of = (corefile: object) => clusterDomainOf(DnsSettings.parse({ corefile }));
    assert.equal(clusterDomainOf(undefined), undefined);
    assert.equal(of({}), undefined);
    assert.equal(of({ options: { clusterDomain: "K8s.Corp." } }), "k8s.corp");
    assert.equal(of({ text: text("k8s.corp in-addr.arpa") }), "k8s.corp");
    assert.equal(of({ text: text("cluster.local in-addr.arpa") }), undefined);
  });

  it("is the one in which the canary and the curl pods look up names", async () => {
    const namesOf = async (corefile: object) => {
      const dns = { adopt: {}, corefile, nodeLocalCache: { mode: "kubelet" } };
      const { read, resources } = await plan("existing", { dns, monitoring: { kind: "prometheus-operator" } });
      const [canary] = read("monitoring-canary-daemonset").spec.template.spec.containers;
      const inside = canary.env.find(({ name }: { name: string }) => name === "INSIDE_NAME").value;
      const pod = JSON.stringify(resources.find(({ name }) => name === "ts-curl-pod")?.inputs);
      return [inside, JSON.parse(pod).spec.dnsConfig.searches.at(-1)];
    };
    const corp = ["kubernetes.default.svc.k8s.corp.", "k8s.corp"];
    assert.deepEqual(await namesOf({ text: text("k8s.corp in-addr.arpa") }), corp);
    assert.deepEqual(await namesOf({ options: { clusterDomain: "k8s.corp." } }), corp);
    assert.deepEqual(await namesOf({}), ["kubernetes.default.svc.cluster.local.", "cluster.local"]);
    const inside = {
      dns: { adopt: {}, corefile: { text: text("k8s.corp") } },
      monitoring: { kind: "annotations", canary: { outsideName: "web.k8s.corp" } },
    };
    assert.throws(() => parseSettings(configOf("existing", inside)), {
      message: /canary\.outsideName: must be a name outside the cluster's domain k8s\.corp \(found "web\.k8s\.corp"\)$/,
    });
  });
});
