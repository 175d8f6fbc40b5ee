import assert from "node:assert/strict";
import { startOf } from "../../corefile/setups/starts.ts";
import { inBlock } from "../../tools/coredns/verdicts.ts";
import { JUDGED_LINES } from "./judged-lines.ts";

describe("an option of CoreDNS 1.15.0", () => {
  for (const [line, verdict] of JUDGED_LINES)
    it(`is checked as CoreDNS judges ${line}`, () => {
      const { errors } = startOf(inBlock(line), { coredns: [1, 15, 0], isAddon: true });
      assert.equal(errors.length === 0 ? "y" : "n", verdict, errors.join());
    });
});
