import assert from "node:assert/strict";
import fc from "fast-check";
import { html, raw } from "../../../../lab/output/markup.ts";
import { allChecks } from "../../../../lab/verify/catalog.ts";
import { unreadableFinder } from "../../../../lab/verify/find/marker-finders.ts";
import { COREDNS, connectionsOf, LOGS, worst } from "../../../../lab/verify/report/connections.ts";
import { between, labelBox, overlap, reportPage } from "../../../../lab/verify/report/report-page.ts";
import type { Row, Status, VerifyResult } from "../../../../lab/verify/result.ts";
import { runningPod } from "../fake-cluster.ts";

const STATUSES: readonly Status[] = ["pass", "warn", "fail", "skip"];

/** A run of all checks for so many teams, each row with a result in turn. */
function resultOf(count: number, text = "detail"): VerifyResult {
  const names = Array.from({ length: count }, (_, index) => `t${index}`);
  const teams = names.map((name) => ({ name, peers: names.filter((other) => other !== name).slice(0, 2) }));
  const checks = allChecks({ teams, ndots: 3, enforced: false, finders: [unreadableFinder("http", "no")], wait: 1 });
  const rows = checks.map(({ id, group, what, from, to }, index): Row => {
    const status = STATUSES[index % STATUSES.length] ?? "pass";
    return { id, group, what, from, to, status, detail: text, cause: text, milliseconds: index };
  });
  return {
    stack: text,
    context: text,
    server: text,
    version: text,
    startedAt: "2026-01-02T03:04:05.678Z",
    seconds: 1,
    rows,
    nodes: [{ name: text, ready: true, version: "v1", zone: text, osImage: text, runtime: text }],
    teams: names.map((team) => ({
      team,
      namespace: `${team}-team`,
      pod: runningPod(team, { node: text, reason: text }),
    })),
  };
}

describe("the report", () => {
  it("is a self-contained page without scripts", () => {
    const page = reportPage(resultOf(2));
    assert.match(page, /^<!doctype html>/);
    assert.equal(/https?:|<script|<link|<img|@import|url\((?!#)/.test(page), false);
    assert.match(page, /default-src 'none'/);
    assert.match(page, /prefers-color-scheme: dark/);
  });

  it("shows cluster, nodes, namespaces, pods, connections and every row", () => {
    const result = resultOf(2);
    const page = reportPage(result);
    for (const text of [
      "namespace t0-team",
      "curl-t1",
      "Nodes: detail v1 detail",
      "CoreDNS",
      "2026-01-02 03:04:05 UTC",
    ])
      assert.ok(page.includes(text), text);
    for (const { id } of result.rows) assert.ok(page.includes(`<code>${id}</code>`), id);
    assert.ok(page.includes("The lab does not work"));
  });

  it("keeps the Time column of each row whole on a narrow screen: the table scrolls, and another column goes", () => {
    const result = resultOf(2);
    const page = reportPage(result);
    assert.match(page, /<div class="wide"><table>\n<thead><tr>(?:<th>\w+<\/th>){6}<th>Time<\/th>/);
    assert.deepEqual(
      [...page.matchAll(/<td class="number">([^<]*)<\/td><\/tr>/g)].map((match) => match[1]),
      result.rows.map(({ milliseconds }) => `${milliseconds} ms`),
    );
    assert.match(page, /\.wide \{ overflow-x: auto; \}/);
    assert.match(page, /\.number \{[^}]*white-space: nowrap/);
    // The seventh column is Time; the fourth, which the row's name says too, makes room for it.
    assert.match(page, /@media \(max-width: 900px\) \{[^@]*td:nth-child\(4\) \{ display: none; \}/);
    assert.doesNotMatch(page, /nth-child\(7\)/);
  });

  it("draws a matrix if lines would cover each other, and omits an unreadable one", () => {
    assert.match(reportPage(resultOf(8)), /rows: from, columns: to</);
    assert.match(reportPage(resultOf(70)), /rows: from, columns: to; 10 more teams are in the table only/);
  });

  it("draws a team without a pod", () => {
    const result = resultOf(1);
    const page = reportPage({
      ...result,
      rows: [],
      nodes: [],
      teams: [{ team: "t0", namespace: "t0-team", pod: undefined }],
    });
    assert.match(page, /there is no pod/);
    assert.match(page, /The lab works/);
  });

  /** Colors of the teams' boxes, in their order. */
  const boxes = (result: VerifyResult) =>
    [...reportPage(result).matchAll(/namespace t\d-team<\/text>\n<g class="(\w+)">/g)].map((match) => match[1]);

  it("colors a team by the rows of its pod and Service, or by the pod's state if there are none", () => {
    const result = resultOf(2);
    const rowsWith = (status: Status) =>
      result.rows.map((row): Row => ({ ...row, status: row.id === "service:t1" ? status : "pass" }));
    assert.deepEqual(boxes({ ...result, rows: rowsWith("pass") }), ["pass", "pass"]);
    assert.deepEqual(boxes({ ...result, rows: rowsWith("fail") }), ["pass", "fail"]);
    const ended = runningPod("t1", { phase: "Succeeded", ready: false });
    const [first] = result.teams;
    assert.ok(first);
    assert.deepEqual(boxes({ ...result, rows: [], teams: [first, { team: "t1", namespace: "t1-team", pod: ended }] }), [
      "pass",
      "fail",
    ]);
  });

  it("puts no two labels of lines between the same teams at one height, unless the lines are level", () => {
    const labels = [...reportPage(resultOf(3)).matchAll(/<text class="label" x="([\d.]+)" y="([\d.]+)"/g)];
    const places = labels.map(([, x, y]) => [Number(x), Number(y)] as const);
    // t0 stands above t2: between them the lines are upright.
    const upright = places.filter(([x, y]) => x < 330 && y > 340 && y < 560).map(([, y]) => Math.round(y));
    assert.ok(upright.length >= 3, String(upright));
    assert.equal(new Set(upright).size, upright.length);
  });

  it("puts no label over another label or a pod", () => {
    for (const count of [1, 2, 3]) {
      for (const status of STATUSES) {
        const result = resultOf(count);
        const page = reportPage({ ...result, rows: result.rows.map((row) => ({ ...row, status })) });
        const labels = [...page.matchAll(/<text class="label" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</g)].map(
          ([, x, y, text = ""]) => ({ text, box: labelBox(text, { x: Number(x), y: Number(y) }) }),
        );
        const pods = [
          ...page.matchAll(/<rect class="filled rim" x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="(\d+)"/g),
        ];
        const boxes = pods.map(([, ...numbers]) => {
          const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
          return { text: "a pod", box: { x, y, width, height } };
        });
        assert.ok(labels.length >= 3 && boxes.length === count + 2);
        for (const [index, label] of labels.entries())
          for (const other of [...labels.slice(index + 1), ...boxes])
            assert.equal(overlap(label.box, other.box), 0, `${count} teams, ${status}: ${label.text} on ${other.text}`);
      }
    }
  });

  it("escapes whatever the cluster says", () => {
    const plain = reportPage(resultOf(3, "x")).replaceAll(/[^<>]/g, "");
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom("<script>", "\"'&", "</title>", "]]>"), (one, other) => {
        assert.equal(reportPage(resultOf(3, one + other)).replaceAll(/[^<>]/g, ""), plain);
      }),
      { numRuns: 30 },
    );
    assert.equal(
      html`<a title="${`"'<&>`}">${raw("<b>")}${[html`${1}`]}</a>`.text,
      '<a title="&quot;&#39;&lt;&amp;&gt;"><b>1</a>',
    );
  });
});

describe("connections", () => {
  it("group the rows of the same path, with the most severe result", () => {
    const ways = connectionsOf(resultOf(2).rows);
    const dns = ways.find((way) => way.from === "t0" && way.to === COREDNS && way.label.startsWith("DNS"));
    assert.equal(dns?.rows.length, 10);
    assert.equal(dns?.status, "fail");
    assert.ok(ways.some((way) => way.from === "t1" && way.to === LOGS));
    assert.ok(ways.some((way) => way.from === "t0" && way.to === "t0" && way.label.startsWith("curl")));
  });

  it("rank failure before warning before success", () => {
    assert.equal(worst(["pass", "skip", "warn", "fail"]), "fail");
    assert.equal(worst(["pass", "skip", "warn"]), "warn");
    assert.equal(worst(["skip", "pass"]), "pass");
    assert.equal(worst([]), "skip");
  });
});

describe("a line between two boxes", () => {
  const box = fc.record({ x: fc.integer({ min: 0, max: 400 }), y: fc.integer({ min: 0, max: 400 }) });

  it("starts and ends at the edges, and does not overlap the line of the other direction", () => {
    fc.assert(
      fc.property(box, box, fc.integer({ min: 1, max: 15 }), (one, other, offset) => {
        const from = { ...one, width: 100, height: 60 };
        const to = { x: other.x + 600, y: other.y, width: 100, height: 60 };
        const there = between(from, to, offset);
        const back = between(to, from, offset);
        for (const [point, rim] of [
          [there.start, from],
          [there.end, to],
        ] as const) {
          const onSide = near(point.x, rim.x) || near(point.x, rim.x + rim.width);
          const onLevel = near(point.y, rim.y) || near(point.y, rim.y + rim.height);
          assert.ok(onSide || onLevel);
        }
        // The same offset is the same line, whichever end it starts from; another offset is another line.
        assert.ok(near(there.start.x, back.end.x) && near(there.start.y, back.end.y));
        assert.ok(
          !near(between(to, from, -offset).end.y, there.start.y) ||
            !near(between(to, from, -offset).end.x, there.start.x),
        );
      }),
    );
  });
});

function near(one: number, other: number): boolean {
  return Math.abs(one - other) < 1e-6;
}
