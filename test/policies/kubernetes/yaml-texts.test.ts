import assert from "node:assert/strict";
import { once } from "node:events";
import { sinksIn } from "../../../policies/readers/collector-sinks.ts";

describe("YAML in a ConfigMap", () => {
  it("causes no parser warnings, even as an unrendered template", async () => {
    const warnings: Error[] = [];
    const collect = (warning: Error) => warnings.push(warning);
    process.on("warning", collect);
    try {
      assert.deepEqual(sinksIn("{ PROJECT_ID }: 1\nclients: {{ .Values.clients }}\n"), []);
      // A later warning is the last that may arrive.
      process.emitWarning("the end");
      await once(process, "warning");
    } finally {
      process.off("warning", collect);
    }
    assert.deepEqual(
      warnings.map(({ message }) => message),
      ["the end"],
    );
  });
});
