import assert from "node:assert/strict";
import { amount } from "../../../components/schema/values.ts";

describe("a quantity's amount", () => {
  it("is in cores or bytes, with decimal and binary units", () => {
    const amounts = {
      "2": 2,
      "500m": 0.5,
      "1.5": 1.5,
      "3k": 3000,
      "2M": 2e6,
      "1Ki": 1024,
      "128Mi": 2 ** 27,
      "0.5Gi": 2 ** 29,
      "1E": 1e18,
    };
    for (const [quantity, expected] of Object.entries(amounts)) assert.equal(amount(quantity), expected, quantity);
  });
});
