import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Packet } from "dns-packet";
import { freePort } from "../../support/free-port.ts";
import { kubernetesApi } from "./kubernetes-api.ts";
import { describeReal, since } from "./real-coredns.ts";
import { codeOf, type Running, runningText, type Upstream, upstreamWith } from "./running-coredns.ts";

const OUTSIDE = "192.0.2.1";
const [NOERROR, SERVFAIL, NXDOMAIN, REFUSED] = [0, 2, 3, 5];
const STRANGER = "127.0.0.2";
const ACL = `acl corp.test {\nblock net ${STRANGER}\n}`;

/** What `corefile/releases.ts` and the checks of some releases say, as the real CoreDNS does it. */
describeReal("lines whose behavior depends on the release", () => {
  let outside: Upstream;
  let coredns: Running | undefined;

  beforeEach(async () => {
    outside = await upstreamWith(OUTSIDE);
  });
  afterEach(async () => {
    await coredns?.stop();
    outside.close();
  });

  const run = async (...lines: readonly string[]) => {
    coredns = await runningText(
      (port) => `.:${port} {\nbind 127.0.0.1\n${lines.join("\n")}\nforward . ${outside.server}\n}\n`,
    );
    return coredns;
  };
  /** A CoreDNS that is measured, and how to read the series whose text has some words. */
  const measured = async (...lines: readonly string[]) => {
    const port = await freePort();
    const { ask } = await run(`prometheus 127.0.0.1:${port}`, ...lines);
    const series = async (...words: readonly string[]) => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return text.split("\n").filter((line) => !line.startsWith("#") && words.every((word) => line.includes(word)));
    };
    return { ask, series };
  };

  it("are the label plugin of a metric", async () => {
    const { ask, series } = await measured("errors", "hosts {\n10.0.0.1 a.test\nfallthrough\n}");
    await ask("a.test");
    await ask("b.test");
    const plugins = (await series("coredns_dns_responses_total{")).map((line) => /plugin="(\w*)"/.exec(line)?.[1]);
    assert.deepEqual(plugins.sort(), since(1, 14, 0) ? ["errors"] : ["forward", "hosts"]);
  });

  it("are never the metric of an upstream's answers, nor that a refusal is passed on", async () => {
    const other = await upstreamWith("192.0.2.2");
    try {
      outside.fail(REFUSED);
      const forward = `forward test ${outside.server} ${other.server} {\npolicy sequential\n}`;
      const { ask, series } = await measured(forward);
      assert.equal(codeOf(await ask("a.test")), REFUSED);
      assert.deepEqual(other.asked, []);
      const count = 'coredns_proxy_request_duration_seconds_count{proxy_name="forward",rcode="REFUSED"';
      assert.deepEqual(await series(count), [`${count},to="${outside.server}"} 1`]);
    } finally {
      other.close();
    }
  });

  it("are the metrics of the Kubernetes API", async () => {
    const api = await kubernetesApi();
    try {
      const { series } = await measured(`kubernetes cluster.local {\nendpoint http://127.0.0.1:${api.port}\n}`);
      await pause(1500);
      const has = async (...words: readonly string[]) => (await series(...words)).length > 0;
      const client = "coredns_kubernetes_rest_client";
      assert.equal(await has(`${client}_requests_total{code="200"`), true);
      assert.equal(await has(`${client}_request_duration_seconds_count`), !since(1, 14, 2));
      assert.equal(await has(`${client}_rate_limiter_duration_seconds_count`), !since(1, 14, 2));
      const programming = "coredns_kubernetes_dns_programming_duration_seconds_count";
      assert.equal(await has(programming, "cluster_ip"), since(1, 14, 3));
    } finally {
      api.close();
    }
  });

  it("are log and forward if the only upstream is silent", async () => {
    const { ask, output } = await run("log");
    outside.silence();
    const start = Date.now();
    assert.equal(codeOf(await ask("a.test")), SERVFAIL);
    const isQuick = Date.now() - start < 5000;
    assert.equal(isQuick, since(1, 14, 7));
    assert.match(output(), since(1, 14, 5) ? / 512" SERVFAIL qr,rd \d+ / : / 512" - - 0 /);
  });

  it("are acl and rewrite", async () => {
    const { ask } = await run("rewrite name exact www.corp.test www.test answer auto", ACL);
    assert.equal(codeOf(await ask("www.corp.test", "A", STRANGER)), since(1, 14, 2) ? NOERROR : REFUSED);
    assert.equal(codeOf(await ask("a.corp.test", "A", STRANGER)), REFUSED);
  });

  it("are acl and autopath", async () => {
    const folder = await mkdtemp(join(tmpdir(), "resolv-"));
    await writeFile(join(folder, "conf"), "search no.test none.test\n");
    const { ask } = await run(
      `autopath ${folder}/conf`,
      "template ANY ANY no.test none.test {\nrcode NXDOMAIN\n}",
      ACL,
    );
    await rm(folder, { recursive: true });
    assert.equal(codeOf(await ask("www.corp.test.no.test", "A", STRANGER)), since(1, 14, 7) ? REFUSED : NOERROR);
    assert.equal(codeOf(await ask("www.corp.test", "A", STRANGER)), REFUSED);
  });

  it("are a TTL of rewrite and the cache", async () => {
    const { ask } = await run("rewrite ttl exact a.test 6", "cache 300");
    const ttl = async () => ttlOf(await ask("a.test"));
    assert.equal(await ttl(), 6);
    await pause(6500);
    assert.equal(await ttl(), 6);
    assert.equal(outside.asked.length, since(1, 14, 7) ? 1 : 2);
    await coredns?.stop();
    await run("rewrite ttl exact a.test 600", "cache 300");
    assert.equal(ttlOf((await coredns?.ask("a.test")) ?? {}), since(1, 14, 7) ? 600 : 300);
  });

  it("are a code in rewrite and a failure, which has no record", async () => {
    const { ask } = await run(
      "rewrite rcode suffix .test SERVFAIL NXDOMAIN",
      "rewrite rcode suffix .other NXDOMAIN NOERROR",
    );
    assert.equal(codeOf(await ask("no.other")), NOERROR);
    outside.fail(SERVFAIL);
    assert.equal(codeOf(await ask("a.test")), since(1, 14, 7) ? NXDOMAIN : SERVFAIL);
  });

  it("are a failover if every upstream answers its code, and the other way to the next", async () => {
    const other = await upstreamWith("192.0.2.2");
    try {
      outside.fail(SERVFAIL);
      const { ask: askNext } = await run(`forward . ${outside.server} {\nnext SERVFAIL\n}\nforward . ${other.server}`);
      assert.equal(codeOf(await askNext("a.test")), NOERROR);
      await coredns?.stop();
      if (!since(1, 13, 2)) return;
      const { ask, series } = await measured(`forward test ${outside.server} {\nfailover SERVFAIL\n}`);
      const answer = ask("a.test").catch(() => undefined);
      await pause(500);
      const [line = ""] = await series("coredns_proxy_request_duration_seconds_count");
      const sent = Number(line.split(" ").at(-1));
      if (since(1, 14, 7)) assert.deepEqual([sent, codeOf((await answer) ?? {})], [1, SERVFAIL]);
      else assert.ok(sent > 1000, line);
    } finally {
      other.close();
    }
  });

  it("are names of hosts, for types that it does not have", async () => {
    const { ask } = await run("hosts {\n10.0.0.1 no.test\nfallthrough\n}");
    assert.equal(codeOf(await ask("no.test", "TXT")), since(1, 14, 5) && !since(1, 14, 7) ? NXDOMAIN : NOERROR);
    assert.equal(codeOf(await ask("no.test", "AAAA")), NOERROR);
  });
});

function ttlOf({ answers = [] }: Packet): number | undefined {
  const [record] = answers;
  return record?.type === "A" ? record.ttl : undefined;
}
