import assert from "node:assert/strict";
import { droppedTimes } from "../../../../components/logging/processing/processing.ts";

describe("The times of a sample", () => {
  it("are dropped from a number of microseconds on, and kept if they have none", () => {
    const times = Array.from({ length: 1000 }, (_, at) => `2026-02-01T10:00:00.123${String(at).padStart(3, "0")}789Z`);
    for (const kept of [1, 7, 9, 10, 99, 100, 250, 333, 501, 900, 990, 999]) {
      const drops = new RegExp(droppedTimes(kept));
      const found = times.map((time) => drops.test(time));
      const expected = times.map((_, at) => at >= kept);
      assert.deepEqual(found, expected, String(kept));
      assert.deepEqual(
        ["2026-02-01T10:00:59Z", "2026-02-01T10:00:59.999Z"].map((time) => drops.test(time)),
        [false, false],
      );
    }
  });
});
