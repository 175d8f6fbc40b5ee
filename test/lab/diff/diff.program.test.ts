import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../../lab/command-line.ts";
import { type Diff, diff, fails } from "../../../lab/diff/diff.ts";
import { run } from "../../../lab/process.ts";
import { Project } from "./project.ts";
import { namespace, plan } from "./resources.ts";

/** What each stack's comparison says, short. */
function told(result: Diff): string[] {
  return result.stacks.map((stack) =>
    "problem" in stack
      ? `${stack.stack}: ${stack.problem}`
      : `${stack.stack}: ${[...stack.notes, ...stack.comparison.changes.map(({ kind, outside }) => `${kind} ${outside}`)].join("; ")}`,
  );
}

describe("diff", () => {
  let project: Project;
  beforeEach(async () => {
    project = await Project.create();
  });
  afterEach(async () => {
    assert.deepEqual(await project.checkouts(), [], "a checkout was left");
    await project.remove();
  });

  it("compares the plans of two commits", async () => {
    await project.stack("dev", namespace("ts-team"));
    const base = await project.commit();
    await project.stack("dev", namespace("tx-team"));
    const head = await project.commit();
    const result = await project.diff("HEAD^1", "main");
    assert.deepEqual(
      [result.base, result.head],
      [
        { revision: "HEAD^1", commit: base },
        { revision: "main", commit: head },
      ],
    );
    assert.deepEqual(told(result), ["dev: replaced tx-team"]);
    assert.equal(fails(result), false);
  });

  it("takes a dot for the working tree, with uncommitted changes", async () => {
    await project.stack("dev", namespace("ts-team"));
    await project.commit();
    await project.stack("dev", namespace("ts-team"), namespace("sa-team", { team: "sa" }));
    const result = await project.diff("main", ".");
    assert.equal(result.head.commit, null);
    assert.deepEqual(told(result), ["dev: added sa-team"]);
  });

  it("finds the project in a folder of the repository", async () => {
    const inner = await Project.create("deploy/aws");
    try {
      await inner.stack("dev", namespace("ts-team"));
      await inner.commit();
      await inner.stack("dev");
      await inner.commit();
      assert.deepEqual(told(await inner.diff("HEAD~1", "HEAD")), ["dev: deleted ts-team"]);
    } finally {
      await rm(join(inner.folder, "..", ".."), { recursive: true });
    }
  });

  it("reports everything as new if base lacks the stack, or predates the plan", async () => {
    await project.write("README.md", "nothing yet\n");
    await project.write("Pulumi.old.yaml", "config: {}\n");
    await project.commit();
    await project.stack("dev", namespace("ts-team"));
    await project.stack("old", namespace("ts-team"));
    await project.commit();
    assert.deepEqual(told(await project.diff("HEAD^1", "HEAD")), [
      "dev: HEAD^1 has no such stack: everything is new; added ts-team",
      "old: HEAD^1 is older than lab plan: everything is new; added ts-team",
    ]);
  });

  it("compares the stacks of head, or the requested ones", async () => {
    await project.stack("dev", namespace("ts-team"));
    await project.stack("gone", namespace("ts-team"));
    await project.commit();
    await project.git("rm", "--quiet", "Pulumi.gone.yaml");
    await project.commit();
    const result = await project.diff("HEAD^1", "HEAD");
    assert.deepEqual(told(result), ["dev: "]);
    assert.deepEqual(result.notes, [
      "stack gone no longer has a file: its resources stay until you run 'pulumi destroy' for it",
    ]);
    assert.deepEqual(told(await project.diff("HEAD^1", "HEAD", { stacks: ["gone"] })), [
      "gone: HEAD has no such stack: everything is removed; deleted ts-team",
    ]);
    await assert.rejects(
      project.diff("HEAD^1", "HEAD", { stacks: ["prod"] }),
      new Failure("no stack 'prod' in either revision; found: dev, gone", 2),
    );
  });

  it("shows the error of a head that cannot be planned, and fails", async () => {
    await project.stack("dev", namespace("ts-team"));
    await project.commit();
    await project.write(
      "dev.fails",
      'Invalid configuration (1 error), nothing was changed\n  teams[0].name: must be unique (found "X")\n',
    );
    await project.commit();
    const result = await project.diff("HEAD^1", "HEAD");
    assert.deepEqual(told(result), [
      'dev: Invalid configuration (1 error), nothing was changed\n  teams[0].name: must be unique (found "X")',
    ]);
    assert.equal(fails(result), true);
    assert.deepEqual(told(await project.diff("HEAD", "HEAD^1")), [
      'dev: HEAD cannot be planned, so everything in head appears as new: Invalid configuration (1 error), nothing was changed\n  teams[0].name: must be unique (found "X"); added ts-team',
    ]);
  });

  it("says that a plan cannot be read", async () => {
    await project.stack("dev");
    await project.write("dev.plan.json", '{"resources": 1}');
    await project.commit();
    assert.deepEqual(told(await project.diff("HEAD", ".")), ["dev: lab plan prints no readable plan"]);
  });

  it("fails if head violates a mandatory policy, or leaves one undecided", async () => {
    const policies = [{ rule: "quota", level: "mandatory", outcome: "undecided", message: "cannot tell" }];
    await project.stack("dev");
    await project.commit();
    await project.write("dev.plan.json", JSON.stringify({ ...plan(), policies: { findings: policies } }));
    assert.equal(fails(await project.diff("main", ".")), true);
    const advisory = policies.map((finding) => ({ ...finding, level: "advisory" }));
    await project.write("dev.plan.json", JSON.stringify({ ...plan(), policies: { findings: advisory } }));
    assert.equal(fails(await project.diff("main", ".")), false);
  });

  it("uses the installed packages if the lock file is the same", async () => {
    await project.stack("dev");
    await project.write(".gitignore", "node_modules/\n");
    await project.write("package.json", '{"type":"module"}');
    await project.write("package-lock.json", "{}");
    await project.write("node_modules/word/package.json", '{"name":"word","type":"module","exports":"./index.js"}');
    await project.write("node_modules/word/index.js", 'export const word = "from node_modules";');
    await project.write("lab/main.ts", 'import { word } from "word"; process.stderr.write(word);');
    await project.commit();
    const steps: string[] = [];
    const result = await project.diff("main", "main", { onStep: (step) => steps.push(step) });
    assert.deepEqual(told(result), ["dev: from node_modules"]);
    assert.deepEqual(steps, ["planning stack dev"]);
  });

  it("installs the packages of a revision with another lock file, and shows npm's error in one line", async () => {
    await project.stack("dev");
    // Without any lock file npm asks no registry.
    await project.write("package.json", '{"name":"p","version":"1.0.0"}');
    await project.commit();
    await project.write("package-lock.json", "{}");
    const steps: string[] = [];
    await assert.rejects(project.diff("main", ".", { onStep: (step) => steps.push(step) }), (error: unknown) => {
      assert.ok(error instanceof Failure);
      assert.match(
        error.message,
        /^npm ci --ignore-scripts --no-audit --no-fund --loglevel=error failed at main: .*can only install with an existing package-lock/,
      );
      assert.ok(!error.message.includes("\n"));
      return true;
    });
    assert.deepEqual(steps, ["installing the packages of main, whose lock file differs"]);
  });

  it("removes the checkouts if it is stopped", async () => {
    await project.stack("dev");
    await project.write("lab/main.ts", "setTimeout(() => undefined, 60_000);");
    await project.commit();
    const stop = new AbortController();
    const onStep = () => setTimeout(() => stop.abort(), 50);
    await assert.rejects(project.diff("main", "main", { onStep }, stop.signal), { name: "AbortError" });
  });

  it("reports in one line which revision does not exist", async () => {
    await project.stack("dev");
    await project.commit();
    for (const revision of ["nope", "--all", "HEAD~5", ""]) {
      await assert.rejects(project.diff(revision, "HEAD"), (error: unknown) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.exitCode, 2);
        assert.ok(error.message.startsWith(`unknown revision '${revision}': `), error.message);
        return true;
      });
    }
  });

  it("says how to trust a repository of another user, as in a CI container", async () => {
    const folder = await mkdtemp(join(tmpdir(), "foreign-git-"));
    process.env.GIT_TEST_ASSUME_DIFFERENT_OWNER = "1";
    try {
      await run("git", ["init", "--quiet"], { cwd: folder, env: { GIT_TEST_ASSUME_DIFFERENT_OWNER: undefined } });
      const { signal } = new AbortController();
      const options = { base: "main", head: ".", stacks: [], project: folder, signal, onStep: () => undefined };
      const message = `Git refuses ${folder}, which belongs to another user: allow it with git config --global --add safe.directory ${folder}`;
      await assert.rejects(diff(options), new Failure(message, 2));
    } finally {
      delete process.env.GIT_TEST_ASSUME_DIFFERENT_OWNER;
      await rm(folder, { recursive: true });
    }
  });

  it("says so outside of a repository", async () => {
    const folder = await mkdtemp(join(tmpdir(), "no-git-"));
    try {
      const { signal } = new AbortController();
      const options = { base: "main", head: ".", stacks: [], project: folder, signal, onStep: () => undefined };
      await assert.rejects(diff(options), new Failure(`${folder} is not in a Git repository`, 2));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
