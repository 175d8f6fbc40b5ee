import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Packet } from "dns-packet";
import { leaveOut } from "../../support/leave-out.ts";
import { describeReal, since } from "./real-coredns.ts";
import { codeOf, type Running, runningText, type Upstream, upstreamWith } from "./running-coredns.ts";

const OUTSIDE = "192.0.2.1";
const CORP = "192.0.2.2";
const NOERROR = 0;
const SERVFAIL = 2;
const REFUSED = 5;

/** What `corefile/checks/` warns of, as the real CoreDNS does it. */
describeReal("lines that do not do what they suggest", () => {
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
    assert.deepEqual(addresses(await ask("a.apps.test")), [since(1, 14, 5) ? "10.0.0.1" : OUTSIDE]);
    assert.deepEqual(addresses(await ask("*.apps.test")), ["10.0.0.1"]);
  });

  it("are rules for cname without a trailing dot, and those after another", async () => {
    const first = async (...rules: readonly string[]) => {
      const ask = await run([...rules.map((rule) => `rewrite ${rule}`), alias]);
      const [record] = (await ask("www.test")).answers ?? [];
      await coredns?.stop();
      coredns = undefined;
      return record?.type === "CNAME" ? record.data : record;
    };
    assert.equal(await first("cname exact old.test. new.test."), "new.test");
    assert.equal(await first("cname exact old.test new.test."), since(1, 14, 7) ? "new.test" : "old.test");
    assert.equal(await first("cname suffix old.test new.test."), "old.test");
    assert.equal(await first("cname exact a.test. b.test.", "cname exact old.test. new.test."), "old.test");
    assert.equal(await first("continue cname exact a.test. b.test.", "cname exact old.test. new.test."), "new.test");
  });

  const ANSWER = 'answer "{{ .Name }} 60 IN A 10.0.0.1"';
  const cases: readonly (readonly [what: string, line: string, name: string, found: readonly string[]])[] = [
    ["hosts without fallthrough", "hosts {\n10.0.0.1 a.test\n}", "b.test", []],
    ["hosts with fallthrough for others", "hosts {\n10.0.0.1 a.test\nfallthrough c.test\n}", "b.test", []],
    ["hosts with fallthrough for a name", "hosts {\n10.0.0.1 a.test fallthrough\n}", "b.test", []],
    ["template without fallthrough", `template IN A {\nmatch ^a\\.test\\.$\n${ANSWER}\n}`, "b.test", []],
    ["template for all names", `template IN A {\n${ANSWER}\nfallthrough\n}`, "b.test", ["10.0.0.1"]],
    [
      "a match without the final dot",
      `template IN A {\nmatch ^a\\.test$\n${ANSWER}\nfallthrough\n}`,
      "a.test",
      [OUTSIDE],
    ],
    ["a match with a capital letter", `template IN A {\nmatch ^A\\.\n${ANSWER}\nfallthrough\n}`, "a.test", [OUTSIDE]],
    [
      "an entry of hosts that a template takes",
      `hosts {\n10.0.0.2 b.test\nfallthrough\n}\ntemplate IN A test {\n${ANSWER}\n}`,
      "b.test",
      ["10.0.0.1"],
    ],
    [
      "an entry of hosts with a template of its own above that one",
      `template IN A b.test {\n${ANSWER.replace("0.1", "0.3")}\n}\ntemplate IN A test {\n${ANSWER}\n}`,
      "b.test",
      ["10.0.0.3"],
    ],
    [
      "a template for CNAME alone",
      'template IN CNAME b.test {\nanswer "{{ .Name }} 60 IN CNAME a.test."\n}',
      "b.test",
      [OUTSIDE],
    ],
    ["a zone with an asterisk", `template IN A *.test {\n${ANSWER}\n}`, "a.test", [OUTSIDE]],
    [
      "a group that no match has",
      'template IN A {\nanswer "{{ .Name }} 60 IN A 10.0.0.{{ index .Match 1 }}"\n}',
      "b.test",
      [],
    ],
    ["a name below the root zone", 'template IN A {\nanswer "ns.{{ .Zone }} 60 IN A 10.0.0.1"\n}', "b.test", []],
    ["a suffix without the dot of its replacement", "rewrite name suffix test .example answer auto", "b.test", []],
    ["a prefix that leaves a label out", "rewrite name prefix b. . answer auto", "b.test", []],
    ["a name with a dot at its beginning", "rewrite name b.test .a.test", "b.test", []],
    ["a part with a dot at its beginning", "rewrite name substring b.test. .test. answer auto", "a.b.test", []],
    ["acl that blocks first", "acl {\nblock\nallow net 127.0.0.0/8\n}", "b.test", []],
    ["acl that allows first", "acl {\nallow net 127.0.0.0/8\nblock\n}", "b.test", [OUTSIDE]],
  ];
  for (const [what, line, name, found] of cases)
    it(`are ${what}`, async () => {
      const ask = await run([line]);
      assert.deepEqual(addresses(await ask(name)), found);
    });

  it("are rules of acl beside a cache", async () => {
    const rules = "acl {\nblock net 127.0.0.2\n}";
    const codes = async (...lines: readonly string[]) => {
      const ask = await run(lines);
      const found: number[] = [];
      for (const from of ["127.0.0.2", "127.0.0.1", "127.0.0.2"]) found.push(codeOf(await ask("a.test", "A", from)));
      await coredns?.stop();
      coredns = undefined;
      return found;
    };
    assert.deepEqual(await codes(rules), [REFUSED, NOERROR, REFUSED]);
    assert.deepEqual(await codes(rules, "cache"), [
      REFUSED,
      NOERROR,
      since(1, 14, 3) && !since(1, 14, 7) ? NOERROR : REFUSED,
    ]);
  });

  it("are rules of rewrite that match nothing", async () => {
    const known = "hosts {\n10.0.0.1 new.test\nfallthrough\n}";
    const of = async (rule: string) => {
      const ask = await run([`rewrite name ${rule}`, known]);
      const found = addresses(await ask("old.test"));
      await coredns?.stop();
      coredns = undefined;
      return found;
    };
    assert.deepEqual(await of("regex ^old\\.test\\.$ new.test"), ["10.0.0.1"]);
    assert.deepEqual(await of("regex ^OLD\\.|^old\\.test\\.$ new.test"), ["10.0.0.1"]);
    for (const rule of ["regex ^old\\.[a-z]+$ new.test", "^old\\.test\\.$ new.test", "*.test new.test"])
      assert.deepEqual(await of(rule), [OUTSIDE], rule);
  });

  it("are rules of rewrite with a number that no group has", async () => {
    const ask = await run(["rewrite name regex ^(.*)\\.old\\.test\\.$ {2}.new.test answer auto"]);
    assert.deepEqual(addresses(await ask("b.old.test")), [OUTSIDE]);
    assert.deepEqual(outside.asked, ["{2}.new.test"]);
  });

  it("are rules of rewrite that join two labels", async () => {
    const ask = await run(["rewrite name suffix .old.test new.test answer auto"]);
    assert.deepEqual(addresses(await ask("b.old.test")), [OUTSIDE]);
    assert.deepEqual(outside.asked, ["bnew.test"]);
  });

  it("are variables that no line of a template sets", async function () {
    if (!since(1, 15, 0)) leaveOut(this, "template has variables from CoreDNS 1.15.0 on");
    const template = (type: string, value: string) =>
      `template IN ${type} a.test {\nvar host name()\nanswer "{{ .Name }} 60 IN ${type} ${value}"\n}`;
    const ask = await run([template("A", "10.0.0.1{{ .Var.ip }}"), template("TXT", "{{ .Var.ip }}")]);
    assert.equal(codeOf(await ask("a.test")), SERVFAIL);
    const [record] = (await ask("a.test", "TXT")).answers ?? [];
    assert.equal(record?.type === "TXT" ? String(record.data) : record, "<no,value>");
  });

  it("are a forward for some names in the block for all", async () => {
    coredns = await runningText((port) => `.:${port} {\nbind 127.0.0.1\nforward corp.test ${corp.server}\n}\n`);
    assert.deepEqual(addresses(await coredns.ask("a.corp.test")), [CORP]);
    assert.equal(codeOf(await coredns.ask("b.test")), SERVFAIL);
  });

  it("are lines for a network, which means its reverse zone", async () => {
    const block = (port: number) =>
      `10.in-addr.arpa:${port} {\nbind 127.0.0.1\nforward 10.1.2.0/24 ${corp.server}\n}\n`;
    const ask = await run([], block);
    await ask("9.2.1.10.in-addr.arpa");
    await ask("9.2.168.192.in-addr.arpa");
    assert.deepEqual([corp.asked, outside.asked], [["9.2.1.10.in-addr.arpa"], ["9.2.168.192.in-addr.arpa"]]);
  });

  it("are blocks that no query reaches", async () => {
    const block = (zone: string) => (port: number) =>
      `${zone}:${port} {\nbind 127.0.0.1\nforward . ${corp.server}\n}\n`;
    for (const [zone, found] of [
      ["corp.test", CORP],
      ["Corp.Test", since(1, 14, 7) ? CORP : OUTSIDE],
      ["*.test", OUTSIDE],
    ] as const) {
      const ask = await run([], block(zone));
      assert.deepEqual(addresses(await ask("www.corp.test")), [found], zone);
      await coredns?.stop();
      coredns = undefined;
    }
  });

  it("are blocks whose view matches some of the queries", async () => {
    const of = async (network: string) => {
      coredns = await runningText((port) => {
        const view = `view v {\nexpr incidr(client_ip(), '${network}')\n}`;
        const block = (lines: string, server: string) =>
          `.:${port} {\nbind 127.0.0.1\n${lines}\nforward . ${server}\n}\n`;
        return block(view, corp.server) + block("", outside.server);
      });
      const found = addresses(await coredns.ask("www.test"));
      await coredns.stop();
      coredns = undefined;
      return found;
    };
    assert.deepEqual(await of("127.0.0.0/8"), [CORP]);
    assert.deepEqual(await of("10.9.0.0/24"), [OUTSIDE]);
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

  it("are autopath in a block that knows no outside names", async () => {
    const folder = await mkdtemp(join(tmpdir(), "resolv-"));
    await writeFile(join(folder, "conf"), "search team.svc.cluster.local svc.cluster.local cluster.local\n");
    const codes: number[] = [];
    for (const line of ["", `forward . ${outside.server}`]) {
      const lines = [`autopath ${folder}/conf`, "template ANY ANY cluster.local {\nrcode NXDOMAIN\n}", line];
      const ask = await run([], (port) => `cluster.local:${port} {\nbind 127.0.0.1\n${lines.join("\n")}\n}\n`);
      codes.push(codeOf(await ask("www.test.team.svc.cluster.local")));
      await coredns?.stop();
      coredns = undefined;
    }
    await rm(folder, { recursive: true });
    assert.deepEqual(codes, [SERVFAIL, NOERROR]);
  });

  it("are a forward to CoreDNS itself, for names that no rule takes", async () => {
    const block = (port: number, ...lines: readonly string[]) =>
      `corp.test:${port} {\nbind 127.0.0.1\nlog\nrewrite name a.corp.test www.test\n${lines.join("\n")}\n}\n`;
    const itself = (port: number) => `forward . 127.0.0.1:${port}`;
    const ask = await run([], (port) => block(port, itself(port)));
    assert.deepEqual(addresses(await ask("a.corp.test")), [OUTSIDE]);
    // Whether an answer comes in time depends on the machine, and a query is logged once it is answered.
    await Promise.allSettled([ask("b.corp.test")]);
    const count = () => (coredns?.output().split("A IN b.corp.test.").length ?? 0) - 1;
    for (let waited = 0; count() < 100 && waited < 20_000; waited += 100) await pause(100);
    assert.ok(count() >= 100, String(count()));
    await coredns?.stop();
    coredns = undefined;
    const ended = await run([], (port) => block(port, itself(port).replace(".", "test"), `forward . ${corp.server}`));
    assert.deepEqual(addresses(await ended("a.corp.test")), [OUTSIDE]);
  }).timeout(60_000);

  it("are translate_all of dns64, for names without an IPv4 address", async () => {
    const found: unknown[] = [];
    for (const option of ["", "translate_all"]) {
      const ask = await run([`dns64 {\nallow_ipv4\n${option}\n}`, "hosts {\nfd00::5 six.test\nfallthrough\n}"]);
      found.push((await ask("six.test", "AAAA")).answers?.map((record) => "data" in record && record.data));
      await coredns?.stop();
      coredns = undefined;
    }
    assert.deepEqual(found, [["fd00::5"], []]);
  });

  it("are rules of rewrite for a type, whose answers have another", async () => {
    const ask = await run(["rewrite {\ntype AAAA A\n}"]);
    const { questions, answers } = await ask("a.test", "AAAA");
    assert.deepEqual([questions?.[0]?.type, answers?.[0]?.type], ["AAAA", "A"]);
  });
});

function addresses({ answers = [] }: Packet): unknown[] {
  return answers.flatMap((record) => (record.type === "A" ? [record.data] : []));
}
