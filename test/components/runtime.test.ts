import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";

describe("the program's runtime", () => {
  // A process of its own, as other tests have imported the module already.
  const script = `Error.prepareStackTrace = () => "formatted by source-map-support";
    const before = new Error().stack;
    await import(${JSON.stringify(join(PROJECT_ROOT, "components", "runtime.ts"))});
    const { getCompileCacheDir } = await import("node:module");
    console.log(JSON.stringify([before, new Error("now").stack.split("\\n")[0], getCompileCacheDir() !== undefined]));`;

  it("formats stack traces itself, and keeps what it compiles", () => {
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    assert.deepEqual(JSON.parse(output), ["formatted by source-map-support", "Error: now", true]);
  });
});
