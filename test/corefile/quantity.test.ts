import assert from "node:assert/strict";
import { quantity } from "eks-dns-logging-corefile/quantity";

describe("a Kubernetes quantity", () => {
  it("is parsed in each form that Kubernetes accepts", () => {
    const forms: Readonly<Record<string, number>> = {
      "170Mi": 178257920,
      "1.5Gi": 1610612736,
      "100m": 0.1,
      "250u": 0.00025,
      "1": 1,
      ".5": 0.5,
      "5.": 5,
      "-1": -1,
      "2k": 2000,
      "1e3": 1000,
      "1E3": 1000,
      "2E-1": 0.2,
      "1E": 1e18,
    };
    for (const [text, number] of Object.entries(forms)) assert.equal(quantity(text), number, text);
  });

  it("is undefined if Kubernetes rejects it", () => {
    for (const text of ["", "lots", "1K", "1ki", "1 Mi", "1.2.3", "Mi", "1e", "1e3Mi", "0x10"])
      assert.equal(quantity(text), undefined, text);
  });
});
