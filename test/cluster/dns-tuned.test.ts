import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { corefileText } from "../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { type BenchRow, bench } from "../../lab/dns/bench.ts";
import { dnsClientAt } from "../../lab/dns/dns-client.ts";
import { ask } from "../../lab/dns/queries.ts";
import type { Cluster } from "../../lab/kubernetes/cluster.ts";
import { connect } from "../../lab/kubernetes/connect.ts";
import { TestCluster, until } from "./cluster.ts";
import { askingPod, letSeeServices, runCoreDns } from "./dns-pods.ts";

const NAMESPACE = "dns-tuned-test";
const UPSTREAM = "upstream";
const PROFILES = ["eks-default", "tuned"] as const;
const OUTSIDE = "www.example.com";
/** Answers each query late, for 5 s of cache. */
const DELAY_MS = 300;
const SLOW_UPSTREAM = `.:53 {\n  erratic {\n    drop 0\n    truncate 0\n    delay 1 ${DELAY_MS}ms\n  }\n}\n`;

describe("what the tuned Corefile gains, by lab dns bench", () => {
  const tests = new TestCluster();
  let cluster: Cluster;
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };

  before(async () => {
    await tests.remove(namespace);
    ({ cluster } = await connect({}));
    await tests.apply(namespace);
    const upstream = await runCoreDns(tests, NAMESPACE, UPSTREAM, SLOW_UPSTREAM);
    for (const profile of PROFILES) {
      const corefile = { profile, options: { upstreams: [upstream] } };
      const address = await runCoreDns(tests, NAMESPACE, profile, corefileText(DnsSettings.parse({ corefile })));
      await tests.apply(askingPod(NAMESPACE, `asks-${profile}`, address, 5));
    }
    for (const profile of PROFILES) await until("a pod runs", () => tests.podIsReady(NAMESPACE, `asks-${profile}`));
  });

  after(() => tests.remove(namespace));

  it("lets nobody wait for a popular name that the upstream answers late", async () => {
    const [plain, tuned] = [await outside("eks-default"), await outside("tuned")];
    // Each time that it runs out of the cache, the queries of the next 300 ms wait: fifteen, every five seconds.
    assert.ok((plain.summary?.p99 ?? 0) >= DELAY_MS / 2, JSON.stringify(plain));
    assert.ok((tuned.summary?.p99 ?? DELAY_MS) < DELAY_MS / 2, JSON.stringify(tuned));
  });

  it("answers known names while the upstream is gone", async () => {
    await tests.remove({ apiVersion: "v1", kind: "Pod", metadata: { name: UPSTREAM, namespace: NAMESPACE } });
    await wait(6000);
    const [plain, tuned] = [await outside("eks-default"), await outside("tuned")];
    assert.match(plain.skipped ?? "", /SERVFAIL/);
    assert.deepEqual(tuned.summary?.codes, { NOERROR: 1000 }, JSON.stringify(tuned));
  });

  async function outside(profile: string): Promise<BenchRow> {
    const client = await dnsClientAt(cluster, `${NAMESPACE}/asks-${profile}`);
    const { rows } = await bench(cluster, client, { perSecond: 50, seconds: 20, outside: OUTSIDE });
    const row = rows.find(({ kind }) => kind === "outside");
    assert.ok(row);
    return row;
  }
});

describe("the tuned Corefile and the cluster's own names", () => {
  const namespaceName = "dns-fresh-test";
  const tests = new TestCluster();
  let cluster: Cluster;
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespaceName } };
  const text = corefileText(DnsSettings.parse({ corefile: { profile: "tuned" } }));
  /** As it was without the two lines that keep the cluster's names out of the cache. */
  const corefiles = { tuned: text, stale: text.replace(/^ *disable (?:success|denial) .*\n/gm, "") };
  let binding: KubernetesObject;

  before(async () => {
    await tests.remove(namespace);
    ({ cluster } = await connect({}));
    await tests.apply(namespace);
    binding = await letSeeServices(tests, namespaceName);
    for (const [name, corefile] of Object.entries(corefiles)) {
      const address = await runCoreDns(tests, namespaceName, name, corefile);
      await tests.apply(askingPod(namespaceName, `asks-${name}`, address, 1));
    }
    for (const name of Object.keys(corefiles))
      await until("a pod runs", () => tests.podIsReady(namespaceName, `asks-${name}`));
  });

  after(async () => {
    await tests.remove(binding);
    await tests.remove(namespace);
  });

  it("answers a Service made again by its new address, and a new one at once", async () => {
    const first = await makeService("shop");
    await until("both know the Service", async () => (await answers("shop")).every((found) => found === first));
    assert.deepEqual(await answers("late"), ["NXDOMAIN", "NXDOMAIN"]);

    await tests.remove(service("shop"));
    const second = await makeService("shop", first);
    const late = await makeService("late");
    // The records of a Service are good for 5 s.
    await wait(6000);
    assert.deepEqual(await answers("shop"), [second, first], "fresh from tuned, stale without its two lines");
    assert.deepEqual(await answers("late"), [late, "NXDOMAIN"]);
  });

  function service(name: string, clusterIP?: string): KubernetesObject {
    const spec = { ports: [{ port: 80 }], ...(clusterIP === undefined ? {} : { clusterIP }) };
    return Object.assign({ apiVersion: "v1", kind: "Service" }, { metadata: { name, namespace: namespaceName }, spec });
  }

  /** Makes a Service, with another address than the given one, and returns its address. */
  async function makeService(name: string, not?: string): Promise<string> {
    for (;;) {
      await tests.apply(service(name));
      const { spec } = await tests.core.readNamespacedService({ namespace: namespaceName, name });
      const address = spec?.clusterIP ?? "";
      if (address !== not) return address;
      await tests.remove(service(name));
    }
  }

  /** What each CoreDNS answers: an address, or the code of a failure. */
  async function answers(name: string): Promise<string[]> {
    return Promise.all(
      Object.keys(corefiles).map(async (server) => {
        const client = await dnsClientAt(cluster, `${namespaceName}/asks-${server}`);
        const replies = await ask(cluster, client, `${name}.${namespaceName}.svc.cluster.local.`);
        const answer = replies.find(({ type }) => type === "A")?.answer;
        return answer?.addresses[0] ?? answer?.code ?? "no answer";
      }),
    );
  }
});
