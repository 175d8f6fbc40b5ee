import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Prints the packages that come in with the settings. */
const PROGRAM = `
await import(${JSON.stringify(new URL("../../../components/settings.ts", import.meta.url).href)});
const { cache } = (await import("node:module")).createRequire(import.meta.url);
const names = Object.keys(cache).map((file) => /node_modules\\/(@pulumi\\/[^/]+(?:\\/index\\.js)?)/.exec(file)?.[1]);
console.log(JSON.stringify([...new Set(names)].filter(Boolean).sort()));
`;

describe("the settings", () => {
  it("load without the SDK and its providers, for which half of the commands need not wait", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", PROGRAM]);
    assert.deepEqual(JSON.parse(stdout), ["@pulumi/pulumi"]);
  });
});
