import assert from "node:assert/strict";
import { dnsClientAt } from "../../../lab/dns/dns-client.ts";
import { explain, formatExplanation, formatForms, nameForms, parseService } from "../../../lab/dns/explanation.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { fakeCluster, runningPod } from "../verify/fake-cluster.ts";
import { dnsPod, type FakePod } from "./fake-pod.ts";

const FULL = "curl-sa.sa-team.svc.cluster.local";
const COREFILE = ".:53 {\n  kubernetes cluster.local\n  forward . /etc/resolv.conf\n}\n";
const SEARCH = "search ts-team.svc.cluster.local svc.cluster.local cluster.local";
const POD: FakePod = {
  resolvConf: `${SEARCH}\nnameserver 10.96.0.10\noptions ndots:5\n`,
  hosts: "127.0.0.1 localhost\n10.244.0.3 curl-ts\n",
  names: { [`${FULL}.`]: ["10.96.1.2"] },
};

async function explained(
  name: string,
  changes: Partial<FakePod> = {},
  options: Parameters<typeof explain>[3] = {},
  pod: Parameters<typeof runningPod>[1] = {},
) {
  const { execute, asked } = dnsPod({ ...POD, ...changes });
  const cluster = fakeCluster(
    { pod: async () => runningPod("ts", pod), configMap: async () => ({ Corefile: COREFILE }) },
    execute,
  );
  const explanation = await explain(cluster, await dnsClientAt(cluster, "ts-team/curl-ts"), name, options);
  return { explanation, asked, text: formatExplanation(explanation) };
}

describe("lab dns explain", () => {
  it("reads the Corefile of an adopted CoreDNS, and names its ConfigMap if it cannot", async () => {
    const { execute } = dnsPod(POD);
    const client = await dnsClientAt(fakeCluster({ pod: async () => runningPod("ts") }, execute), "ts-team/curl-ts");
    const of = (own: string, coreDns?: { namespace: string; configMap: string }) => {
      const configMap = async (namespace: string, name: string) => {
        if (`${namespace}/${name}` === own) return { Corefile: COREFILE };
        throw new ClusterError("not-found", `configmaps "${name}" not found`);
      };
      return explain(fakeCluster({ configMap }, execute), client, FULL, coreDns && { coreDns });
    };
    const adopted = { namespace: "dns", configMap: "own" };
    const told = "the ConfigMap dns/own does not show which plugin answers which zone";
    assert.equal((await of("dns/own", adopted)).rows.at(-1)?.answeredBy, "kubernetes");
    assert.ok(!(await of("dns/own", adopted)).notes.includes(told));
    assert.ok((await of("kube-system/coredns", adopted)).notes.includes(told));
    assert.equal((await of("kube-system/coredns")).rows.at(-1)?.answeredBy, "kubernetes");
  });

  it("sends the resolver's queries, one row each, and shows cheaper forms", async () => {
    const { explanation, asked, text } = await explained(FULL);
    assert.deepEqual(
      asked.filter((query) => query.endsWith(" A")),
      [
        `${FULL}.ts-team.svc.cluster.local. A`,
        `${FULL}.svc.cluster.local. A`,
        `${FULL}.cluster.local. A`,
        `${FULL}. A`,
      ],
    );
    assert.deepEqual(
      explanation.rows.map(({ name, type }) => `${name} ${type}`),
      asked,
    );
    assert.deepEqual(
      explanation.rows.slice(-2).map(({ code, addresses, answeredBy, ttl }) => ({ code, addresses, answeredBy, ttl })),
      [
        { code: "NOERROR", addresses: ["10.96.1.2"], answeredBy: "kubernetes", ttl: 5 },
        { code: "NODATA", addresses: [], answeredBy: "kubernetes", ttl: undefined },
      ],
    );
    assert.equal(explanation.queries, 8);
    assert.equal(explanation.milliseconds.toFixed(2), "8.00");
    assert.deepEqual(explanation.cheaper, [
      { change: `the name ${FULL}. with its trailing dot`, queries: 2 },
      { change: "ndots 3 in dnsConfig", queries: 2 },
      { change: "the form curl-sa.sa-team", queries: 4 },
      { change: "the form curl-sa.sa-team.svc", queries: 6 },
    ]);
    assert.match(text, /^found after 8 queries for 4 names, 8\.00 ms in a row; curl's own lookup took 1\.50 ms$/m);
    assert.match(text, /^cheaper: ndots 3 in dnsConfig: 2 queries$/m);
  });

  it("says so if no form needs fewer queries", async () => {
    const { explanation, text } = await explained(`${FULL}.`);
    assert.deepEqual([explanation.queries, explanation.cheaper], [2, []]);
    assert.match(text, /^no form needs fewer queries$/m);
  });

  it("sends no query for a name in /etc/hosts or an address", async () => {
    for (const [name, address] of [
      ["curl-ts", "10.244.0.3"],
      ["10.1.2.3", "10.1.2.3"],
      ["fd00::1", "fd00::1"],
    ] as const) {
      const { explanation, asked, text } = await explained(name);
      assert.deepEqual(
        [asked, explanation.withoutAsking, explanation.queries, explanation.found],
        [[], [address], 0, true],
      );
      assert.match(text, /^no query: /m);
    }
  });

  it("counts retries if the upstream fails, and does not find the name", async () => {
    const { explanation, text } = await explained("example.com", { failing: ["example.com."], names: {} });
    assert.deepEqual([explanation.found, explanation.rows.length, explanation.queries], [false, 8, 10]);
    assert.equal(explanation.rows.at(-1)?.answeredBy, "upstream, failed");
    assert.match(text, /^not found after 10 queries \(2 retried\) for 4 names/m);
    assert.match(text, /^note: glibc retries a failing server/m);
    assert.doesNotMatch(text, /cheaper/);
  });

  it("walks as musl does in an image that has it", async () => {
    const resolvConf = `${SEARCH}\nnameserver 10.96.0.10\noptions ndots:2\n`;
    const name = "curl-sa.sa-team.svc";
    assert.equal((await explained(name, { resolvConf })).explanation.rows.length, 8);
    const { explanation } = await explained(name, { resolvConf, libc: "musl" });
    assert.deepEqual([explanation.libc, explanation.rows.length, explanation.found], ["musl", 2, false]);
  });

  it("accepts another ndots, and then omits curl, which uses the pod's", async () => {
    const { explanation } = await explained(FULL, {}, { ndots: 3 });
    assert.deepEqual([explanation.ndots, explanation.queries, explanation.curl], [3, 2, undefined]);
    assert.match(explanation.notes[0] ?? "", /^the pod has ndots 5/);
  });

  it("says that curl brings its own resolver", async () => {
    const { explanation } = await explained(FULL, { curlVersion: "curl 8.17.0 libcurl/8.17.0 c-ares/1.34.5" });
    assert.deepEqual(explanation.notes, ["curl resolves names with c-ares/1.34.5, other programs with glibc"]);
  });

  it("says that musl reads no search list of more than 254 bytes", async () => {
    const resolvConf = `${SEARCH} ${"corp.example ".repeat(16)}\nnameserver 10.96.0.10\noptions ndots:5\n`;
    const { explanation, text } = await explained("curl-sa.sa-team", { resolvConf, libc: "musl" });
    assert.deepEqual(
      [explanation.search, explanation.rows.map((row) => row.name), explanation.found],
      [[], ["curl-sa.sa-team.", "curl-sa.sa-team."], false],
    );
    assert.match(text, /^note: musl ignores the search list, whose line in resolv\.conf has more than 254 bytes/m);
    assert.deepEqual((await explained("curl-sa.sa-team", { resolvConf })).explanation.notes, []);
  });

  const policies: readonly (readonly [hostNetwork: boolean, dnsPolicy: string, note: RegExp | undefined])[] = [
    [
      true,
      "ClusterFirst",
      /the node's resolver \(hostNetwork and dnsPolicy ClusterFirst\).*set dnsPolicy ClusterFirstWithHostNet$/,
    ],
    [true, "ClusterFirstWithHostNet", undefined],
    [true, "Default", /set dnsPolicy ClusterFirstWithHostNet$/],
    [false, "Default", /the node's resolver \(dnsPolicy Default\).*set dnsPolicy ClusterFirst$/],
    [false, "ClusterFirst", undefined],
    [false, "None", undefined],
  ];
  for (const [hostNetwork, dnsPolicy, note] of policies) {
    const where = hostNetwork ? "on the node's network " : "";
    it(`${note === undefined ? "has no note on" : "notes"} the resolver of a pod ${where}with dnsPolicy ${dnsPolicy}`, async () => {
      const { notes } = (await explained(FULL, {}, {}, { hostNetwork, dnsPolicy })).explanation;
      assert.equal(notes.length, note === undefined ? 0 : 1);
      if (note !== undefined) assert.match(notes[0] ?? "", note);
    });
  }

  it("rejects in one line what is not a name", async () => {
    await assert.rejects(explained("http://curl-sa"), {
      name: "Failure",
      exitCode: 2,
      message: /is not a valid name: use labels/,
    });
  });
});

describe("lab dns forms", () => {
  it("prints a table of each form with each ndots, with the short one from the Service's namespace", async () => {
    const { execute } = dnsPod(POD);
    const cluster = fakeCluster(
      { pod: async () => runningPod("ts"), configMap: async () => ({ Corefile: COREFILE }) },
      execute,
    );
    const costs = await nameForms(cluster, await dnsClientAt(cluster, "ts-team/curl-ts"), "curl-sa.sa-team");
    assert.equal(
      formatForms(costs),
      `| name | asked in | ndots 5 | ndots 3 | ndots 2 |
|---|---|---|---|---|
| \`curl-sa\` | sa-team | 2 queries, 2.00 ms | 2 queries, 2.00 ms | 2 queries, 2.00 ms |
| \`curl-sa.sa-team\` | ts-team | 4 queries, 4.00 ms | 4 queries, 4.00 ms | 4 queries, 4.00 ms |
| \`curl-sa.sa-team.svc\` | ts-team | 6 queries, 6.00 ms | 6 queries, 6.00 ms | 8 queries, 8.00 ms |
| \`${FULL}\` | ts-team | 8 queries, 8.00 ms | 2 queries, 2.00 ms | 2 queries, 2.00 ms |
| \`${FULL}.\` | ts-team | 2 queries, 2.00 ms | 2 queries, 2.00 ms | 2 queries, 2.00 ms |
`,
    );
  });

  it("stops if the full name has no address", async () => {
    const { execute, asked } = dnsPod({ ...POD, names: {} });
    const cluster = fakeCluster(
      { pod: async () => runningPod("ts"), configMap: async () => ({ Corefile: COREFILE }) },
      execute,
    );
    const client = await dnsClientAt(cluster, "ts-team/curl-ts");
    await assert.rejects(nameForms(cluster, client, "curl-sa.sa-team"), {
      name: "Failure",
      exitCode: 2,
      message: `'curl-sa.sa-team' must be a Service with an address, and ${FULL}. has none: \`npm run lab -- dns explain ${FULL}.\` shows why`,
    });
    assert.deepEqual(asked, [`${FULL}. A`, `${FULL}. AAAA`]);
  });

  it("requires a Service and its namespace", () => {
    assert.deepEqual(parseService("a.b"), { service: "a", namespace: "b" });
    for (const text of ["a", "a.", "a.b.svc", ""])
      assert.throws(() => parseService(text), { name: "Failure", exitCode: 2, message: /must be SERVICE\.NAMESPACE/ });
  });
});
