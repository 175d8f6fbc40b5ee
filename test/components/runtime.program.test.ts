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

  it("loads what serializes functions and drives the CLI only when it is used", () => {
    const script = `await import(${JSON.stringify(join(PROJECT_ROOT, "components", "runtime.ts"))});
      const { automation } = await import("@pulumi/pulumi");
      const { cache } = (await import("node:module")).createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).filter((file) => /@npmcli.(?!arborist)|execa|typescript\\.js/.test(file)).length;
      const before = loaded();
      console.log(JSON.stringify([before, typeof automation.LocalWorkspace.create, loaded() > 0]));`;
    const options = { cwd: PROJECT_ROOT, encoding: "utf8" } as const;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], options);
    assert.deepEqual(JSON.parse(output), [0, "function", true]);
  });

  it("gives an ES module that drives the CLI what it imports, in whatever order", () => {
    const script = `await import(${JSON.stringify(join(PROJECT_ROOT, "components", "runtime.ts"))});
      const { LocalWorkspace, PulumiCommand } = await import("@pulumi/pulumi/automation/index.js");
      console.log(JSON.stringify([typeof LocalWorkspace.create, typeof PulumiCommand.get]));`;
    const options = { cwd: PROJECT_ROOT, encoding: "utf8" } as const;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], options);
    assert.deepEqual(JSON.parse(output), ["function", "function"]);
  });
});
