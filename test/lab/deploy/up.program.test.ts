import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { hostname, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseSettings } from "../../../components/settings.ts";
import { down, up } from "../../../lab/deploy/deployment.ts";
import { nextCommand, recover, recoveryText } from "../../../lab/deploy/recovery.ts";
import { StateFolder } from "../../../lab/deploy/state.ts";
import { listen } from "../../support/listen.ts";
import { object, PULUMI, STATE, URN } from "./fake-pulumi.ts";

describe("up, down and recover", () => {
  const original = { path: process.env.PATH, kubeconfig: process.env.KUBECONFIG };
  const settings = parseSettings({ "eks-dns-logging:cluster": '{"kind":"existing"}' });
  let root: string;
  let server: Server;
  /** Paths that the API server knows. */
  let there: Set<string>;
  /** The one Secret. */
  let secret: unknown;
  let folder: StateFolder;
  const asked = async () => (await readFile(join(folder.project, "log"), "utf8")).split("\n");

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "up-"));
    there = new Set([
      "/version",
      "/api/v1",
      "/api/v1/namespaces/ts-team/pods/curl-ts",
      "/api/v1/namespaces/ts-team/services/curl-ts",
    ]);
    server = createServer((request, response) => {
      const path = request.url?.split("?")[0] ?? "";
      response.writeHead(there.has(path) ? 200 : 404, { "content-type": "application/json" });
      const resources = ["Pod", "Service", "PodMonitor", "PrometheusRule"].map((kind) => ({
        kind,
        name: `${kind.toLowerCase()}s`,
        namespaced: true,
      }));
      const isSecret = path.includes("/secrets/");
      response.end(
        JSON.stringify(
          isSecret ? secret : { gitVersion: "v1.36.3", resources, status: { phase: "Succeeded" }, metadata: {} },
        ),
      );
    });
    const cluster = { server: `http://127.0.0.1:${await listen(server)}`, "insecure-skip-tls-verify": true };
    const config = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
      contexts: ["one", "two"].map((name) => ({ name, context: { cluster: "c", user: "u" } })),
      "current-context": "one",
    };
    await writeFile(join(root, "kubeconfig"), JSON.stringify(config));
    await writeFile(join(root, "pulumi"), PULUMI);
    await chmod(join(root, "pulumi"), 0o755);
    process.env.PATH = [root, original.path].join(delimiter);
    process.env.KUBECONFIG = join(root, "kubeconfig");
    folder = new StateFolder("local", join(root, "state"));
    await folder.writeProject({ context: "one" });
    await writeFile(join(folder.project, "state.json"), JSON.stringify(STATE));
  });

  afterEach(async () => {
    process.env.PATH = original.path ?? "";
    process.env.KUBECONFIG = original.kubeconfig ?? "";
    server.closeAllConnections();
    server.close();
    await rm(root, { recursive: true });
  });

  /** What is written to stderr meanwhile. */
  async function saidBy(action: () => Promise<unknown>): Promise<string> {
    const said: string[] = [];
    const write = process.stderr.write;
    process.stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0;
    try {
      await action();
    } finally {
      process.stderr.write = write;
    }
    return said.join("");
  }

  const run = (context?: string) =>
    up({ stack: "local", settings, target: context === undefined ? {} : { context }, kind: false, folder });

  it("completes an interrupted run, replaces the ended pod, and remembers its cluster", async () => {
    assert.deepEqual(await run(), { context: "one" });
    const call = (await asked()).find((line) => line.startsWith("up "));
    assert.match(call ?? "", /--refresh .*--run-program=true/);
    assert.ok(call?.includes(`--replace ${URN}Pod::curl-ts`));
    const state = JSON.parse(await readFile(join(folder.project, "state.json"), "utf8"));
    assert.deepEqual(
      state.deployment.resources.map((resource: { id: string }) => resource.id),
      ["ts-team/curl-ts", "ts-team/curl-ts"],
    );
    assert.equal(state.deployment.pending_operations, undefined);
    assert.deepEqual(await folder.memory(), { context: "one" });
  });

  it("changes nothing if the namespace of Prometheus is missing, and continues once it exists", async () => {
    const watched = parseSettings({
      "eks-dns-logging:cluster": '{"kind":"existing"}',
      "eks-dns-logging:monitoring": '{"kind":"annotations"}',
    });
    const again = () => up({ stack: "local", settings: watched, target: {}, kind: false, folder });
    await assert.rejects(again(), {
      message:
        'nothing was changed:\n  monitoring.prometheus.namespace: must be a namespace that exists (found "monitoring")',
      exitCode: 2,
    });
    await assert.rejects(asked(), { code: "ENOENT" });
    there.add("/api/v1/namespaces/monitoring");
    assert.deepEqual(await again(), { context: "one" });
  });

  it("changes nothing if the kinds of Prometheus Operator are missing, and continues once they exist", async () => {
    const watched = { ...settings, monitoring: { ...settings.monitoring, kind: "prometheus-operator" as const } };
    const again = () => up({ stack: "local", settings: watched, target: {}, kind: false, folder });
    await assert.rejects(again(), {
      message: `nothing was changed:
  monitoring.prometheus.namespace: must be a namespace that exists (found "monitoring")
  monitoring.kind: must be annotations or none until the cluster has PodMonitor and PrometheusRule (monitoring.coreos.com/v1), which Prometheus Operator's CustomResourceDefinitions add (found "prometheus-operator")`,
      exitCode: 2,
    });
    await assert.rejects(asked(), { code: "ENOENT" });
    there.add("/api/v1/namespaces/monitoring").add("/apis/monitoring.coreos.com/v1");
    assert.deepEqual(await again(), { context: "one" });
  });

  it("names the namespace that is deleted with all its content", async () => {
    const namespace = {
      ...object("Namespace", "qa-team"),
      inputs: { apiVersion: "v1", kind: "Namespace", metadata: { name: "qa-team" } },
    };
    await writeFile(
      join(folder.project, "state.json"),
      JSON.stringify({ version: 3, deployment: { resources: [namespace] } }),
    );
    assert.match(
      await saidBy(run),
      /^Deleting namespace qa-team, which the settings no longer create, with everything in it: /m,
    );
  });

  it("downloads the only provider that it needs, once", async () => {
    await run();
    const { version } = createRequire(import.meta.url)("@pulumi/kubernetes/package.json");
    const installs = async () => (await asked()).filter((line) => line.startsWith("plugin install"));
    assert.equal((await installs())[0]?.split(" --")[0], `plugin install resource kubernetes v${version}`);
    await writeFile(join(folder.project, "plugins.json"), JSON.stringify([{ name: "kubernetes", version }]));
    await run();
    assert.equal((await installs()).length, 1);
    const fetching = (await asked()).filter((line) => line.startsWith("fetching"));
    assert.deepEqual([...new Set(fetching)], ["fetching of itself: off"]);
  });

  it("reports in one line that the provider cannot be downloaded", async () => {
    await writeFile(join(folder.project, "offline"), "");
    await assert.rejects(
      run(),
      /^Failure: Pulumi's plugin kubernetes [\d.]+ cannot be fetched \(error: no such host\)/,
    );
  });

  it("stays on its cluster, and says how to move", async () => {
    await run();
    await assert.rejects(
      run("two"),
      /^Failure: the lab is deployed to context 'one': remove it with `npm run lab -- down`/,
    );
    await assert.rejects(run("three"), /the lab is deployed to context 'one'/);
  });

  it("fails in one line with Pulumi's first error, and can be run again", async () => {
    await writeFile(join(folder.project, "broken"), "error: it broke\n");
    await assert.rejects(run(), /^Failure: pulumi up failed: it broke; run the same command again to continue$/);
    await rm(join(folder.project, "broken"));
    assert.deepEqual(await run(), { context: "one" });
  });

  it("waits for another run, whenever that one has begun", async () => {
    const lock = "file:///x/.pulumi/locks/organization/eks-dns-logging/local/4e9e-1.json?no_tmp_dir=true";
    await writeFile(
      join(folder.project, "broken"),
      `error: the stack is currently locked by 1 lock(s). Either wait for it or delete the lock file.\n  ${lock}: created by me@here (pid 4711) at noon\n`,
    );
    await assert.rejects(run(), {
      message: "another run is using stack 'local' (process 4711): wait until it ends",
      exitCode: 2,
    });
    await writeFile(
      join(folder.project, "sealed"),
      "error: stack 'organization/eks-dns-logging/local' already exists\n",
    );
    await assert.rejects(run(), { message: "another run is using stack 'local': wait until it ends", exitCode: 2 });
  });

  it("reports a changed passphrase, whichever command detects it", async () => {
    const words = /: set PULUMI_CONFIG_PASSPHRASE to the value at the first run, or unset it if there was none/;
    await writeFile(join(folder.project, "broken"), "error: get stack secrets manager: incorrect passphrase\n");
    await assert.rejects(run(), words);
    await writeFile(join(folder.project, "sealed"), "error: incorrect passphrase\n");
    await assert.rejects(run(), (error: Error) => error.name === "Failure" && words.test(error.message));
  });

  describe("recover", () => {
    const ROLE = "urn:pulumi:local::lab::eks-dns-logging:cluster:EksCluster$aws:iam/role:Role::node";
    const provider = { urn: `${URN}provider::k8s`, type: "pulumi:providers:kubernetes", custom: true, id: "1" };
    const pending = (resource: object) => ({
      type: "creating",
      resource: { ...resource, provider: `${provider.urn}::1` },
    });
    const state = (kubeconfig: unknown) => ({
      version: 3,
      deployment: {
        resources: [{ ...provider, inputs: { kubeconfig, context: "two" } }],
        pending_operations: [
          pending(object("Service", "curl-ts")),
          pending(object("Pod", "never-made")),
          pending({ urn: ROLE, type: "aws:iam/role:Role", inputs: {} }),
        ],
      },
    });
    const saved = async () => JSON.parse(await readFile(join(folder.project, "state.json"), "utf8")).deployment;
    const write = (file: string, text: string) => writeFile(join(folder.project, file), text);
    const backend = () => join(root, "own");
    /** Recovers a stack that `up` has not deployed. */
    const own = () =>
      recover("local", { project: folder.project, folder: new StateFolder("local", join(root, "none")) });

    beforeEach(() => write("whoami.json", JSON.stringify({ user: "me", url: `file://${backend()}` })));

    it("adds what a killed run created to the state in the user's own backend, and names the rest", async () => {
      // An EKS stack's provider has the contents of a kubeconfig, as a secret.
      const text = JSON.stringify(await readFile(join(root, "kubeconfig"), "utf8"));
      const files = [{ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: text }, ""];
      for (const kubeconfig of [...files, join(root, "kubeconfig")]) {
        await write("state.json", JSON.stringify(state(kubeconfig)));
        assert.deepEqual(await own(), {
          adopted: [`${URN}Service::curl-ts`],
          missing: [`${URN}Pod::never-made`],
          unknown: [ROLE],
        });
        const { resources, pending_operations } = await saved();
        assert.deepEqual(
          resources.map(({ id }: { id: string }) => id),
          ["1", "ts-team/curl-ts"],
        );
        assert.equal(pending_operations, undefined);
      }
      const refresh = (await asked()).find((line) => line.startsWith("refresh "));
      assert.ok(refresh?.includes(`--target ${URN}Service::curl-ts`), refresh);
      assert.equal(await own(), undefined);
    });

    it("releases the lock of a dead run, and waits for one that may be alive", async () => {
      await write("state.json", JSON.stringify(state("")));
      const locks = join(backend(), ".pulumi", "locks", "organization", "eks-dns-logging", "local");
      await mkdir(locks, { recursive: true });
      const lock = (pid: number, host: string) =>
        writeFile(join(locks, "1.json"), JSON.stringify({ pid, username: "me", hostname: host }));
      await lock(process.pid, hostname());
      await assert.rejects(own(), /^Failure: another run is using stack 'local'/);
      await lock(1, "elsewhere");
      await assert.rejects(own(), /\(process 1 on elsewhere\): wait until it ends$/);
      assert.deepEqual(
        (await asked()).filter((line) => line.startsWith("cancel")),
        [],
      );
      await lock(2 ** 22 + 1, hostname());
      assert.ok(await own());
      assert.equal((await asked()).filter((line) => line.startsWith("cancel")).length, 1);
    });

    it("repairs the state of `up` if that has deployed the stack, and names `up` to continue", async () => {
      assert.equal(await nextCommand("local", folder), "pulumi up --stack local");
      await write("state.json", JSON.stringify({ version: 3, deployment: {} }));
      await folder.remember({
        context: "two",
        unanswered: [object("Service", "curl-ts"), object("Pod", "never-made")],
      });
      assert.deepEqual(await recover("local", { project: join(root, "elsewhere"), folder }), {
        adopted: [`${URN}Service::curl-ts`],
        missing: [`${URN}Pod::never-made`],
        unknown: [],
      });
      assert.deepEqual(
        (await saved()).resources.map(({ id }: { id: string }) => id),
        ["ts-team/curl-ts"],
      );
      assert.deepEqual(await folder.memory(), { context: "two" });
      assert.equal(await recover("local", { folder }), undefined);
      const next = await nextCommand("local", folder);
      assert.equal(
        recoveryText("local", undefined, next),
        "No run was interrupted: continue with `npm run lab -- up --stack local`.\n",
      );
    });

    it("needs no CLI to learn that there is no such stack", async () => {
      const options = { project: folder.project, folder: new StateFolder("nope", join(root, "none")) };
      const message = "no stack 'acme/nope' (file Pulumi.nope.yaml); found: local";
      await assert.rejects(recover("acme/nope", options), { message });
      await assert.rejects(asked(), { code: "ENOENT" });
    });

    it("says in one line why the stack cannot be opened", async () => {
      await write("state.json", JSON.stringify(state("")));
      await write("sealed", "error: incorrect passphrase\n");
      await assert.rejects(own(), {
        message: "stack 'local' cannot be opened: incorrect passphrase",
      });
    });

    it("reports the outcome for each resource, and what to do next", async () => {
      await write("state.json", JSON.stringify(state("")));
      const text = recoveryText("local", await own());
      assert.match(text, /^Created by the killed run, now in the state:\n {2}kubernetes:core\/v1:Service curl-ts\n/);
      assert.match(text, /Not created yet:\n {2}kubernetes:core\/v1:Pod never-made\n/);
      assert.match(text, /import it with `pulumi import TYPE NAME ID`\):\n {2}aws:iam\/role:Role node\n/);
      assert.match(text, /\nContinue with `pulumi up --stack local`\.\n$/);
      assert.equal(
        recoveryText("local", undefined),
        "No run was interrupted: continue with `pulumi up --stack local`.\n",
      );
    });
  });

  it("removes everything, forgets the state, and names what the cluster still has", async () => {
    const away = () => down({ stack: "local", settings, target: {}, folder });
    assert.equal(await away(), undefined);
    await run();
    assert.deepEqual(await away(), ["Pod ts-team/curl-ts", "Service ts-team/curl-ts"]);
    // An object that is only patched stays, as the Service of an adopted namespace, and is not left over.
    const { deployment, ...rest } = STATE;
    const type = "kubernetes:core/v1:ServicePatch";
    const patch = { ...object("Service", "curl-ts"), urn: `${URN}ServicePatch::curl-ts`, type };
    const patched = { ...rest, deployment: { resources: [...deployment.resources, patch] } };
    await writeFile(join(folder.project, "state.json"), JSON.stringify(patched));
    there = new Set(["/version", "/api/v1", "/api/v1/namespaces/ts-team/services/curl-ts"]);
    assert.deepEqual(await away(), []);
    assert.equal(await away(), undefined);
  });

  it("forgets a stack into which a first run has put nothing, without a destroy, which would note its components", async () => {
    await run();
    await writeFile(join(folder.project, "state.json"), JSON.stringify({ version: 3, deployment: {} }));
    await writeFile(join(folder.project, "broken"), "error: it was asked for\n");
    assert.deepEqual(await down({ stack: "local", settings, target: {}, folder }), []);
    assert.equal(await folder.memory(), undefined);
  });

  it("reports that the Secret of a drill remains, and how to remove it", async () => {
    await run();
    const data = { state: Buffer.from('{"drill":"dns-gone"}').toString("base64") };
    secret = { metadata: { name: "eks-dns-logging-drill" }, data };
    there = new Set(["/version", "/api/v1", "/api/v1/namespaces/kube-system/secrets/eks-dns-logging-drill"]);
    const said = await saidBy(() => down({ stack: "local", settings, target: {}, folder }));
    assert.match(said, /^A drill \(dns-gone\) is on: /m);
    assert.match(
      said,
      /^The drill has left Secret kube-system\/eks-dns-logging-drill and its changes to CoreDNS: `npm run lab -- drill stop`/m,
    );
  });

  it("finds the cluster by another kubeconfig, and says what to do if it is gone", async () => {
    await run();
    const own = join(root, "kubeconfig");
    process.env.KUBECONFIG = join(root, "moved");
    await assert.rejects(down({ stack: "local", settings, target: {}, folder }), {
      message: /^no kubeconfig at .*moved: set .*\nIf the cluster is gone for good, delete the folder \.pulumi-state,/,
    });
    there = new Set(["/version", "/api/v1"]);
    assert.deepEqual(await down({ stack: "local", settings, target: { kubeconfig: own }, folder }), []);
  });
});
