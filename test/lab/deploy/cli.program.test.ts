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
} from "../../../lab/deploy/programs.ts";
import { adviceOn, firstError, withoutRepeats } from "../../../lab/deploy/workspace.ts";
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
    await assert.rejects(streamed("missing", []), /^Failure: missing does not run/);
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

  it("say what to do about failures that a second run does not fix", () => {
    const failed = "was not successfully created by the Kubernetes API server:";
    for (const [message, advice] of [
      [`${failed} namespaces "monitoring" not found`, /^create namespace 'monitoring', or name another one/],
      [
        `${failed} no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"`,
        /^the cluster has no kind PodMonitor \(monitoring\.coreos\.com\/v1\): install its CustomResourceDefinition/,
      ],
      [`${failed} services "a" already exists`, /^services 'a' was not created by this stack/],
      [`${failed} pods "a" not found`, /^run the same command again to continue$/],
      [' + ConfigMap a creating (1s) Retry #1; creation failed: namespaces "b" not found\nerror: c', /^run the same/],
    ] as const)
      assert.match(adviceOn(message), advice);
  });

  it("name all existing objects, and the way to keep a team's namespace", () => {
    const failed = (name: string) =>
      `error: resource "urn:pulumi:local::a::kubernetes:core/v1:Namespace::${name}" was not successfully created by the Kubernetes API server: namespaces "${name}" already exists\n`;
    assert.equal(
      adviceOn(failed("sa-team") + failed("logging") + failed("sa-team")),
      "namespaces 'logging', namespaces 'sa-team' were not created by this stack: delete, import or rename them, or adopt the namespace of a team: `{ name: NAMESPACE, adopt: true }` in teams[].namespaces, then run the command again",
    );
    assert.match(adviceOn(failed("logging")), /rename it, then run the command again$/);
    assert.equal(firstError(`x:\n    ${failed("logging")}`), 'namespaces "logging" already exists');
  });

  it("name what refuses an object, as it would again", () => {
    const pod = (words: string) => adviceOn(`error: x: pods "curl-ts" is forbidden: ${words}\n`.repeat(2));
    const refused = (by: string) =>
      `pods 'curl-ts' is refused by ${by}: change that or the settings, then run the command again`;
    assert.equal(
      pod("ValidatingAdmissionPolicy 'images' with binding 'all' denied request: not from corp.example"),
      refused("ValidatingAdmissionPolicy 'images'"),
    );
    const quota = refused("ResourceQuota 'q' of its namespace");
    assert.equal(pod("exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"), quota);
    assert.equal(pod("failed quota: q: must specify requests.cpu for: curl"), quota);
    assert.equal(
      pod(
        "[minimum memory usage per Container is 8Mi, but request is 4Mi, maximum cpu usage per Container is 10m, but limit is 1]",
      ),
      refused("a LimitRange of its namespace, for memory"),
    );
    assert.equal(
      pod('violates PodSecurity "restricted:latest": runAsNonRoot != true'),
      refused("Pod Security restricted:latest, which its namespace enforces"),
    );
    assert.equal(
      pod("unable to create new content in namespace ts-team because it is being terminated"),
      "wait until namespace 'ts-team' is gone, then run the command again",
    );
    assert.equal(
      adviceOn(
        'error: x: admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/ts-team/curl-ts',
      ),
      "admission webhook 'validate.kyverno.svc-fail' refuses it: change its policy or the settings, then run the command again",
    );
  });

  it("report everything that is missing at once", () => {
    const message =
      'namespaces "monitoring" not found\nnamespaces "monitoring" not found\nnamespaces "a" not found\nno matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"';
    assert.equal(
      adviceOn(message),
      "create namespace 'monitoring', or name another one in the settings; create namespace 'a', or name another one in the settings; the cluster has no kind PodMonitor (monitoring.coreos.com/v1): install its CustomResourceDefinition, then run the command again",
    );
  });

  it("name each field that others manage, of each object, once", () => {
    const failed = (kind: string, fields: string) =>
      `error: resource "urn:pulumi:d::a::dns:CoreDns$kubernetes:x/v1:${kind}Patch::coredns" was not successfully created by the Kubernetes API server: server-side apply field conflict detected
    The resource managed by field manager "pulumi-a" had an apply conflict: Apply failed with ${fields}\n`;
    const corefile = failed(
      "ConfigMap",
      '2 conflicts: conflicts with "kubectl-client-side-apply" using v1:\n    - .data.Corefile\n    conflicts with "pulumi-b":\n    - .data.Corefile',
    );
    const deployment = failed(
      "Deployment",
      '2 conflicts: conflicts with "eksctl" using apps/v1:\n    - .spec.replicas\n    - .spec.template.spec.containers[name="coredns"].resources.limits.memory',
    );
    assert.deepEqual(adviceOn(`${deployment}${corefile}${deployment}`).split("; "), [
      ".spec.replicas of the Deployment of CoreDNS is set by eksctl: `dns.adopt.force: true` takes it over, or leave it out of the settings",
      '.spec.template.spec.containers[name="coredns"].resources.limits.memory of the Deployment of CoreDNS is set by eksctl: `dns.adopt.force: true` takes it over, or leave it out of the settings',
      ".data.Corefile of the ConfigMap of CoreDNS is set by kubectl-client-side-apply: `dns.adopt.force: true` takes it over, then run the command again",
    ]);
  });

  it("name missing permissions, fields that another tool changed, and pods that do not start", () => {
    assert.match(
      adviceOn('namespaces is forbidden: User "viewer" cannot create resource "namespaces" in API group ""'),
      /^viewer may not create namespaces: use a kubeconfig of a cluster administrator, then run the command again$/,
    );
    const conflict = `* the Kubernetes API server reported that "sa-team/curl-sa" failed to fully initialize or become live: server-side apply
      The resource managed by field manager "pulumi" had an apply conflict: Apply failed with 1 conflict: conflict with "unknown" using v1: .spec.selector`;
    assert.match(
      adviceOn(conflict),
      /^\.spec\.selector of sa-team\/curl-sa was changed by another tool \(unknown\): end a drill/,
    );
    const several = conflict.replace(
      '1 conflict: conflict with "unknown" using v1: ',
      '2 conflicts: conflicts with "unknown":\n- ',
    );
    assert.match(adviceOn(several), /^\.spec\.selector of sa-team\/curl-sa was changed by another tool/);
    const adopted = (kind: string, field: string) =>
      `error: resource "urn:pulumi:local::a::dns:CoreDns$kubernetes:core/v1:${kind}Patch::coredns" was not successfully created by the Kubernetes API server: server-side apply field conflict detected
    The resource managed by field manager "pulumi" had an apply conflict: Apply failed with 1 conflict: conflict with "kubeadm" using v1: ${field}`;
    assert.match(
      adviceOn(adopted("ConfigMap", ".data.Corefile")),
      /^\.data\.Corefile of the ConfigMap of CoreDNS is set by kubeadm: `dns\.adopt\.force: true` takes it over/,
    );
    assert.match(
      adviceOn(adopted("Namespace", ".metadata.labels.team")),
      /^\.metadata\.labels\.team of an adopted namespace is set by kubeadm: remove it there/,
    );
    const pod =
      "warning: [Pod logging/fluent-bit-a]: containers with unready status: [fluent-bit][CrashLoopBackOff] back-off";
    assert.match(
      adviceOn(`${pod}\nerror: timed out waiting for the condition`),
      /^fluent-bit-a does not start \(CrashLoopBackOff\): `kubectl -n logging describe pod fluent-bit-a` and `kubectl -n logging logs/,
    );
    // Told of each pod once, with what was said last.
    const other = pod.replace("fluent-bit-a", "fluent-bit-b");
    const later =
      "warning: [Pod sa-team/curl-sa]: [curl][ErrImagePull] a\n[Pod sa-team/curl-sa]: [curl][ImagePullBackOff] b";
    assert.deepEqual(
      [
        ...adviceOn(`${pod}\n${other}\n${pod}\n${later}\nerror: timed out waiting`).matchAll(
          /(\S+) does not start \((\w+)\)/g,
        ),
      ].map(([, name, reason]) => `${name} ${reason}`),
      ["fluent-bit-a CrashLoopBackOff", "fluent-bit-b CrashLoopBackOff", "curl-sa ImagePullBackOff"],
    );
    // As the CLI ends after Ctrl-C, while it waits.
    const waiting =
      'x:\n error: 4 errors occurred:\n\t* resource "urn:pulumi:local::a::kubernetes:apps/v1:Deployment::x" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: Resource operation was cancelled for "x"\n\t* [Pod logging/x-1]: containers with unready status: [x][ImagePullBackOff] Back-off pulling image "docker.io/x:1"';
    assert.match(
      adviceOn(waiting),
      /^x-1 does not start \(ImagePullBackOff\): its node cannot pull an image, .*, then run the command again$/,
    );
    // What a refresh finds of the last run comes later in the output, and may have been replaced since.
    const refreshed = `warning: Refreshed resource is in an unhealthy state:\n    * Resource 'curl' was created\n    * ${waiting.split("* ").at(-1)?.replaceAll("x-1", "old")}\n`;
    assert.match(
      adviceOn(`${pod}\nerror: timed out waiting for the condition\n    ${refreshed}`),
      /^fluent-bit-a does not/,
    );
    // Another error, after which it may have started.
    assert.equal(adviceOn(`${pod}\nerror: no route to host`), "run the same command again to continue");
  });

  it("show the first real error, not the summary line", () => {
    const output =
      'Diagnostics:\n  pulumi:pulumi:Stack:\n    error: update failed\n\n  x:\n    error: services "a" already exists\n';
    assert.equal(firstError(output), 'services "a" already exists');
    assert.equal(firstError("x:\n  error: 1 error occurred:\n    * a conflict\n"), "a conflict");
    assert.equal(firstError("nothing"), "see the diagnostics above");
  });

  it("show it in the API server's own words, with the name of its object where these have none", () => {
    const urn = (type: string, name: string) => `"urn:pulumi:local::lab::a:Collector$kubernetes:${type}::${name}"`;
    for (const [error, words] of [
      [
        `resource ${urn("apps/v1:DaemonSet", "logs-fluent-bit-daemonset")} was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: timed out waiting for the condition`,
        "logs-fluent-bit-daemonset did not become ready: timed out waiting for the condition",
      ],
      [
        `creation of resource ${urn("monitoring.coreos.com/v1:PodMonitor", "coredns")} with kind monitoring.coreos.com/v1/PodMonitor failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"`,
        'no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"',
      ],
      [
        `update of resource ${urn("monitoring.coreos.com/v1:PodMonitor", "coredns")} failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"`,
        'no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"',
      ],
      [
        'the Kubernetes API server reported that "sa-team/curl-sa" failed to fully initialize or become live: server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/#handle-field-conflicts for troubleshooting help',
        "sa-team/curl-sa: server-side apply field conflict detected",
      ],
    ] as const)
      assert.equal(firstError(`x:\n    error: 1 error occurred:\n    \t* ${error}\n`), words);
  });
});
