import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { corefileText } from "../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { type BenchRow, bench } from "../../lab/dns/bench/bench.ts";
import { dnsClientAt } from "../../lab/dns/pod.ts";
import type { Cluster } from "../../lab/kubernetes/cluster.ts";
import { connect } from "../../lab/kubernetes/connect.ts";
import { TestCluster, until } from "./cluster.ts";
import { askingPod, runCoreDns } from "./dns-pods.ts";

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
