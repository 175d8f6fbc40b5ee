import assert from "node:assert/strict";
import { droppedTimes, keptTimes } from "../../../../components/logging/collectors/sample-times.ts";

describe("The times of a sample", () => {
  it("are those whose microseconds are below a number, and all others are dropped", () => {
    const times = Array.from({ length: 1000 }, (_, at) => `2026-02-01T10:00:00.123${String(at).padStart(3, "0")}789Z`);
    for (const kept of [1, 7, 9, 10, 99, 100, 250, 333, 501, 900, 990, 999]) {
      const [keeps, drops] = [new RegExp(keptTimes(kept)), new RegExp(droppedTimes(kept))];
      const found = times.map((time) => [keeps.test(time), drops.test(time)]);
      const expected = times.map((_, at) => [at < kept, at >= kept]);
      assert.deepEqual(found, expected, String(kept));
    }
  });
});
