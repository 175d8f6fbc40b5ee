import assert from "node:assert/strict";
import { formatBench } from "../../lab/bench/command.ts";
import { measure, summarize } from "../../lab/bench/measure.ts";

const samples = (...seconds: number[]) => seconds.map((each, index) => ({ seconds: each, peakMb: 100 + index }));

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

  it("are of whole processes, with the memory that they had at most", async () => {
    const quick = await measure("quick", ["--eval", ""], { runs: 1, warm: false });
    const big = await measure("big", ["--eval", "Buffer.alloc(200e6, 1)"], { runs: 1, warm: false });
    assert.ok(quick.seconds.median > 0.005 && quick.seconds.median < 5);
    assert.ok(big.peakMb > quick.peakMb + 100, `${big.peakMb} MB and ${quick.peakMb} MB`);
  });

  it("fail where the program fails", async () => {
    await assert.rejects(measure("broken", ["--eval", "process.exit(3)"], { runs: 1, warm: false }), /exit code 3/);
  });

  it("become a Markdown table, with the time of a resource where some were planned", () => {
    const rows = [{ ...summarize("plan", samples(1, 2, 3)), resources: 100 }, summarize("empty", samples(0.04))];
    assert.equal(
      formatBench(rows),
      [
        "| what | median | min–max | peak memory | resources | a resource |",
        "|---|---|---|---|---|---|",
        "| plan | 2.00 s | 1.00–3.00 | 102 MB | 100 | 20.0 ms |",
        "| empty | 0.04 s | 0.04–0.04 | 100 MB |  |  |",
        "",
      ].join("\n"),
    );
  });
});
