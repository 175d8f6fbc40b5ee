import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";

describe("the tests", () => {
  it("have no hook outside of a describe, which would skip every other file when it skips", () => {
    const found = globSync("test/**/*.test.ts").filter((file) => /^before(Each)?\(/m.test(readFileSync(file, "utf8")));
    assert.deepEqual(found, []);
  });
});
