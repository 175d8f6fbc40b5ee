import assert from "node:assert/strict";
import { styleText } from "node:util";
import fc from "fast-check";
import { parseSettings } from "../../../components/settings.ts";
import { allChecks, checkInputOf, fits, select } from "../../../lab/verify/catalog.ts";
import { allowedPairs, deniedPairs } from "../../../lab/verify/checks/team-access.ts";
import { unreadableFinder } from "../../../lab/verify/find/marker-finders.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import { asJson, type Check, causes, formatResult, pass, summaryLine } from "../../../lab/verify/result.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { fakeCluster } from "./fake-cluster.ts";

const TEAMS = [
  { name: "ts", peers: ["sa"] },
  { name: "sa", peers: ["ts"] },
  { name: "ops", peers: ["ts"] },
];
const finder = unreadableFinder("http", "cannot be read back");
const checks = allChecks({ teams: TEAMS, ndots: 3, enforced: false, finders: [finder], wait: 1 });

function result(rows: Awaited<ReturnType<typeof runChecks>>) {
  const cluster = { stack: "local", context: "test", server: "https://cluster.test", version: "v1.36.3" };
  return { ...cluster, startedAt: "2026-01-02T03:04:05.000Z", seconds: 1.25, rows, nodes: [], teams: [] };
}

const STACK = { "eks-dns-logging:cluster": '{"kind":"existing"}', "eks-dns-logging:logging": "false" };

describe("the catalogue of checks", () => {
  it("gives each row an id of its own, plain ASCII, that starts with its group", () => {
    const ids = checks.map((check) => check.id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { id, group } of checks) {
      assert.match(id, /^[a-z0-9:-]+$/);
      assert.equal(id.split(":")[0], group);
    }
  });

  it("tests both directions between peers, and one if only one names the other", () => {
    const pings = checks.filter((check) => check.group === "ping").map((check) => check.id);
    assert.deepEqual(pings, ["ping:ts:sa", "ping:sa:ts", "ping:ops:ts"]);
    const denied = checks.filter((check) => check.group === "deny").map((check) => check.id);
    const others = ["deny:ts:ops", "deny:sa:ops", "deny:ops:sa"];
    assert.deepEqual(denied, ["deny:ts:coredns", "deny:sa:coredns", "deny:ops:coredns", ...others]);
  });

  it("skips peers whose namespaces have no curl pod", () => {
    const teams = [
      { name: "ts", peers: ["pay", "sa"] },
      { name: "sa", peers: [] },
      { name: "pay", peers: [], namespaces: [{ name: "payments", adopt: true }] },
    ];
    const input = checkInputOf("prod", parseSettings({ ...STACK, "eks-dns-logging:teams": JSON.stringify(teams) }), 1);
    const pings = allChecks(input).filter(({ group }) => group === "ping");
    assert.deepEqual(
      pings.map(({ id }) => id),
      ["ping:ts:sa"],
    );
  });

  it("grows with teams and peers, not with their square", () => {
    const arbitrary = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(arbitrary, (names) => {
        const teams = names.map((name, index) => ({ name, peers: names.slice(index + 1, index + 2) }));
        assert.ok(deniedPairs(teams).length <= teams.length);
        assert.equal(allowedPairs(teams).length, 2 * teams.length - 1);
        for (const { from, to } of deniedPairs(teams))
          assert.ok(from !== to && !teams.find((team) => team.name === from)?.peers.includes(to));
      }),
    );
  });
});

describe("select", () => {
  it("accepts ids, their starts, and patterns for a part", () => {
    const ids = (selection: { only?: string[]; skip?: string[] }) =>
      select(checks, { only: [], skip: [], ...selection }).map((check) => check.id);
    assert.deepEqual(ids({ only: ["ping:ts"] }), ["ping:ts:sa"]);
    assert.deepEqual(ids({ only: ["curl:*:sa:dot"] }), ["curl:sa:sa:dot", "curl:ts:sa:dot"]);
    assert.deepEqual(ids({ only: ["logs", "coredns"], skip: ["logs:sa"] }), ["coredns", "logs:ts", "logs:ops"]);
    assert.equal(ids({}).length, checks.length);
  });

  it("does not match a part of a word", () => {
    assert.equal(fits("logs:ts", "log"), false);
    assert.equal(fits("logs:ts", "logs:ts:x"), false);
  });

  it("returns nothing for no checks, but rejects a pattern then", () => {
    assert.deepEqual(select([], { only: [], skip: [] }), []);
    assert.throws(
      () => select([], { only: [], skip: ["collector"] }),
      /no row matches 'collector'; nothing of this stack runs on the cluster/,
    );
  });

  it("rejects a pattern that matches nothing and a selection that leaves nothing", () => {
    assert.throws(
      () => select(checks, { only: ["pink"], skip: [] }),
      /no row matches 'pink'; ids start with: coredns, restarts, pods/,
    );
    assert.throws(() => select(checks, { only: ["ping"], skip: ["ping"] }), /together exclude every row/);
  });
});

describe("runChecks", () => {
  it("runs as many in parallel as allowed and keeps the order", async () => {
    let now = 0;
    let most = 0;
    const slow = (id: number): Check => ({
      ...{ id: `dns:${id}`, group: "dns", what: "", from: `curl-${id}`, to: "" },
      async run() {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 8 - id));
        now -= 1;
        return pass(String(id));
      },
    });
    const seen: number[] = [];
    const rows = await runChecks([0, 1, 2, 3, 4, 5, 6].map(slow), new Lab(fakeCluster()), {
      parallel: 3,
      onRow: (_row, done, all) => seen.push(done, all),
    });
    assert.equal(most, 3);
    assert.deepEqual(rows.map((row) => row.detail).join(""), "0123456");
    assert.deepEqual(seen.slice(-2), [7, 7]);
  });

  it("turns whatever a check throws into a row", async () => {
    const broken: Check = {
      ...{ id: "dns:x", group: "dns", what: "", from: "", to: "" },
      run: () => Promise.reject(new Error("oops")),
    };
    const [row] = await runChecks([broken], new Lab(fakeCluster()), { parallel: 1 });
    assert.deepEqual([row?.status, row?.detail], ["fail", "oops"]);
    assert.match(row?.cause ?? "", /a bug in this check/);
  });

  it("passes every row of a healthy lab, except what its network does not enforce", async () => {
    const rows = await runChecks(checks, new Lab(fakeCluster()), { parallel: 8 });
    const others = rows.filter((row) => row.status !== "pass" && row.status !== "skip").map((row) => row.id);
    // This fake answers on every team's port, and on no port of CoreDNS.
    assert.deepEqual(others, ["deny:ts:coredns", "deny:sa:coredns", "deny:ops:coredns"]);
  });
});

describe("the result", () => {
  const row = { group: "dns", what: "look up", from: "curl-ts", to: "curl-sa", milliseconds: 12 } as const;
  const rows = [
    { ...row, id: "dns:a", status: "pass", detail: "fine" },
    { ...row, id: "dns:b", status: "warn", detail: "hm", cause: "not enforced" },
    { ...row, id: "dns:c", status: "fail", detail: "bad", cause: "gone" },
    { ...row, id: "dns:d", status: "fail", detail: "bad", cause: "gone" },
    { ...row, id: "dns:e", status: "skip", detail: "not here" },
  ] as const;

  it("is counted in one line", () => {
    assert.equal(summaryLine(result([...rows])), "1 passed, 1 warning, 2 failed, 1 skipped in 1.3 s");
  });

  it("names each cause once, failures first", () => {
    assert.deepEqual(causes(rows), [
      { status: "fail", cause: "gone", ids: ["dns:c", "dns:d"] },
      { status: "warn", cause: "not enforced", ids: ["dns:b"] },
    ]);
  });

  it("is a table without colors unless it is for a terminal", () => {
    const lines = formatResult(result([...rows]), { color: false, width: 100 }).split("\n");
    assert.match(lines[1] ?? "", /^pass +dns:a +look up +curl-sa +fine +12$/);
    assert.deepEqual(lines.slice(-4, -1), [
      "FAIL dns:c, dns:d: gone",
      "warn dns:b: not enforced",
      "test (v1.36.3): 1 passed, 1 warning, 2 failed, 1 skipped in 1.3 s",
    ]);
    assert.ok(
      formatResult(result([...rows]), { color: true, width: 100 }).includes(
        styleText("red", "FAIL", { validateStream: false }),
      ),
    );
  });

  it("is one JSON document with a version", () => {
    const document = asJson(result([...rows]));
    assert.equal(document.schema, 1);
    assert.deepEqual(document.summary, { pass: 1, warn: 1, fail: 2, skip: 1 });
    assert.deepEqual(Object.keys(document), [
      "schema",
      "stack",
      "context",
      "server",
      "version",
      "startedAt",
      "seconds",
      "summary",
      "rows",
    ]);
  });
});
