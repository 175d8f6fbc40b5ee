import assert from "node:assert/strict";
import { PATTERNS } from "../../corefile/go-patterns.ts";
import { complaints, describeReal } from "./real-coredns.ts";

describeReal("regular expressions of the real CoreDNS", () => {
  it("are those that the model accepts", async () => {
    const said = await complaints(PATTERNS.map(([pattern]) => `rewrite name regex ${pattern} b`));
    assert.deepEqual(
      PATTERNS.map(([pattern], index) => [pattern, said[index] === undefined]),
      PATTERNS,
    );
  });
});
