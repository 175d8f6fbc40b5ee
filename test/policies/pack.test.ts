import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { PROJECT_ROOT } from "../../lab/command-line.ts";

const PACK = join(PROJECT_ROOT, "policies");

describe("the folder of the policy pack", () => {
  it("imports only its own files and the packages in its package.json", async () => {
    const { dependencies }: { dependencies: object } = JSON.parse(await readFile(join(PACK, "package.json"), "utf8"));
    const allowed = Object.keys(dependencies);
    const files = await readdir(PACK, { recursive: true });
    const wrong: string[] = [];
    for (const file of files.filter((name) => /\.[jt]s$/.test(name) && !name.includes("node_modules"))) {
      const text = await readFile(join(PACK, file), "utf8");
      for (const [, target = ""] of text.matchAll(/^(?:import|export)\s(?:[^"';=(]*?\sfrom\s)?"([^"]+)"/gm)) {
        const isInside =
          target.startsWith(".") && !relative(PACK, resolve(PACK, dirname(file), target)).startsWith("..");
        const isNamed = allowed.some((name) => target === name || target.startsWith(`${name}/`));
        if (!isInside && !isNamed && !target.startsWith("node:")) wrong.push(`${file} imports ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("reports which Node it needs if the one on the PATH cannot run TypeScript", async () => {
    const run = promisify(execFile)(process.execPath, ["--no-strip-types", "main.js"], { cwd: PACK });
    await assert.rejects(run, /needs a Node that runs TypeScript, 22\.18 or newer, first on the PATH; this is v\d+/);
  });
});
