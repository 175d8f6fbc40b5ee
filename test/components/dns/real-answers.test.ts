import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Packet } from "dns-packet";
import { describeReal } from "./real-coredns.ts";
import { codeOf, type Running, running, type Upstream, upstreamWith } from "./running-coredns.ts";

const OUTSIDE = "192.0.2.1";
const CORP = "192.0.2.2";
const BRANCH = "192.0.2.3";
const NXDOMAIN = 3;
const SERVFAIL = 2;
const REFUSED = 5;

describeReal("answers of the real CoreDNS", () => {
  let outside: Upstream;
  let corp: Upstream;
  let branch: Upstream;
  let coredns: Running | undefined;

  beforeEach(async () => {
    [outside, corp, branch] = await Promise.all([upstreamWith(OUTSIDE), upstreamWith(CORP), upstreamWith(BRANCH)]);
  });
  afterEach(async () => {
    await coredns?.stop();
    for (const upstream of [outside, corp, branch]) upstream.close();
  });

  const run = async (options: object, profile = "eks-default") => {
    coredns = await running({ profile, options: { upstreams: [outside.server], ...options } });
    return coredns;
  };
  const stubDomains = () => [
    { domains: ["corp.test"], upstreams: [corp.server] },
    { domains: ["branch.corp.test.", "BRANCH.example"], upstreams: [branch.server] },
  ];

  it("come from the servers of the longest matching stub domain", async () => {
    const { ask } = await run({ stubDomains: stubDomains() }, "tuned");
    assert.deepEqual(addresses(await ask("outside.test")), [OUTSIDE]);
    assert.deepEqual(addresses(await ask("corp.test")), [CORP]);
    assert.deepEqual(addresses(await ask("a.b.corp.test")), [CORP]);
    assert.deepEqual(addresses(await ask("www.branch.corp.test")), [BRANCH]);
    assert.deepEqual(addresses(await ask("www.branch.example")), [BRANCH]);
    assert.deepEqual(addresses(await ask("xcorp.test")), [OUTSIDE]);
    assert.equal(codeOf(await ask("no.corp.test")), NXDOMAIN);
  });

  it("are a fixed address before any server's answer, even in a stub domain", async () => {
    const entries = [
      { address: "10.1.2.3", names: ["printer.corp.test", "printer.test"] },
      { address: "fd00::3", names: ["printer.corp.test"] },
    ];
    const { ask } = await run({ stubDomains: stubDomains(), hosts: { entries, ttl: 9 }, cache: { ttl: 60 } });
    assert.deepEqual(addresses(await ask("printer.corp.test")), ["10.1.2.3"]);
    assert.deepEqual(addresses(await ask("printer.corp.test", "AAAA")), ["fd00::3"]);
    assert.deepEqual(
      (await ask("Printer.test")).answers?.map((record) => "ttl" in record && record.ttl),
      [9],
    );
    assert.deepEqual(addresses(await ask("printer.test", "AAAA")), [], "no upstream is asked for another record");
    assert.deepEqual(outside.asked, []);
    assert.deepEqual(addresses(await ask("scanner.corp.test")), [CORP]);
    assert.deepEqual(corp.asked, ["scanner.corp.test"]);
  });

  it("are those of the rewritten name, under the queried name", async () => {
    const rewrite = [
      { match: "suffix", from: ".old.test", to: ".corp.test" },
      { match: "regex", from: "^(\\w+)-(\\w+)\\.corp\\.test\\.?$", to: "{2}.{1}.branch.example" },
      { from: "cloud.corp.test", to: "outside.test" },
    ];
    const { ask } = await run({ stubDomains: stubDomains(), rewrite });
    const cases: readonly (readonly [name: string, address: string, asked: Upstream, as: string])[] = [
      ["db.old.test", CORP, corp, "db.corp.test"],
      ["eu-db.corp.test", BRANCH, branch, "db.eu.branch.example"],
      ["cloud.corp.test", OUTSIDE, outside, "outside.test"],
    ];
    for (const [name, address, upstream, as] of cases) {
      const answer = await ask(name);
      assert.deepEqual(addresses(answer), [address]);
      assert.deepEqual(
        answer.answers?.map((record) => record.name),
        [name],
      );
      assert.deepEqual(upstream.asked, [as]);
    }
  });

  it("are cached no longer than each kind's maximum", async () => {
    const { ask } = await run({ cache: { ttl: 40, success: { ttl: 20 } }, stubDomains: stubDomains() });
    for (const name of ["a.test", "a.corp.test"]) {
      const [first, second] = [await ask(name), await ask(name)];
      for (const answer of [first, second]) assert.ok(ttlOf(answer) <= 20 && ttlOf(answer) > 15, String(ttlOf(answer)));
    }
    assert.deepEqual([...outside.asked, ...corp.asked], ["a.test", "a.corp.test"]);
  });

  for (const profile of ["eks-default", "tuned"]) {
    it(`with the profile ${profile} are ${profile === "tuned" ? "stale ones" : "failures"} once the upstream is gone`, async () => {
      const { ask } = await run(
        { cache: { ttl: 1, success: { ttl: 1, minTtl: 0 } }, stubDomains: stubDomains() },
        profile,
      );
      for (const name of ["known.test", "known.corp.test"]) await ask(name);
      for (const upstream of [outside, corp]) upstream.silence();
      await pause(1500);
      for (const name of ["known.test", "known.corp.test"]) {
        const answer = await ask(name);
        assert.equal(codeOf(answer), profile === "tuned" ? 0 : SERVFAIL);
        assert.equal(addresses(answer).length, profile === "tuned" ? 1 : 0);
      }
    }).timeout(40_000);
  }

  for (const [code, what] of [
    [SERVFAIL, "SERVFAIL"],
    [REFUSED, "REFUSED"],
  ] as const) {
    it(`with the profile tuned are the known ones while an upstream answers ${what}`, async () => {
      const { ask } = await run({ cache: { ttl: 1, success: { ttl: 1, minTtl: 0 } } }, "tuned");
      await ask("known.test");
      outside.fail(code);
      await pause(2500);
      for (let number = 0; number < 3; number += 1) {
        assert.deepEqual(addresses(await ask("known.test")), [OUTSIDE], String(number));
        await pause(300);
      }
    }).timeout(40_000);
  }

  it("with the profile tuned are fresh again if the upstream accepts only UDP", async () => {
    const { ask } = await run({ cache: { ttl: 1, success: { ttl: 1, minTtl: 0 } } }, "tuned");
    await ask("known.test");
    await pause(2500);
    await ask("known.test");
    await pause(500);
    assert.deepEqual(outside.asked, ["known.test", "known.test"]);
    assert.ok(ttlOf(await ask("known.test")) > 0);
  }).timeout(40_000);

  it("come from the upstreams in the order of the policy", async () => {
    const upstreams = [outside.server, corp.server];
    const { ask } = await run({ upstreams, forward: { policy: "sequential" } });
    for (let number = 0; number < 6; number += 1) assert.deepEqual(addresses(await ask(`n${number}0.test`)), [OUTSIDE]);
    assert.deepEqual(corp.asked, []);
  });

  it("are logged if their class is, even in a stub domain", async () => {
    const { ask, output } = await run({ log: { classes: ["denial"] }, stubDomains: stubDomains() });
    await ask("yes.corp.test");
    await ask("no.corp.test");
    for (let waited = 0; !output().includes("NXDOMAIN") && waited < 2000; waited += 20) await pause(20);
    assert.match(output(), /"A IN no\.corp\.test\. udp .* NXDOMAIN/);
    assert.doesNotMatch(output(), /yes\.corp\.test/);
  });
});

function addresses({ answers = [] }: Packet): string[] {
  return answers.flatMap((record) => (record.type === "A" || record.type === "AAAA" ? [record.data] : []));
}

function ttlOf({ answers = [] }: Packet): number {
  const [first] = answers;
  return first !== undefined && "ttl" in first ? (first.ttl ?? Number.NaN) : Number.NaN;
}
