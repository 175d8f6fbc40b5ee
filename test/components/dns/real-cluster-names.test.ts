import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Packet } from "dns-packet";
import { type KubernetesApi, kubernetesApi } from "./kubernetes-api.ts";
import { describeReal } from "./real-coredns.ts";
import { codeOf, type Running, runningText, type Upstream, upstreamWith } from "./running-coredns.ts";

const OLD = "192.0.2.1";
const NEW = "192.0.2.2";
const NOERROR = 0;
const NXDOMAIN = 3;
/** CoreDNS counts whole seconds, and a TTL of 0 is not expired. */
const AFTER_TTL_MS = 2500;

/** What `corefile/checks/serving-checks.ts` warns of, as the real CoreDNS does it. */
describeReal("names that change", () => {
  let upstream: Upstream;
  let api: KubernetesApi;
  let coredns: Running | undefined;

  beforeEach(async () => {
    [upstream, api] = await Promise.all([upstreamWith(OLD, 1), kubernetesApi()]);
  });
  afterEach(async () => {
    await coredns?.stop();
    upstream.close();
    api.close();
  });

  const run = async (...lines: readonly string[]) => {
    const forward = `forward . ${upstream.server} {\nprefer_udp\n}`;
    coredns = await runningText((port) => `.:${port} {\nbind 127.0.0.1\n${[...lines, forward].join("\n")}\n}\n`);
    return coredns.ask;
  };

  const kept: readonly (readonly [what: string, cache: string, found: string])[] = [
    ["are answered as they were by a cache that serves expired answers", "success 1024 1 1\nserve_stale 1h", OLD],
    ["are asked for by a cache that verifies expired answers", "success 1024 1 1\nserve_stale 1h verify", NEW],
    ["stay for the shortest TTL of the cache", "success 1024 30 20", OLD],
    ["are asked for after their own TTL", "success 1024 30 1", NEW],
  ];
  for (const [what, options, found] of kept)
    it(what, async () => {
      const ask = await run(`cache 30 {\n${options}\n}`);
      assert.deepEqual(addresses(await ask("www.test")), [OLD]);
      upstream.move(NEW);
      await pause(AFTER_TTL_MS);
      assert.deepEqual(addresses(await ask("www.test")), [found]);
    });

  it("are none of kubernetes in a zone that is not the cluster's domain", async () => {
    const name = "web.default.svc.cluster.local";
    const of = async (zones: string) => {
      const ask = await run(`kubernetes ${zones} {\nendpoint http://127.0.0.1:${api.port}\nfallthrough\n}`);
      const found = addresses(await ask(name));
      await coredns?.stop();
      coredns = undefined;
      return found;
    };
    for (const zones of ["cluster.local", "cluster.local local ."])
      assert.deepEqual(await of(zones), ["10.1.1.1"], zones);
    for (const zones of ["", ".", "local", "cluster.local svc.cluster.local"])
      assert.deepEqual(await of(zones), [OLD], zones);
  });

  it("are asked for upstream where kubernetes has none, if fallthrough names no other zones", async () => {
    const missing = "www.example.default.svc.cluster.local";
    const asked = async (zones: string) => {
      const source = `endpoint http://127.0.0.1:${api.port}\nfallthrough ${zones}`;
      const code = codeOf(await (await run(`kubernetes cluster.local {\n${source}\n}`))(missing));
      await coredns?.stop();
      coredns = undefined;
      return { code, names: upstream.asked.filter((name) => name === missing) };
    };
    assert.deepEqual(await asked("in-addr.arpa ip6.arpa"), { code: NXDOMAIN, names: [] });
    assert.deepEqual(await asked(""), { code: NOERROR, names: [missing] });
  });

  it("have no reverse names behind k8s_external, unless it passes them on", async () => {
    const found: unknown[] = [];
    for (const option of ["", "fallthrough in-addr.arpa"]) {
      const kubernetes = `kubernetes cluster.local in-addr.arpa {\nendpoint http://127.0.0.1:${api.port}\n}`;
      const ask = await run(`k8s_external ext.test in-addr.arpa {\n${option}\n}`, kubernetes);
      const answer = await ask("1.1.1.10.in-addr.arpa", "PTR");
      found.push([codeOf(answer), ...addresses(answer)]);
      await coredns?.stop();
      coredns = undefined;
    }
    assert.deepEqual(found, [[NXDOMAIN], [NOERROR, "web.default.svc.cluster.local"]]);
  });
});

function addresses({ answers = [] }: Packet): unknown[] {
  return answers.map((record) => ("data" in record ? record.data : undefined));
}
