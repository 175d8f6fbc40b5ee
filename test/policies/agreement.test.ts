import assert from "node:assert/strict";
import fc from "fast-check";
import { indexIssue } from "../../policies/rules/programs/collectors-delivery.ts";
import { anyFormat } from "../components/logging/arbitraries.ts";

/** The pack imports nothing from the components, so what both know must be held together. */
describe("the pack and the components agree", () => {
  it("on index names: the pack rejects none that the settings accept", () => {
    fc.assert(
      fc.property(anyFormat, ({ prefix, separator }) => {
        assert.equal(indexIssue(prefix), undefined);
        assert.equal(indexIssue(`${prefix}${separator}%Y.%m.%d`), undefined);
      }),
    );
  });
});
