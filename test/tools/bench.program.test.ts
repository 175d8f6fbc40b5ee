import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { objectsOf } from "../../tools/bench/cluster-bench.ts";
import {
  BENCH_FILE,
  type BenchRow,
  benchOf,
  formatBench,
  goalsOf,
  measure,
  measureStages,
  ROW,
  type Sample,
  summarize,
  TEAM_COUNTS,
  teamsOf,
  withBench,
  withTeamFiles,
} from "../../tools/bench/suite.ts";
import { runProgram } from "../support/run-lab.ts";

const samples = (...seconds: number[]): Sample[] =>
  seconds.map((each, index) => ({ seconds: each, peakMb: 100 + index }));
const row = (name: string, seconds: number, resources?: number): BenchRow => {
  const measured = summarize(name, samples(seconds));
  return resources === undefined ? measured : { ...measured, count: resources, of: "resources" };
};

describe("measurements", () => {
  it("take the middle run, or the mean of the two in the middle", () => {
    assert.deepEqual(summarize("odd", samples(3, 1, 2)), {
      name: "odd",
      runs: 3,
      seconds: { median: 2, min: 1, max: 3 },
      peakMb: 102,
    });
    assert.equal(summarize("even", samples(4, 1, 2, 3)).seconds.median, 2.5);
  });

  it("cover whole processes, with the peak memory of their children", async () => {
    const once = { runs: 1, warm: false };
    const quick = await measure("quick", ["node", "--eval", ""], once);
    // More than this process has itself: what it starts counts as having had that before it became a program of its own.
    const child = 'require("child_process").execFileSync(process.execPath, ["--eval", "Buffer.alloc(500e6, 1)"])';
    const big = await measure("big", ["node", "--eval", child], once);
    assert.ok(quick.seconds.median > 0.005 && quick.seconds.median < 5);
    assert.ok(quick.peakMb > 10 && big.peakMb > quick.peakMb + 100, `${big.peakMb} MB and ${quick.peakMb} MB`);
  });

  it("fail if the program fails, with its error", async () => {
    const broken = ["node", "--eval", 'console.error("no such thing"); process.exit(3)'] as const;
    await assert.rejects(measure("broken", broken, { runs: 1, warm: false }), /exit code 3\nno such thing/);
  });

  it("time the stages of a plan, which do not overlap", async () => {
    await withTeamFiles([2], async (files) => {
      const parts = await measureStages("2 teams", files.get(2) ?? "", 1);
      assert.deepEqual(
        parts.map(({ name }) => name),
        ["2 teams: settings", "2 teams: the program", "2 teams: policies"],
      );
      for (const { seconds, peakMb } of parts) assert.ok(seconds.median > 0 && seconds.median < 10 && peakMb > 50);
    });
  });
});

describe("the goals of the bench", () => {
  const rows = [
    row("importing the Pulumi packages", 0.5),
    row("lab plan, stack dev", 0.9, 80),
    row("lab plan, 2 teams", 1, 37),
    row("lab plan, 200 teams", 2, 2611),
    row("lab plan, 1,000 teams", 6.1, 13_011),
    row("npm run test:unit", 9),
  ];
  const met = (changed: BenchRow) =>
    goalsOf(rows.map((each) => (each.name === changed.name ? changed : each))).map((goal) => goal.met);

  it("are met or not, each by its own row", () => {
    assert.deepEqual(
      goalsOf(rows).map(({ found }) => found),
      ["1.80 times", "6.1 s, 100 MB", "1 %", "9.0 s"],
    );
    assert.deepEqual(met(row("", 0)), [true, true, true, true]);
    assert.deepEqual(met(row("lab plan, stack dev", 1.1)), [false, true, true, true]);
    assert.deepEqual(met(row("lab plan, 1,000 teams", 31, 13_011)), [true, false, false, true]);
    assert.deepEqual(met({ ...row("lab plan, 1,000 teams", 6.1, 13_011), peakMb: 1100 }), [true, false, true, true]);
    assert.deepEqual(met(row("lab plan, 200 teams", 1.5, 2611)), [true, true, false, true]);
    assert.deepEqual(met(row("npm run test:unit", 10.5)), [true, true, true, false]);
  });

  it("are omitted if their rows are missing", () => {
    assert.deepEqual(goalsOf([]), []);
  });
});

describe("the bench", () => {
  it("renders Markdown, with the time per item", () => {
    const document = {
      node: "v24.0.0",
      cores: 2,
      rows: [{ ...summarize("plan", samples(1, 2, 3)), count: 1000, of: "resources" as const }, row("empty", 0.04)],
      goals: [{ goal: "fast", found: "1 s", met: true }],
      forms: [
        { form: "a", asked: "b", ndots: 5, queries: 2, again: 0, milliseconds: 1, found: true },
        { form: "a", asked: "b", ndots: 3, queries: 2, again: 0, milliseconds: 1, found: true },
      ],
    };
    assert.equal(
      formatBench(document),
      `Median of 3 runs, Node v24.0.0, 2 cores.

| what | median | min–max | peak memory | makes | each |
|---|---|---|---|---|---|
| plan | 2.00 s | 1.00–3.00 | 102 MB | 1,000 resources | 2.0 ms |
| empty | 0.04 s | 0.04–0.04 | 100 MB |  |  |

| goal | found | met |
|---|---|---|
| fast | 1 s | yes |

What a name costs a pod, with ndots 5, 3, 2:

| name | asked in | ndots 5 | ndots 3 | ndots 2 |
|---|---|---|---|---|
| \`a\` | b | 2 queries, 1.00 ms | 2 queries, 1.00 ms |  |
`,
    );
    assert.doesNotMatch(formatBench({ ...document, goals: [], forms: [] }), /goal|name costs/);
  });

  it("writes its tables into their place on the page, repeatedly", async () => {
    const page = await readFile(join(PROJECT_ROOT, BENCH_FILE), "utf8");
    const once = withBench(page, "| a |\n");
    assert.equal(benchOf(once), "\n| a |\n\n");
    assert.equal(withBench(once, "| a |\n"), once);
    assert.throws(() => withBench("# no place\n", ""), /speed\.md has no place for the tables/);
  });

  it("has the rows of start-up and of each number of teams on the page, compared with the goals", async () => {
    const tables = benchOf(await readFile(join(PROJECT_ROOT, BENCH_FILE), "utf8")) ?? "";
    const names = ["an empty program", ROW.imports, ROW.plan, ...TEAM_COUNTS.map(ROW.teams)];
    for (const name of names) assert.match(tables, new RegExp(`^\\| ${name} \\| [\\d.]+ s `, "m"), name);
    assert.ok([...tables.matchAll(/^\| .* \| (yes|no) \|$/gm)].length >= 3);
  });

  it("plans teams in a ring, each with its neighbours", () => {
    assert.deepEqual(teamsOf(2), [
      { name: "bench-0", peers: ["bench-1"] },
      { name: "bench-1", peers: ["bench-0"] },
    ]);
    assert.deepEqual(teamsOf(1000)[0], { name: "bench-0", peers: ["bench-999", "bench-1"] });
  });

  it("deploys only the teams' own objects, and nothing that may exist already", async () => {
    const objects = await withTeamFiles([2], (files) => objectsOf(files.get(2) ?? "", new Set(["bench-1-team"])));
    assert.equal(objects.length, 11);
    assert.equal(objects[0]?.kind, "Namespace");
    assert.deepEqual([...new Set(objects.slice(1).map(({ metadata }) => metadata?.namespace))], ["bench-1-team"]);
  });

  it("says in one line which context is missing, before it measures anything", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
    const kubeconfig = join(folder, "config");
    await writeFile(kubeconfig, "apiVersion: v1\nkind: Config\ncontexts: []\n");
    const run = await runProgram("tools/bench/index.ts", ["--context", "nowhere", "--kubeconfig", kubeconfig]);
    await rm(folder, { recursive: true });
    assert.deepEqual([run.exitCode, run.stdout], [2, ""]);
    assert.match(run.stderr, /no context 'nowhere' in .*; it has no contexts\n$/);
  });
});

describe("npm run bench:lines", () => {
  it("says which program is missing", async () => {
    const { exitCode, stderr } = await runProgram("tools/bench/line-cost.ts", [], { PATH: "", FLUENT_BIT_BINARY: "" });
    assert.equal(exitCode, 2);
    assert.match(stderr, /no fluent-bit on the PATH or in FLUENT_BIT_BINARY/);
  });
});
