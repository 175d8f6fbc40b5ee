import assert from "node:assert/strict";
import { configurations, cpuTable } from "../../tools/bench/line-cost.ts";
import { criLine, LINE_BYTES, totalOf } from "../../tools/bench/line-cost-node.ts";

describe("npm run bench:lines", () => {
  it("writes lines of one length, half of them JSON", () => {
    const lines = [0, 19].flatMap((container) => Array.from({ length: 500 }, (_, at) => criLine(container, at)));
    assert.deepEqual([...new Set(lines.map((line) => Buffer.byteLength(line)))], [LINE_BYTES]);
    const json = lines.filter((line) => {
      const text = line.replace(/^\S+ stdout F /, "");
      if (!text.startsWith("{")) return false;
      return typeof JSON.parse(text) === "object";
    });
    assert.equal(json.length, lines.length / 2);
  });

  it("compares configurations that read the same node and send to the same place", () => {
    for (const { name, files } of configurations()) {
      const text = files["fluent-bit.yaml"] ?? "";
      assert.match(text, /path: \/var\/log\/(pods|containers)\//, name);
      assert.match(text, /port: 9200\n/, name);
      assert.match(text, /name: kubernetes\n/, name);
    }
  });

  it("reads the instructions of all threads from callgrind's file", () => {
    assert.equal(totalOf("events: Ir\nsummary: 12\n\nfn=(1) main\n1 12\n\ntotals: 12\n"), 12);
    assert.throws(() => totalOf("events: Ir\n"), /no total/);
  });

  it("compares CPU times turn by turn, so that a slow turn does not count", () => {
    const rows = [
      { configuration: "one", runs: [40, 80, 42] },
      { configuration: "two", runs: [20, 40, 63] },
    ];
    const table = cpuTable("Fluent Bit v5.1.1", rows);
    assert.match(table, /^Fluent Bit v5\.1\.1, 1 MB\/s .* turns: 3\n/);
    assert.deepEqual(table.trimEnd().split("\n").slice(-2), [
      "| one | 42.0 | 40.0–80.0 | 1.00 |",
      "| two | 40.0 | 20.0–63.0 | 0.50 |",
    ]);
  });
});
