import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { PROJECT_ROOT } from "../../../lab/command-line.ts";
import { MARKER } from "../../../lab/diff/diff-report.ts";
import { Project } from "./project.ts";

/** What the command line and the program are made of. */
const PARTS = ["lab", "components", "policies", "index.ts", "package.json", "package-lock.json", "Pulumi.local.yaml"];

describe("lab diff, as a command", () => {
  let project: Project;
  before(async () => {
    project = await Project.create();
    await Promise.all(
      PARTS.map((part) => cp(join(PROJECT_ROOT, part), join(project.folder, part), { recursive: true })),
    );
    await symlink(join(PROJECT_ROOT, "node_modules"), join(project.folder, "node_modules"), "junction");
    await project.write(".gitignore", "node_modules\n");
    await project.commit();
    const stack = await readFile(join(project.folder, "Pulumi.local.yaml"), "utf8");
    await project.write("Pulumi.local.yaml", stack.replaceAll("name: ts,", "name: tx,").replaceAll("[ts]", "[tx]"));
  });
  after(() => project.remove());
  afterEach(async () => assert.deepEqual(await project.checkouts(), []));

  function start(...args: readonly string[]) {
    const child = spawn(process.execPath, ["lab/main.ts", "diff", ...args], { cwd: project.folder, stdio: "pipe" });
    return { child, done: Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]) };
  }

  it("compares the working tree with a branch", async () => {
    const [markdown, stderr, [code]] = await start("main", "--stack", "local", "--markdown").done;
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "planning stack local …\n");
    assert.ok(markdown.startsWith(`${MARKER}\n`));
    assert.match(markdown, /^> - \*\*namespace ts-team would be replaced by tx-team: .*\*\* \(stack local\)$/m);
  });

  it("removes its checkouts after Ctrl-C", async () => {
    const { child, done } = start("main", "main");
    await once(child.stderr, "data");
    child.kill("SIGINT");
    const [, stderr, [code]] = await done;
    assert.equal(code, 130);
    assert.match(stderr, /stopped; temporary checkouts removed/);
  });

  it("reports in one line what it cannot find", async () => {
    const [, stderr, [code]] = await start("nowhere").done;
    assert.equal(code, 2);
    assert.match(stderr, /^unknown revision 'nowhere': .+\n$/);
  });
});
