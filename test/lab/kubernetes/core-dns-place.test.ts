import assert from "node:assert/strict";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { dnsRule } from "../../../components/team/network-policies.ts";
import { DRILLS, offeredDrills, sceneOf } from "../../../lab/drill/drill-list.ts";
import { requestApi } from "../../../lab/kubernetes/api-requests.ts";
import { kubeCluster } from "../../../lab/kubernetes/client.ts";
import { ClusterError, type DnsServiceFacts } from "../../../lab/kubernetes/cluster.ts";
import { findCoreDns, statedPlace } from "../../../lab/kubernetes/core-dns-place.ts";
import { objectStore } from "../../../lab/kubernetes/object-store.ts";
import { allChecks, checkInputOf } from "../../../lab/verify/catalog.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { FakeApi } from "../drill/fake-api.ts";
import { localSettings } from "../drill/fake-lab.ts";
import { fakeCluster, runningPod } from "../verify/fake-cluster.ts";

const USUAL = {
  namespace: "kube-system",
  configMap: "coredns",
  deployment: "coredns",
  service: "kube-dns",
  selector: "k8s-app=kube-dns",
  port: 53,
};
/** As CoreDNS's Helm chart names them. */
const HELM: DnsServiceFacts = {
  name: "dns-coredns",
  clusterIPs: ["10.96.0.10"],
  selector: { "app.kubernetes.io/name": "coredns", "k8s-app": "coredns" },
};
const METRICS: DnsServiceFacts = { name: "internal", clusterIPs: ["10.96.0.11"], selector: { app: "internal" } };
const ADOPTED = { adopt: { namespace: "dns-system", configMap: "dns-coredns", deployment: "dns-coredns" } };
const FOUND = {
  namespace: "dns-system",
  configMap: "dns-coredns",
  deployment: "dns-coredns",
  service: "dns-coredns",
  selector: "app.kubernetes.io/name=coredns,k8s-app=coredns",
  port: 53,
};

const found = (settings: object | undefined, services: readonly DnsServiceFacts[]) =>
  findCoreDns(
    fakeCluster({
      dnsServices: async (namespace) => (namespace === "dns-system" ? [...services] : []),
    }),
    settings && DnsSettings.parse(settings),
  );

describe("the location of CoreDNS", () => {
  it("is kube-system without adoption, whatever Services there are", async () => {
    assert.deepEqual(await found(undefined, [HELM]), USUAL);
    assert.deepEqual(await found({ replicas: 3 }, [HELM]), USUAL);
  });

  it("is what the settings adopt, with the labels of its Service", async () => {
    assert.deepEqual(await found(ADOPTED, [HELM]), FOUND);
  });

  it("answers at the port to which its Service leads, unless the settings name one", async () => {
    const others = [{ ...HELM, targetPort: 5353 }];
    assert.deepEqual(await found(ADOPTED, others), { ...FOUND, port: 5353 });
    assert.deepEqual(await found({ adopt: { ...ADOPTED.adopt, port: 1053 } }, others), { ...FOUND, port: 1053 });
    assert.equal(statedPlace(DnsSettings.parse({ adopt: { port: 1053 } })).port, 1053);
  });

  it("has the labels that the settings name, whatever its Service says", async () => {
    const adopt = { ...ADOPTED.adopt, selector: { app: "dns", tier: "x" } };
    assert.deepEqual(await found({ adopt }, [HELM]), { ...FOUND, selector: "app=dns,tier=x" });
    assert.equal(statedPlace(DnsSettings.parse({ adopt })).selector, "app=dns,tier=x");
  });

  it("is behind the address of clusterDns, else behind kube-dns, if there are several Services", async () => {
    assert.deepEqual(await found({ ...ADOPTED, clusterDns: ["10.96.0.10"] }, [METRICS, HELM]), FOUND);
    const usual = { ...HELM, name: "kube-dns", selector: { "k8s-app": "kube-dns" } };
    assert.equal((await found(ADOPTED, [METRICS, usual])).service, "kube-dns");
    assert.deepEqual(await found(ADOPTED, [METRICS, HELM]), statedPlace(DnsSettings.parse(ADOPTED)));
  });

  it("is read from the Services with port 53 only", async () => {
    const api = new FakeApi();
    const config = await api.start();
    const service = (name: string, port: number, selector: object) => ({
      metadata: { name, namespace: "dns-system" },
      spec: { clusterIPs: ["10.96.0.10"], ports: [{ port }], selector },
    });
    const items = [service("metrics", 9153, { app: "metrics" }), service("dns-coredns", 53, HELM.selector)];
    api.put("/api/v1/namespaces/dns-system/services", { apiVersion: "v1", kind: "ServiceList", items });
    try {
      assert.deepEqual(await findCoreDns(kubeCluster(config), DnsSettings.parse(ADOPTED)), FOUND);
    } finally {
      api.stop();
    }
  });

  it("has the usual labels if no Service shows them, or Services cannot be listed", async () => {
    assert.equal((await found(ADOPTED, [{ ...HELM, selector: {} }])).selector, "k8s-app=kube-dns");
    const forbidden = async () => {
      throw new ClusterError("forbidden", "services is forbidden");
    };
    const place = await findCoreDns(fakeCluster({ dnsServices: forbidden }), DnsSettings.parse(ADOPTED));
    assert.deepEqual(place, { ...USUAL, namespace: "dns-system", configMap: "dns-coredns", deployment: "dns-coredns" });
  });
});

describe("verify with an adopted CoreDNS in another namespace", () => {
  const ROWS = ["coredns", "restarts:coredns"];

  async function rows(ready: boolean) {
    const asked = new Set<string>();
    const cluster = fakeCluster({
      pods: async (namespace, selector) => {
        asked.add(`pods ${namespace} ${selector}`);
        return [runningPod("dns", { namespace, name: "dns-coredns-1", ip: "10.0.0.53", ready })];
      },
      service: async (namespace, name) => {
        asked.add(`service ${namespace}/${name}`);
        return { clusterIP: "10.96.0.10", ports: [53] };
      },
      configMap: async (namespace, name) => {
        asked.add(`configmap ${namespace}/${name}`);
        return { Corefile: ".:53 {\n  errors\n}\n" };
      },
    });
    const input = { ...checkInputOf("local", localSettings({ dns: ADOPTED }), 1), coreDns: FOUND };
    const checks = allChecks(input).filter(({ id }) => ROWS.includes(id));
    const lab = new Lab(cluster, { coreDns: FOUND });
    return { rows: await runChecks(checks, lab, { parallel: 1 }), asked: [...asked].sort() };
  }

  it("asks for its pods, its Service and its Corefile there", async () => {
    const { rows: all, asked } = await rows(true);
    assert.deepEqual(
      all.map(({ id, status }) => [id, status]),
      ROWS.map((id) => [id, "pass"]),
    );
    assert.deepEqual(asked, [
      "configmap dns-system/dns-coredns",
      "pods dns-system app.kubernetes.io/name=coredns,k8s-app=coredns",
      "service dns-system/dns-coredns",
    ]);
  });

  it("names the command for that namespace if none is ready", async () => {
    const [coredns] = (await rows(false)).rows;
    assert.equal(
      coredns?.cause,
      "no CoreDNS pod is ready: `kubectl -n dns-system get pods -l app.kubernetes.io/name=coredns,k8s-app=coredns`",
    );
  });
});

describe("drills with an adopted CoreDNS in another namespace", () => {
  const settings = localSettings({ dns: ADOPTED });
  const scene = sceneOf(settings, FOUND);
  assert.ok(scene);

  it("change its objects, restart its pods, and name them in every text", () => {
    for (const drill of DRILLS.filter(({ part }) => part === "dns")) {
      const place: { readonly namespace: string; readonly selector: string } | undefined =
        drill.restarts?.(scene) ?? drill.history?.(scene);
      const texts = [drill.shownBy(scene), ...drill.hints(scene), drill.cause(scene), drill.repair(scene)].join("\n");
      assert.doesNotMatch(texts, /kube-system|k8s-app=kube-dns|kube-dns/, drill.name);
      for (const { ref } of drill.faults(scene))
        assert.equal(`${ref.namespace}/${ref.name}`, "dns-system/dns-coredns", drill.name);
      assert.equal(place?.namespace, "dns-system", drill.name);
      assert.equal(place?.selector, FOUND.selector, drill.name);
    }
  });

  it("take DNS from a team by the namespace that allow-dns names", () => {
    const drill = DRILLS.find(({ name }) => name === "one-team-lost-dns");
    const [fault] = drill?.faults(scene) ?? [];
    assert.ok(fault?.kind === "change");
    const peer = (name: string) => ({
      spec: { egress: [{ to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } }] }] },
    });
    assert.deepEqual(fault.change(peer("dns-system")), peer("dns-system-old"));
    assert.match(drill?.repair(scene) ?? "", /kubernetes\.io\/metadata\.name: dns-system /);
  });

  it("take DNS from a team in kube-system too, if a policy names other labels besides the usual ones", () => {
    const selected = localSettings({ dns: { adopt: { selector: { app: "dns" } } } });
    const rule = dnsRule({ dnsNamespace: "kube-system", dnsLabels: { app: "dns" } });
    const drill = DRILLS.find(({ name }) => name === "one-team-lost-dns");
    const own = sceneOf(selected);
    assert.ok(drill && own);
    const [fault] = drill.faults(own);
    assert.ok(fault?.kind === "change");
    assert.doesNotMatch(JSON.stringify(fault.change({ spec: { egress: [rule] } })), /"kube-system"/);
    assert.match(drill.repair(own), /kubernetes\.io\/metadata\.name: kube-system /);
  });

  it("are offered by what the cluster has, not by kube-system", async () => {
    const api = new FakeApi();
    const config = await api.start();
    const store = objectStore((request) => requestApi(config, request));
    try {
      const unfit = async () =>
        (await offeredDrills(settings, store, false, FOUND)).find(({ drill }) => drill.name === "dns-gone")?.unfit;
      assert.equal(await unfit(), "the cluster has no ConfigMap dns-system/dns-coredns");
      const metadata = { name: "dns-coredns", namespace: "dns-system" };
      api.put("/api/v1/namespaces/dns-system/configmaps/dns-coredns", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata,
      });
      assert.equal(await unfit(), `no pod in dns-system has the label ${FOUND.selector}`);
    } finally {
      await api.stop();
    }
  });
});
