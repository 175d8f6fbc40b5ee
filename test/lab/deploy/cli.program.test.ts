import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_ROOT } from "../../../lab/command-line.ts";
import {
  cliIssue,
  deleteKind,
  ensureKind,
  NPX_VERSION,
  npxShim,
  pathWithNode,
  pulumiByNpx,
  runs,
  withoutRepeats,
} from "../../../lab/deploy/workspace.ts";
import { streamed } from "../../../lab/process.ts";

describe("the programs that up calls", () => {
  const before = process.env.PATH ?? "";
  const home = process.env.PULUMI_HOME;
  let folder: string;
  const log = () => readFile(join(folder, "log"), "utf8").catch(() => "");

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "programs-"));
    process.env.PATH = [folder, "/usr/bin", "/bin"].join(delimiter);
  });

  afterEach(async () => {
    process.env.PATH = before;
    if (home === undefined) delete process.env.PULUMI_HOME;
    else process.env.PULUMI_HOME = home;
    await rm(folder, { recursive: true });
  });

  /** A program that writes its arguments to a log and then does as told. */
  async function program(name: string, script = ""): Promise<void> {
    const file = join(folder, name);
    await writeFile(file, `#!/bin/sh\necho "${name} $*" >> '${join(folder, "log")}'\n${script}\n`);
    await chmod(file, 0o755);
  }

  it("run on the project's Node, whatever the machine has", () => {
    const first = pathWithNode("/usr/bin").split(delimiter)[0] ?? "";
    assert.match(first, /node_modules[\\/]\.bin$/);
  });

  it("run on it from the documented command line too", async () => {
    await program("pulumi", `node --version >> '${join(folder, "log")}'`);
    const page = await readFile(join(PROJECT_ROOT, "docs/how-to/troubleshooting.md"), "utf8");
    const commands = [...new Set([...page.matchAll(/`(npm exec [^`]+)`/g)].map(([, command]) => command ?? ""))];
    assert.equal(commands.length, 1);
    // Offline, since npm fetches a package of a name that it takes for one.
    const env = { ...process.env, PATH: [folder, before].join(delimiter), npm_config_offline: "true" };
    await promisify(execFile)("sh", ["-c", commands.join()], { cwd: PROJECT_ROOT, env });
    assert.equal(await log(), `pulumi up\n${process.version}\n`);
  });

  it("are found, or reported missing", async () => {
    await program("good");
    await program("bad", "exit 1");
    assert.deepEqual(await Promise.all(["good", "bad", "missing"].map((name) => runs(name, []))), [true, false, false]);
  });

  it("are Pulumi's npm package through npx if no CLI is installed", async () => {
    await program("npx");
    const root = await npxShim(join(folder, "cli"), "3.1.2");
    assert.equal(await runs(join(root, "bin", "pulumi"), ["up", "--stack", "a b"]), true);
    assert.equal(await log(), "npx --yes --package=pulumi@3.1.2 -- pulumi up --stack a b\n");
  });

  it("are that package on its first call too, when the installer prints before the CLI", async () => {
    process.env.PULUMI_HOME = join(folder, "home");
    const version = `[ -e fetched ] || echo '=== Installing Pulumi ===' && touch '${join(folder, "fetched")}'; echo v${NPX_VERSION}`;
    await program("npx", version.replace("-e fetched", `-e '${join(folder, "fetched")}'`));
    assert.equal((await pulumiByNpx(join(folder, "cli"))).version?.version, NPX_VERSION);
    // Where the package has left the CLI, it is called without npx.
    const bin = join(folder, "home", "versions", NPX_VERSION, "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "pulumi"), "#!/bin/sh\necho v3.300.0\n");
    await chmod(join(bin, "pulumi"), 0o755);
    assert.equal((await pulumiByNpx(join(folder, "cli"))).version?.version, "3.300.0");
  });

  it("are the user's own CLI if it is recent enough", () => {
    assert.equal(cliIssue(undefined), "pulumi is not on the PATH");
    assert.equal(cliIssue("v3.206.1\n"), "pulumi v3.206.1 is older than 3.207");
    assert.equal(cliIssue("v2.300.0"), "pulumi v2.300.0 is older than 3.207");
    for (const version of ["v3.207.0\n", "v3.265.0", "v4.0.0", "3.300.0-dev.0", ""])
      assert.equal(cliIssue(version), undefined);
  });

  it("make a kind cluster once", async () => {
    await program("docker");
    await program("kind", '[ "$1" = get ] && cat clusters 2>/dev/null; exit 0');
    assert.equal(await ensureKind(), true);
    assert.match(await log(), /kind create cluster --name eks-dns-logging --wait 180s\n$/);
    await program("kind", '[ "$1" = get ] && echo eks-dns-logging; exit 0');
    assert.equal(await ensureKind(), false);
    await deleteKind("eks-dns-logging");
    assert.match(await log(), /kind delete cluster --name eks-dns-logging\n$/);
  });

  it("are named with a way to install them if they are missing", async () => {
    await program("kind", "exit 1");
    await assert.rejects(ensureKind(), /^Failure: kind is not installed: https:/);
    await program("kind");
    await program("docker", "exit 1");
    await assert.rejects(ensureKind(), /^Failure: kind needs Docker, which is not installed or not running/);
  });

  it("fail in one line", async () => {
    await program("breaks", "exit 3");
    await assert.rejects(streamed("breaks", ["now"]), /^Failure: 'breaks now' failed \(exit code 3\)/);
    await assert.rejects(streamed("missing", []), /^Failure: missing cannot be started: /);
  });

  it("print each operation on a resource once, and everything else as it comes", () => {
    const said: string[] = [];
    const write = withoutRepeats((text) => said.push(text));
    for (const text of [
      " + Pod a creating (0s)\n + Po",
      "d b creating (0s)\n\n",
      " + Pod a creating (1s) \n\n",
      " + Pod a creating (2s) Waiting\n + Pod a created (2s)\n",
    ])
      write(text);
    assert.equal(
      said.join(""),
      " + Pod a creating (0s)\n + Pod b creating (0s)\n\n\n + Pod a creating (2s) Waiting\n + Pod a created (2s)\n",
    );
  });

  it("leave out the advice to remove a stack that down removes", () => {
    const said: string[] = [];
    withoutRepeats((text) => said.push(text))(
      "Duration: 1s\nThe resources in the stack have been deleted, but the history is not.\nIf you want to remove the stack completely, run `pulumi stack rm local`.\n",
    );
    assert.deepEqual(said, ["Duration: 1s\n"]);
  });
});
