import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { PROJECT_FOLDER } from "../docs/markdown.ts";

const run = promisify(execFile);
const read = (name: string) => readFile(join(PROJECT_FOLDER, name), "utf8");

describe("npm run commits", () => {
  it("fails on a branch's commit that breaks it, and ignores commits of its base", async () => {
    const folder = await mkdtemp(join(tmpdir(), "commits-"));
    try {
      const git = (...args: string[]) =>
        run("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: folder });
      const check = () =>
        run(process.execPath, [join(PROJECT_FOLDER, "tools/release/commits.ts"), "main"], { cwd: folder });
      const commit = (subject: string) => git("commit", "--allow-empty", "--quiet", "--message", subject);
      await git("init", "--quiet", "--initial-branch", "main");
      await commit("An old subject on the base");
      await git("switch", "--quiet", "--create", "topic");
      await commit("feat(lab): something new");
      assert.equal((await check()).stdout, "1 commit subjects since main, 0 invalid\n");
      await commit("Planted offence");
      await assert.rejects(check, /"Planted offence": must be "type\(scope\): subject"/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("npm run release:notes", () => {
  it("is possible with the current version", async () => {
    const versionOf = async (file: string) =>
      z.object({ version: z.string() }).parse(JSON.parse(await read(file))).version;
    const version = await versionOf("package.json");
    assert.equal(await versionOf("library/package.json"), version);
    assert.equal(await versionOf("library/schema.json"), version);
    const { stdout } = await run(process.execPath, [join(PROJECT_FOLDER, "tools/release/notes.ts"), `v${version}`]);
    assert.ok(stdout.length > 10);
    await assert.rejects(run(process.execPath, [join(PROJECT_FOLDER, "tools/release/notes.ts"), "v0.0.0"]));
  });
});
