import assert from "node:assert/strict";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { x } from "tinyexec";
import { PROJECT_ROOT } from "../../lab/command-line.ts";

const COPIED = [
  ...["package.json", "knip.json", "tsconfig.json", "index.ts", "Pulumi.yaml", "Pulumi.local.yaml", ".mocharc.json"],
  ...["components", "corefile", "examples", "lab", "library", "policies", "test", "tools"],
];

describe("npm run unused", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "unused-"));
    const isSource = (path: string) => !/node_modules|library\/dist/.test(path);
    for (const name of COPIED)
      await cp(join(PROJECT_ROOT, name), join(folder, name), {
        recursive: true,
        filter: (path) => isSource(path.slice(PROJECT_ROOT.length)),
      });
    await symlink(join(PROJECT_ROOT, "node_modules"), join(folder, "node_modules"));
    await mkdir(join(folder, ".git"));
  });
  after(() => rm(folder, { recursive: true }));

  it("fails on an export that nobody imports, and on a dependency that nobody needs", async () => {
    await appendFile(join(folder, "components", "team", "team.ts"), "export const PLANTED = 1;\n");
    const manifest = join(folder, "package.json");
    const text = await readFile(manifest, "utf8");
    await writeFile(manifest, text.replace('"dependencies": {', '"dependencies": { "planted": "1.0.0",'));
    const { exitCode, stdout } = await x(process.execPath, ["node_modules/knip/bin/knip.js", "--no-progress"], {
      nodeOptions: { cwd: folder },
    });
    assert.equal(exitCode, 1, stdout);
    assert.match(
      stdout,
      /^Unused dependencies \(1\)\nplanted +package\.json.*\nUnused exports \(1\)\nPLANTED +components\/team\/team\.ts:\d+:\d+ *\n$/,
    );
  });
});
