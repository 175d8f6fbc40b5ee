import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { corefileText } from "../../components/dns/corefile/from-settings.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { type BenchRow, bench } from "../../lab/dns/bench/bench.ts";
import { BUCKETS } from "../../lab/dns/bench/samples.ts";
import { askerAt } from "../../lab/dns/pod.ts";
import type { Cluster } from "../../lab/verify/cluster/cluster.ts";
import { connect } from "../../lab/verify/cluster/connect.ts";
import { TestCluster, until } from "./cluster.ts";

const NAMESPACE = "dns-tuned-test";
const UPSTREAM = "upstream";
const PROFILES = ["eks-default", "tuned"] as const;
const OUTSIDE = "www.example.com";
const CURL_IMAGE = "docker.io/curlimages/curl:8.17.0";
/** Answers each query late, for 5 s of cache. */
const DELAY_MS = 100;
/** Place of the first bucket over 32 ms. */
const WAITED = BUCKETS.indexOf(64);
const SLOW_UPSTREAM = `.:53 {\n  erratic {\n    drop 0\n    truncate 0\n    delay 1 ${DELAY_MS}ms\n  }\n}\n`;

describe("what the tuned Corefile gains, by lab dns bench", () => {
  const tests = new TestCluster();
  let cluster: Cluster;
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };

  before(async () => {
    await tests.remove(namespace);
    ({ cluster } = await connect({}));
    await tests.apply(namespace);
    const upstream = await server(UPSTREAM, SLOW_UPSTREAM);
    for (const profile of PROFILES) {
      const corefile = { profile, options: { upstreams: [upstream] } };
      const address = await server(profile, corefileText(DnsSettings.parse({ corefile })));
      await tests.apply(askingPod(`asks-${profile}`, address));
    }
    for (const profile of PROFILES) await until("a pod runs", () => tests.podIsReady(NAMESPACE, `asks-${profile}`));
  });

  after(() => tests.remove(namespace));

  it("lets nobody wait for a popular name that the upstream answers late", async () => {
    const [plain, tuned] = [await outside("eks-default"), await outside("tuned")];
    const waited = ({ summary }: BenchRow) => summary?.histogram.slice(WAITED).reduce((sum, count) => sum + count, 0);
    // Each time that it runs out of the cache, the queries of the next 100 ms wait: five, every five seconds.
    assert.ok((plain.summary?.max ?? 0) >= DELAY_MS && (waited(plain) ?? 0) >= 9, JSON.stringify(plain));
    assert.equal(waited(tuned), 0, JSON.stringify(tuned));
  });

  it("answers known names while the upstream is gone", async () => {
    await tests.remove({ apiVersion: "v1", kind: "Pod", metadata: { name: UPSTREAM, namespace: NAMESPACE } });
    await wait(6000);
    const [plain, tuned] = [await outside("eks-default"), await outside("tuned")];
    assert.match(plain.skipped ?? "", /SERVFAIL/);
    assert.deepEqual(tuned.summary?.codes, { NOERROR: 1000 }, JSON.stringify(tuned));
  });

  async function outside(profile: string): Promise<BenchRow> {
    const asker = await askerAt(cluster, `${NAMESPACE}/asks-${profile}`);
    const { rows } = await bench(cluster, asker, { perSecond: 50, seconds: 20, outside: OUTSIDE });
    const row = rows.find(({ kind }) => kind === "outside");
    assert.ok(row);
    return row;
  }

  /** Runs a CoreDNS with a Corefile, and returns its address. It has no right to see Services, and is asked for none. */
  async function server(name: string, corefile: string): Promise<string> {
    const metadata = { name, namespace: NAMESPACE };
    const container = {
      name: "coredns",
      image: await coreDnsImage(tests),
      args: ["-conf", "/etc/coredns/Corefile"],
      readinessProbe: { tcpSocket: { port: 53 }, periodSeconds: 1 },
      volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
    };
    const volumes = [{ name: "config", configMap: { name } }];
    const spec = { containers: [container], volumes, dnsPolicy: "Default", terminationGracePeriodSeconds: 0 };
    await tests.apply(Object.assign(object("ConfigMap", name), { metadata, data: { Corefile: corefile } }));
    await tests.apply(Object.assign(object("Pod", name), { metadata, spec }));
    await until(`${name} runs`, () => tests.podIsReady(NAMESPACE, name));
    return (await cluster.pod(NAMESPACE, name)).ip;
  }
});

async function coreDnsImage(tests: TestCluster): Promise<string> {
  const pods = await tests.core.listNamespacedPod({ namespace: "kube-system", labelSelector: "k8s-app=kube-dns" });
  const image = pods.items[0]?.spec?.containers[0]?.image;
  assert.ok(image !== undefined, "CoreDNS runs in kube-system");
  return image;
}

function askingPod(name: string, server: string): KubernetesObject {
  const spec = {
    containers: [{ name: "curl", image: CURL_IMAGE, command: ["sleep", "3600"] }],
    dnsPolicy: "None",
    dnsConfig: { nameservers: [server], searches: [`${NAMESPACE}.svc.cluster.local`, "svc.cluster.local"] },
    terminationGracePeriodSeconds: 0,
  };
  return Object.assign(object("Pod", name), { metadata: { name, namespace: NAMESPACE }, spec });
}

function object(kind: string, name: string): KubernetesObject {
  return { apiVersion: "v1", kind, metadata: { name } };
}
