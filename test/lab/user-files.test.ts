import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findServer } from "../../components/cluster/kubeconfig.ts";
import { readBaseFile } from "../../components/schema/extends.ts";
import { readManifestFiles, readState } from "../../lab/audit/object-files.ts";
import { writePlanFiles } from "../../lab/plan/manifests.ts";
import { readPackConfig } from "../../lab/plan/policy-report.ts";
import { readStack, readStackFile } from "../../lab/stack-file.ts";

describe("a path that the user names", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "files-"));
    execFileSync("sh", ["-c", `mkfifo "$0"`, join(folder, "pipe.yaml")]);
    await mkdir(join(folder, "Pulumi.folder.yaml"));
  });
  after(() => rm(folder, { recursive: true }));

  const readers: readonly [name: string, read: (path: string) => Promise<unknown>][] = [
    ["--config-file", (path) => readStackFile("x", path)],
    ["--policy-config", (path) => readPackConfig(path)],
    ["--manifests", (path) => readManifestFiles([path])],
    ["--state", (path) => readState(path)],
  ];
  for (const [name, read] of readers)
    it(`is refused by ${name} where its text would not end, or never come`, async () => {
      const pipe = join(folder, "pipe.yaml");
      await assert.rejects(read(pipe), {
        name: "Failure",
        message: `${pipe} is a named pipe, not a file`,
        exitCode: 2,
      });
      await assert.rejects(read("/dev/zero"), { message: "/dev/zero is a device, not a file", exitCode: 2 });
    });

  it("is accepted as a folder of manifests unless it is a named pipe", async () => {
    await assert.rejects(readManifestFiles([folder]), /^Failure: \S+pipe\.yaml is a named pipe, not a file$/);
  });

  it("differs from a stack that does not exist", async () => {
    await assert.rejects(readStack("folder", folder), /^Failure: \S+Pulumi\.folder\.yaml is a folder, not a file$/);
    await assert.rejects(readStack("none", folder), /^Failure: no stack 'none'/);
  });

  it("is refused as a kubeconfig and as a base file, too", () => {
    const pipe = join(folder, "pipe.yaml");
    assert.deepEqual(findServer({}, [pipe]), {
      setting: "kubeconfig",
      issue: `the kubeconfig ${pipe} is a named pipe, not a file`,
    });
    assert.deepEqual(readBaseFile("pipe.yaml", folder), {
      problem: "must be a YAML file, but is a named pipe: name a file, such as environments/prod.yaml",
    });
  });

  it("may be the pipe of a shell's <(command)", () => {
    const read = `import { readStackFile } from "./lab/stack-file.ts";
      const { config } = await readStackFile("x", process.argv[1]);
      console.log(config["eks-dns-logging:teams"]);`;
    const command = `node --input-type=module-typescript -e "$0" <(sleep 0.2; echo 'config: {teams: []}')`;
    assert.equal(execFileSync("bash", ["-c", command, read], { encoding: "utf8" }), "[]\n");
  });

  it("is rejected without delay as a folder for manifests if it cannot be created", async () => {
    const link = join(folder, "unmounted");
    await symlink(join(folder, "nowhere"), link);
    await assert.rejects(writePlanFiles(join(link, "a", "b"), []), { code: "EEXIST" });
    if (existsSync("/proc/self")) await assert.rejects(writePlanFiles("/proc/manifests", []), { code: "ENOENT" });
    const made = join(folder, "a", "b", "c");
    await writePlanFiles(made, [{ path: "001-x.yaml", text: "x" }]);
    assert.equal(await readFile(join(made, "001-x.yaml"), "utf8"), "x");
  });

  it("may be a folder with much below it besides the manifests", async () => {
    const crowded = join(folder, "crowded");
    await mkdir(join(crowded, "other"), { recursive: true });
    await writeFile(join(crowded, "other", "001-mine.yaml"), "mine");
    await symlink("..", join(crowded, "other", "above"));
    await writePlanFiles(crowded, [{ path: "001-x.yaml", text: "x" }]);
    await writePlanFiles(crowded, []);
    assert.equal(existsSync(join(crowded, "001-x.yaml")), false);
    assert.equal(await readFile(join(crowded, "other", "001-mine.yaml"), "utf8"), "mine");
  });
});
