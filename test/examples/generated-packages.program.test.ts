import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { leaveOut } from "../support/leave-out.ts";

/** A Pulumi CLI such as `/opt/pulumi/bin/pulumi`, with its language hosts beside it. */
const COMMAND = process.env.PULUMI_COMMAND;

/** Types of a Go package that its fields name and that it does not declare; those of other packages have a point. */
function undeclared(text: string): string[] {
  const declared = new Set([...text.matchAll(/^type (\w+) /gm)].map(([, name]) => name));
  const named = [...text.matchAll(/^\t[A-Z]\w* (?:\[\]|\*|map\[string\])*([A-Z]\w*)(?= |$)/gm)].map(([, name]) => name);
  return [...new Set(named.filter((name) => name !== undefined && !declared.has(name)))].map(String).sort();
}

describe("the packages that Pulumi generates from the schema", function () {
  this.timeout(120_000);
  let folder = "";
  before(async function () {
    if (COMMAND === undefined) return leaveOut(this, "PULUMI_COMMAND names no Pulumi CLI");
    folder = await mkdtemp(join(tmpdir(), "packages-"));
    for (const language of ["go", "python"]) {
      const args = ["package", "gen-sdk", join(PROJECT_ROOT, "library/schema.json")];
      const env = { ...process.env, PATH: `${dirname(COMMAND)}:${process.env.PATH ?? ""}` };
      const options = { cwd: folder, env, encoding: "utf8" } as const;
      const result: SpawnSyncReturns<string> = spawnSync(
        COMMAND,
        [...args, "--language", language, "--out", folder],
        options,
      );
      assert.equal(result.status, 0, result.stderr);
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("have every type that they use in Go", async () => {
    const root = join(folder, "go/eksdnslogging");
    const packages = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    assert.ok(packages.length >= 5);
    for (const { name } of packages) {
      const files = (await readdir(join(root, name))).filter((file) => file.endsWith(".go"));
      const texts = await Promise.all(files.map((file) => readFile(join(root, name, file), "utf8")));
      assert.deepEqual(undeclared(texts.join("\n")), [], name);
    }
    assert.deepEqual(undeclared("type A struct {\n\tB []C `pulumi`\n\tD []A\n\tE *f.G\n}"), ["C"]);
  });

  it("import in Go what they have", async () => {
    const root = join(folder, "go/eksdnslogging");
    const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith(".go"));
    const texts = await Promise.all(files.map((file) => readFile(join(root, file), "utf8")));
    const own = texts.flatMap((text) => [...text.matchAll(/^\t"example\.com\/[^"]+\/sdk\/go\/([^"]+)"$/gm)]);
    const imported = [...new Set(own.map(([, path = ""]) => path))].sort();
    assert.ok(imported.includes("eksdnslogging/internal"), imported.join());
    for (const path of imported) assert.ok(existsSync(join(folder, "go", path)), path);
  });

  it("are those that the examples import", async () => {
    const go = await readFile(join(PROJECT_ROOT, "examples/go/main.go"), "utf8");
    const names = [...go.matchAll(/^\t"github\.com\/owner\/.+\/(\w+)"$/gm)].map(([, name = ""]) => name);
    assert.equal(names.length, 4);
    const packages = await readdir(join(folder, "go/eksdnslogging"));
    assert.deepEqual(
      names.filter((name) => !packages.includes(name)),
      [],
    );
    const python = await readFile(join(PROJECT_ROOT, "examples/python/__main__.py"), "utf8");
    const [, members = ""] = /^from owner_eks_dns_logging import (.+)$/m.exec(python) ?? [];
    // Added from a repository, its owner takes the place of `pulumi`.
    const generated = await readdir(join(folder, "python/pulumi_eks_dns_logging"));
    assert.deepEqual(
      members.split(", ").filter((member) => !generated.includes(member)),
      [],
    );
  });
});
