import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Packet } from "dns-packet";
import { describeReal } from "./real-coredns.ts";
import { type Running, runningText, type Upstream, upstreamWith } from "./running-coredns.ts";

const OUTSIDE = "192.0.2.1";
const CORP = "192.0.2.2";

/** What `corefile/checks/answer-checks.ts` warns of, as the real CoreDNS does it. */
describeReal("lines of which CoreDNS makes something else", () => {
  let outside: Upstream;
  let corp: Upstream;
  let coredns: Running | undefined;

  beforeEach(async () => {
    [outside, corp] = await Promise.all([upstreamWith(OUTSIDE), upstreamWith(CORP)]);
  });
  afterEach(async () => {
    await coredns?.stop();
    for (const upstream of [outside, corp]) upstream.close();
  });

  const run = async (lines: readonly string[], blocks: (port: number) => string = () => "") => {
    coredns = await runningText(
      (port) => `.:${port} {\nbind 127.0.0.1\n${lines.join("\n")}\nforward . ${outside.server}\n}\n${blocks(port)}`,
    );
    return coredns.ask;
  };
  const alias = 'template IN ANY www.test {\nanswer "{{ .Name }} 60 IN CNAME old.test."\n}';

  it("are entries of hosts with a wildcard", async () => {
    const ask = await run(["hosts {\n10.0.0.1 *.apps.test\nfallthrough\n}"]);
    assert.deepEqual(addresses(await ask("a.apps.test")), [OUTSIDE]);
    assert.deepEqual(addresses(await ask("*.apps.test")), ["10.0.0.1"]);
  });

  it("are rules for cname whose name has no dot at its end, and those after another", async () => {
    const first = async (...rules: readonly string[]) => {
      const ask = await run([...rules.map((rule) => `rewrite ${rule}`), alias]);
      const [record] = (await ask("www.test")).answers ?? [];
      await coredns?.stop();
      coredns = undefined;
      return record?.type === "CNAME" ? record.data : record;
    };
    assert.equal(await first("cname exact old.test. new.test."), "new.test");
    assert.equal(await first("cname exact old.test new.test."), "old.test");
    assert.equal(await first("cname suffix old.test new.test."), "old.test");
    assert.equal(await first("cname exact a.test. b.test.", "cname exact old.test. new.test."), "old.test");
    assert.equal(await first("continue cname exact a.test. b.test.", "cname exact old.test. new.test."), "new.test");
  });

  it("are a stub domain's block beside autopath", async () => {
    const folder = await mkdtemp(join(tmpdir(), "resolv-"));
    await writeFile(join(folder, "conf"), "search team.svc.cluster.local svc.cluster.local cluster.local\n");
    const ask = await run(
      [`autopath ${folder}/conf`, "template ANY ANY cluster.local {\nrcode NXDOMAIN\n}"],
      (port) => `corp.test:${port} {\nbind 127.0.0.1\nforward . ${corp.server}\n}\n`,
    );
    await rm(folder, { recursive: true });
    assert.deepEqual(addresses(await ask("www.corp.test")), [CORP]);
    assert.deepEqual(addresses(await ask("www.corp.test.team.svc.cluster.local")), [OUTSIDE]);
  });
});

function addresses({ answers = [] }: Packet): unknown[] {
  return answers.flatMap((record) => (record.type === "A" ? [record.data] : []));
}
