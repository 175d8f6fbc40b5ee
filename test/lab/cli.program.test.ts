import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { listen } from "../support/listen.ts";
import { type LabRun, runLab } from "../support/run-lab.ts";

/**
 * Writes down at the end of a process how long it had a processor, and how long it had nothing to do but to wait, in seconds. Together
 * they are what it takes on a machine that does nothing else, however busy this one is.
 */
const TELL_TIMES = `data:text/javascript,${encodeURIComponent(
  `import { writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  const { idle } = performance.eventLoopUtilization();
  writeFileSync(process.env.TIMES, JSON.stringify({ worked: (user + system) / 1e6, waited: idle / 1e3 }));
});`,
)}`;

/** Each a process of its own, as a person starts it. */
describe("the command line", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cli-"));
  });
  after(() => rm(folder, { recursive: true }));

  const failsWith = ({ exitCode, stderr }: LabRun, code: number, expected: RegExp) => {
    assert.equal(exitCode, code, stderr);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /^\s+at /m, "a stack trace");
  };

  it("has the warnings of the settings in its JSON too", async () => {
    const file = join(folder, "warned.yaml");
    await writeFile(file, "config: {cluster: {kind: existing}, logging: {carrier: daemonset}}\n");
    const { stdout } = await runLab(["plan", "--stack", "warned", "--config-file", file, "--json"]);
    const plan: { warnings: string[] } = JSON.parse(stdout);
    assert.deepEqual(plan.warnings, ["logging.carrier: is deprecated, use logging.mode"]);
  });

  it("ends after reporting an unresponsive server that keeps the connection open", async () => {
    const silent = createServer();
    const file = join(folder, "silent-kubeconfig");
    const cluster = { server: `http://127.0.0.1:${await listen(silent)}`, "insecure-skip-tls-verify": true };
    const context = { cluster: "c", user: "u" };
    const users = [{ name: "u", user: { token: "t" } }];
    const named = { clusters: [{ name: "c", cluster }], contexts: [{ name: "a", context }], users };
    await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": "a", ...named }));
    const start = performance.now();
    try {
      const run = await runLab(["audit"], { KUBECONFIG: file });
      failsWith(run, 2, /^context 'a' .*: the API server does not answer within 10 s$/m);
      assert.ok(performance.now() - start < 40_000);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it("prints its version, which bug reports ask for", async () => {
    const project: { version: string } = JSON.parse(await readFile(join(PROJECT_ROOT, "package.json"), "utf8"));
    const { exitCode, stdout } = await runLab(["--version"]);
    assert.deepEqual([exitCode, stdout], [0, `${project.version}\n`]);
  });

  it("plans the stack dev without account, cluster and network, in less than five seconds", async () => {
    const file = join(folder, "times");
    const env = { PATH: "", HOME: folder, NODE_OPTIONS: `--import ${TELL_TIMES}`, TIMES: file };
    const { exitCode, stdout, stderr } = await runLab(["plan"], env);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr, "");
    const { worked, waited }: { worked: number; waited: number } = JSON.parse(await readFile(file, "utf8"));
    assert.ok(worked > 0.1 && worked + waited < 5, `${worked} s of work, ${waited} s of waiting`);
    for (const text of [
      /eks:index:Cluster +cluster/,
      /aws:eks\/addon:Addon +coredns-addon/,
      /ts-namespace/,
      /DaemonSet +logs-fluent-bit-daemonset/,
      /\d+ to create: \d+ resources \(\d+ aws, 1 pulumi, 28 kubernetes\)/,
    ]) {
      assert.match(stdout, text);
    }
    assert.ok(!stdout.includes("\u001b["), "color where nobody sees it");
    // What the README shows of it, but for the width of the columns.
    const words = (line: string) => line.trim().replaceAll(/ +/g, " ");
    const printed = new Set(stdout.split("\n").map(words));
    const readme = await readFile(join(PROJECT_ROOT, "README.md"), "utf8");
    const shown = readme.split("\n").filter((line) => /^ \+ {2}[├│]|^ {4}\+ \d/.test(line));
    assert.equal(shown.length, 1);
    for (const line of shown) assert.ok(printed.has(words(line)), line);
  });

  it("plans as one JSON document, and writes manifests beside it", async () => {
    const { exitCode, stdout, stderr } = await runLab([
      "plan",
      "--stack",
      "local",
      "--json",
      "--manifests",
      join(folder, "out"),
    ]);
    assert.equal(exitCode, 0, stderr);
    const plan: { stack: string; resources: unknown[] } = JSON.parse(stdout);
    assert.equal(plan.stack, "local");
    assert.equal(plan.resources.length, 37);
    assert.equal((await readdir(join(folder, "out"))).filter((file) => file.endsWith(".yaml")).length, 28);
    assert.match(stderr, /^Wrote 28 manifests: kubectl apply -f /);
  });

  it("stops at a policy, and says which resource, field and value, and what to write", async () => {
    const file = join(folder, "Pulumi.test.yaml");
    const curlPod = { image: "registry.example/curl:8.17.0" };
    const config = {
      "eks-dns-logging:cluster": { kind: "existing" },
      "eks-dns-logging:teams": [{ name: "ts" }],
      "eks-dns-logging:curlPod": curlPod,
    };
    await writeFile(file, JSON.stringify({ config }));
    const { exitCode, stdout, stderr } = await runLab(["plan", "--config-file", file]);
    assert.equal(exitCode, 1, stderr);
    assert.match(
      stdout,
      / {2}Pod\/ts-team\/curl-ts\n +violated, mandatory: pods-image-registries: \S.*\n +spec\.containers\[0\]\.image is "registry\.example\/curl:8\.17\.0", .*\n +Fix: use/,
    );
    assert.match(stdout, /Policies\n {2}\d+ rules: 1 finding stops this plan, 1 violated, 0 undecided, \d+ exempt\n/);
  });

  it("lists the images", async () => {
    const [{ stdout }, byFile] = await Promise.all([
      runLab(["images"]),
      runLab(["images", "--config-file", join(PROJECT_ROOT, "Pulumi.local.yaml")]),
    ]);
    assert.equal(byFile.stdout, stdout);
    assert.match(stdout, /^curl docker\.io\/curlimages\/curl:\d/m);
    assert.match(stdout, /^responder docker\.io\/nginxinc\/nginx-unprivileged:\d/m);
  });

  it("lists the rules, as a table and as a document", async () => {
    const [table, document] = await Promise.all([runLab(["policies"]), runLab(["policies", "--json"])]);
    const rules: { id: string; fix: string }[] = JSON.parse(document.stdout);
    assert.ok(rules.length > 30 && rules.every(({ id, fix }) => id !== "" && fix !== ""));
    assert.ok(table.stdout.includes(`${rules.length} rules`) && !table.stdout.includes("\u001b["));
  });

  it("plans a fleet and shows what differs", async () => {
    const { stdout, stderr, exitCode } = await runLab(["fleet", "dev", "local", "--json"]);
    assert.equal(exitCode, 0, stderr);
    const fleet: {
      stacks: { stack: string; resources: number }[];
      differences: { setting: string; values: string[] }[];
    } = JSON.parse(stdout);
    assert.deepEqual(
      fleet.stacks.map(({ stack }) => stack),
      ["dev", "local"],
    );
    const { stdout: text } = await runLab(["plan", "--stack", "local"]);
    const planned = Number(/\+ (\d+) to create/.exec(text)?.[1]);
    assert.equal(fleet.stacks.find(({ stack }) => stack === "local")?.resources, planned);
    assert.deepEqual(fleet.differences.find(({ setting }) => setting === "cluster.kind")?.values, ["eks", "existing"]);
    assert.ok(!fleet.differences.some(({ setting }) => setting.startsWith("teams")));
  });

  it("reports all issues in the settings, and plans nothing", async () => {
    const file = join(folder, "Pulumi.wrong.yaml");
    await writeFile(
      file,
      "config:\n  eks-dns-logging:cluster: {kind: eks, version: '1.1'}\n  eks-dns-logging:teams: [{name: A}]\n",
    );
    const run = await runLab(["plan", "--config-file", file]);
    failsWith(run, 2, /^Invalid configuration \(3 errors\), nothing was changed$/m);
    assert.match(run.stderr, /cluster\.version: must be one of 1\.3.* \(found "1\.1"\)/);
    assert.match(run.stderr, /teams\[0\]\.name: must be a string of lower-case letters.* \(found "A"\)/);
    assert.match(run.stderr, /aws:region: must be an AWS region, such as eu-central-1, but is not set/);
    assert.equal(run.stdout, "");
  });

  it("reports errors in a single JSON document too", async () => {
    const wrong = join(folder, "wrong.json.yaml");
    await writeFile(
      wrong,
      "config: {cluster: {kind: existing}, teams: [{name: A}, {name: b, peers: [c]}], logging: 5}\n",
    );
    const runs = await Promise.all([
      runLab(["plan", "--json", "--config-file", wrong]),
      runLab(["audit", "--json", "--manifests", join(folder, "nothing")]),
      runLab(["plan", "--json", "--stak", "dev"]),
      runLab(["plan", "--json", "--manifests", wrong]),
      runLab(["plan", "--json", "--help"]),
    ]);
    assert.deepEqual(
      runs.map(({ exitCode }) => exitCode),
      [2, 2, 2, 2, 0],
    );
    const errorsOf = ({ stdout }: LabRun): unknown => JSON.parse(stdout).errors;
    const [settings, files, flags, folders, help] = runs;
    assert.ok(settings !== undefined && files !== undefined && flags !== undefined && folders !== undefined);
    const errors = settings.stderr.trim().split("\n").slice(1);
    assert.equal(errors.length, 3);
    assert.deepEqual(
      errorsOf(settings),
      errors.map((line) => line.trim()),
    );
    assert.deepEqual(errorsOf(files), [`there is no file or folder ${join(folder, "nothing")}`]);
    assert.deepEqual(errorsOf(flags), ["unknown option '--stak' (did you mean --stack?)"]);
    assert.equal(errorsOf(folders), undefined, "the plan was written already");
    assert.match(folders.stderr, /^cannot write the manifests to '.*': EEXIST\n$/);
    assert.match(help?.stdout ?? "", /^Usage: lab plan/);
  });

  it("reports in one line where it cannot write, and what it cannot read", async () => {
    const file = join(folder, "a-file");
    await writeFile(file, "");
    const [manifests, policies] = await Promise.all([
      runLab(["plan", "--manifests", file]),
      runLab(["plan", "--policy-config", join(folder, "none.json")]),
    ]);
    failsWith(manifests, 2, /^cannot write the manifests to '.*a-file': EEXIST\n$/);
    failsWith(policies, 2, /^no policy configuration file .*none\.json\n$/);
  });

  it("names a stack as its file does, unless --stack does", async () => {
    const stackOf = async (file: string, ...args: readonly string[]) => {
      const path = join(folder, file);
      await writeFile(path, "config: {cluster: {kind: existing}, teams: [], logging: false, dns: false}\n");
      const { stdout, stderr } = await runLab(["plan", "--config-file", path, "--json", ...args]);
      assert.equal(stderr, "");
      const plan: { stack: string } = JSON.parse(stdout);
      return plan.stack;
    };
    const names = await Promise.all([
      stackOf("Pulumi.prod-eu.yaml"),
      stackOf("stage.yml"),
      stackOf("Pulumi.prod-us.yaml", "--stack", "dev"),
      stackOf("without an ending"),
    ]);
    assert.deepEqual(names, ["prod-eu", "dev", "dev", "dev"]);
  });

  it("rejects an empty option, such as from an unset variable", async () => {
    const [stack, kubeconfig] = await Promise.all([
      runLab(["plan", "--stack", ""]),
      runLab(["dns", "explain", "a", "--kubeconfig", ""]),
    ]);
    failsWith(stack, 2, /^error: option '-s, --stack <name>' must not be empty\n/);
    failsWith(kubeconfig, 2, /^error: option '--kubeconfig <file>' must not be empty\n/);
  });

  it("does not fail if its reader closes the pipe early", async () => {
    const child = spawn(process.execPath, ["lab/main.ts", "plan", "--json"], { cwd: PROJECT_ROOT });
    child.stdout.once("data", () => child.stdout.destroy());
    const exit = new Promise((resolve) => child.on("close", resolve));
    assert.equal(await text(child.stderr), "");
    assert.equal(await exit, 0);
  });

  it("rejects unknown commands and options in one line", async () => {
    const [stack, flag, command] = await Promise.all([
      runLab(["plan", "--stack", "prod"]),
      runLab(["plan", "--stak", "dev"]),
      runLab(["deploy"]),
    ]);
    failsWith(stack, 2, /^no stack 'prod' \(file Pulumi\.prod\.yaml\); found: dev, local\n$/);
    failsWith(flag, 2, /unknown option '--stak'/);
    failsWith(command, 2, /unknown command 'deploy'/);
  });
});
