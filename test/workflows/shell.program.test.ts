import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { PROJECT_FOLDER } from "../docs/markdown.ts";
import { stepOf } from "./workflows.ts";

const run = promisify(execFile);
const Manifest = z.object({ version: z.string() });
const Sbom = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z.array(z.object({ name: z.string() })),
});

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs shell text as GitHub's runner does, with programs of the test's own first on the PATH. */
async function shell(
  script: string,
  {
    folder,
    env = {},
    programs = {},
  }: { folder: string; env?: Record<string, string>; programs?: Record<string, string> },
): Promise<Outcome> {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const options = { cwd: folder, env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, ...env } };
  try {
    const { stdout, stderr } = await run("bash", ["-e", "-c", script], options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && "stdout" in error && "stderr" in error);
    return { code: Number(error.code), output: `${error.stdout}${error.stderr}` };
  }
}

describe("the shell of the workflows", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "workflow-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const script = (workflow: string, job: string, name?: string) => stepOf(workflow, job, name).run ?? "";

  it("keeps what a failed preview printed, and fails", async () => {
    const programs = { pulumi: 'echo "[mandatory] cluster-logs"; exit 255' };
    const failed = await shell(script("preview", "engine", "Preview"), { folder, env: { STACK: "dev" }, programs });
    assert.equal(failed.code, 255);
    assert.equal(await readFile(join(folder, "preview/engine-dev.txt"), "utf8"), "[mandatory] cluster-logs\n");
    assert.equal(await readFile(join(folder, "preview/engine-dev.failed"), "utf8"), "");
  });

  it("marks no preview as failed that passed", async () => {
    const passed = await shell(script("preview", "engine", "Preview"), {
      folder,
      env: { STACK: "dev" },
      programs: { pulumi: "echo fine" },
    });
    assert.deepEqual(passed, { code: 0, output: "fine\n" });
    await assert.rejects(readFile(join(folder, "preview/engine-dev.failed")));
  });

  it("lets a pull request pass where the engine's job is skipped, and not where a job failed", async () => {
    const outcome = async (OFFLINE: string, ENGINE: string) =>
      (await shell(script("preview", "result"), { folder, env: { OFFLINE, ENGINE } })).code;
    assert.equal(await outcome("success", "success"), 0);
    assert.equal(await outcome("success", "skipped"), 0);
    for (const [offline, engine] of [
      ["failure", "success"],
      ["skipped", "success"],
      ["success", "failure"],
      ["success", "cancelled"],
    ] as const)
      assert.equal(await outcome(offline, engine), 1, `${offline} ${engine}`);
  });

  it("deploys no commit that newer code has replaced, and one that only docs have", async () => {
    const outcome = (files: string) =>
      shell(script("deploy-stack", "deploy", "Stop if main has moved on"), {
        folder,
        env: { GITHUB_SHA: "abc", GITHUB_REPOSITORY: "o/r" },
        programs: { gh: `printf '${files}'` },
      });
    assert.equal((await outcome("")).code, 0);
    assert.equal((await outcome("docs/dns.md\\nREADME.md\\n")).code, 0);
    const stopped = await outcome("README.md\\nindex.ts\\n");
    assert.equal(stopped.code, 1);
    assert.match(stopped.output, /^index\.ts\nmain has changed these files since abc/);
  });

  it("does not deploy where the API does not answer", async () => {
    const outcome = await shell(script("deploy-stack", "deploy", "Stop if main has moved on"), {
      folder,
      env: { GITHUB_SHA: "abc", GITHUB_REPOSITORY: "o/r" },
      programs: { gh: "exit 4" },
    });
    assert.equal(outcome.code, 4);
  });

  it("fails where the deployment fails, although its output goes through a pipe", async () => {
    const outcome = await shell(script("deploy-stack", "deploy", "Preview, then update"), {
      folder,
      env: { STACK: "dev", GITHUB_SHA: "abc" },
      programs: { pulumi: "echo partly; exit 3" },
    });
    assert.deepEqual(outcome, { code: 3, output: "partly\n" });
    assert.equal(await readFile(join(folder, "deployment.txt"), "utf8"), "partly\n");
  });

  it("packs a release with its SBOM, checksums and notes", async () => {
    const clone = join(folder, "clone");
    await run("git", ["clone", "--quiet", "--depth", "1", `file://${PROJECT_FOLDER}`, clone]);
    const { version } = Manifest.parse(JSON.parse(await readFile(join(clone, "package.json"), "utf8")));
    const built = await shell(script("release", "publish", "Build the archive, its SBOM, checksums and notes"), {
      folder: clone,
      env: { GITHUB_REF_NAME: `v${version}` },
    });
    assert.equal(built.code, 0, built.output);
    const name = `eks-dns-logging-${version}`;
    const { stdout: files } = await run("tar", ["--list", "--file", join(clone, `dist/${name}.tar.gz`)]);
    assert.ok(files.split("\n").includes(`${name}/package.json`));
    const sbom = Sbom.parse(JSON.parse(await readFile(join(clone, `dist/${name}.cdx.json`), "utf8")));
    assert.ok(sbom.components.some((component) => component.name === "@pulumi/pulumi"));
    assert.deepEqual((await readFile(join(clone, "dist/SHA256SUMS"), "utf8")).match(/\S+$/gm), [
      `${name}.cdx.json`,
      `${name}.tar.gz`,
    ]);
    assert.match(await readFile(join(clone, "notes.md"), "utf8"), /\w/);
  });

  it("reports drift where pulumi refresh finds some, and a clean stack where it does not", async () => {
    const detect = (program: string) =>
      shell(`rm -rf drift\n${script("drift", "detect", "Detect drift")}`, {
        folder,
        env: { STACK: "dev" },
        programs: { pulumi: program },
      });
    assert.equal((await detect("echo differs; exit 255")).code, 255);
    assert.equal(await readFile(join(folder, "drift/dev.txt"), "utf8"), "differs\n");
    assert.equal((await detect("echo same")).code, 0);
    assert.equal(await readFile(join(folder, "drift/dev.clean"), "utf8"), "same\n");
  });
});
