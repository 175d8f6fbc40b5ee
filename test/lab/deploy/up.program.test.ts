import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseSettings } from "../../../components/settings.ts";
import { down, up } from "../../../lab/deploy/deployment.ts";
import { object, STATE, URN } from "./fake-pulumi.ts";
import { interruptedRun } from "./interrupted-run.ts";

describe("up and down", () => {
  const settings = parseSettings({ "eks-dns-logging:cluster": '{"kind":"existing"}' });
  const scene = interruptedRun();

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
    up({
      stack: "local",
      settings,
      target: context === undefined ? {} : { context },
      kind: false,
      folder: scene.folder,
    });

  it("completes an interrupted run, replaces the ended pod, and remembers its cluster", async () => {
    assert.deepEqual(await run(), { context: "one" });
    const call = (await scene.asked()).find((line) => line.startsWith("up "));
    assert.match(call ?? "", /--refresh .*--run-program=true/);
    assert.ok(call?.includes(`--replace ${URN}Pod::curl-ts`));
    const state = JSON.parse(await readFile(join(scene.folder.project, "state.json"), "utf8"));
    assert.deepEqual(
      state.deployment.resources.map((resource: { id: string }) => resource.id),
      ["ts-team/curl-ts", "ts-team/curl-ts"],
    );
    assert.equal(state.deployment.pending_operations, undefined);
    assert.deepEqual(await scene.folder.memory(), { context: "one" });
  });

  it("changes nothing if the namespace of Prometheus is missing, and continues once it exists", async () => {
    const watched = parseSettings({
      "eks-dns-logging:cluster": '{"kind":"existing"}',
      "eks-dns-logging:monitoring": '{"kind":"annotations"}',
    });
    const again = () => up({ stack: "local", settings: watched, target: {}, kind: false, folder: scene.folder });
    await assert.rejects(again(), {
      message:
        'nothing was changed:\n  monitoring.prometheus.namespace: must be a namespace that exists (found "monitoring")',
      exitCode: 2,
    });
    await assert.rejects(scene.asked(), { code: "ENOENT" });
    scene.there.add("/api/v1/namespaces/monitoring");
    assert.deepEqual(await again(), { context: "one" });
  });

  it("changes nothing if the kinds of Prometheus Operator are missing, and continues once they exist", async () => {
    const watched = { ...settings, monitoring: { ...settings.monitoring, kind: "prometheus-operator" as const } };
    const again = () => up({ stack: "local", settings: watched, target: {}, kind: false, folder: scene.folder });
    await assert.rejects(again(), {
      message: `nothing was changed:
  monitoring.prometheus.namespace: must be a namespace that exists (found "monitoring")
  monitoring.kind: must be annotations or none until the cluster has PodMonitor and PrometheusRule (monitoring.coreos.com/v1), which Prometheus Operator's CustomResourceDefinitions add (found "prometheus-operator")`,
      exitCode: 2,
    });
    await assert.rejects(scene.asked(), { code: "ENOENT" });
    scene.there.add("/api/v1/namespaces/monitoring").add("/apis/monitoring.coreos.com/v1");
    assert.deepEqual(await again(), { context: "one" });
  });

  it("names the namespace that is deleted with all its content", async () => {
    const namespace = {
      ...object("Namespace", "qa-team"),
      inputs: { apiVersion: "v1", kind: "Namespace", metadata: { name: "qa-team" } },
    };
    await writeFile(
      join(scene.folder.project, "state.json"),
      JSON.stringify({ version: 3, deployment: { resources: [namespace] } }),
    );
    assert.match(
      await saidBy(run),
      /^Deleting namespace qa-team, which the settings no longer create, with everything in it: /m,
    );
  });

  it("replaces what grants or denies access if another tool added to it, since a refresh does not see that", async () => {
    const namespace = "ts-team";
    const resource = (
      apiVersion: string,
      kind: string,
      name: string,
      content: object,
      place: object = { namespace },
    ) => ({
      urn: `urn:pulumi:local::lab::kubernetes:${apiVersion}:${kind}::${name}`,
      type: `kubernetes:${apiVersion}:${kind}`,
      custom: true,
      inputs: { apiVersion, kind, metadata: { name, ...place }, ...content },
    });
    const [network, rbac] = ["networking.k8s.io/v1", "rbac.authorization.k8s.io/v1"];
    const read = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
    const subject = { kind: "Group", name: "devs" };
    const [deny, dns, role, binding] = [
      resource(network, "NetworkPolicy", "default-deny", { spec: { podSelector: {} } }),
      resource(network, "NetworkPolicy", "allow-dns", { spec: { podSelector: {}, egress: [{}] } }),
      resource(rbac, "ClusterRole", "reader", { rules: [read] }, {}),
      resource(rbac, "RoleBinding", "members", { subjects: [subject] }),
    ];
    await writeFile(
      join(scene.folder.project, "state.json"),
      JSON.stringify({ version: 3, deployment: { resources: [deny, dns, role, binding] } }),
    );
    const live = (path: string, { inputs }: typeof deny, more: object) =>
      scene.objects.set(`/apis/${path}`, { ...inputs, metadata: { ...inputs.metadata, uid: "1" }, ...more });
    const policies = `${network}/namespaces/${namespace}/networkpolicies`;
    live(`${policies}/default-deny`, deny, { spec: { podSelector: {}, ingress: [{}] } });
    live(`${policies}/allow-dns`, dns, {});
    live(`${rbac}/clusterroles/reader`, role, { rules: [read, { ...read, verbs: ["*"] }] });
    live(`${rbac}/namespaces/${namespace}/rolebindings/members`, binding, { subjects: [subject, subject] });
    const said = await saidBy(run);
    assert.match(said, /^Replacing NetworkPolicy ts-team\/default-deny, to which another tool added spec\.ingress$/m);
    assert.match(said, /^Replacing ClusterRole reader, to which another tool added rules\[1\]$/m);
    const call = (await scene.asked()).find((line) => line.startsWith("up "));
    assert.deepEqual(
      [...(call ?? "").matchAll(/--replace (\S+)/g)].map(([, urn]) => urn),
      [deny.urn, role.urn, binding.urn],
    );
  });

  it("downloads the only provider that it needs, once", async () => {
    await run();
    const { version } = createRequire(import.meta.url)("@pulumi/kubernetes/package.json");
    const installs = async () => (await scene.asked()).filter((line) => line.startsWith("plugin install"));
    assert.equal((await installs())[0]?.split(" --")[0], `plugin install resource kubernetes v${version}`);
    await writeFile(join(scene.folder.project, "plugins.json"), JSON.stringify([{ name: "kubernetes", version }]));
    await run();
    assert.equal((await installs()).length, 1);
    const fetching = (await scene.asked()).filter((line) => line.startsWith("fetching"));
    assert.deepEqual([...new Set(fetching)], ["fetching of itself: off"]);
  });

  it("reports in one line that the provider cannot be downloaded", async () => {
    await writeFile(join(scene.folder.project, "offline"), "");
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
    await writeFile(join(scene.folder.project, "broken"), "error: it broke\n");
    await assert.rejects(run(), /^Failure: pulumi up failed: it broke; run the same command again to continue$/);
    await rm(join(scene.folder.project, "broken"));
    assert.deepEqual(await run(), { context: "one" });
  });

  it("waits for another run, whenever that one has begun", async () => {
    const lock = "file:///x/.pulumi/locks/organization/eks-dns-logging/local/4e9e-1.json?no_tmp_dir=true";
    await writeFile(
      join(scene.folder.project, "broken"),
      `error: the stack is currently locked by 1 lock(s). Either wait for it or delete the lock file.\n  ${lock}: created by me@here (pid 4711) at noon\n`,
    );
    await assert.rejects(run(), {
      message: "another run is using stack 'local' (process 4711): wait until it ends",
      exitCode: 2,
    });
    await writeFile(
      join(scene.folder.project, "sealed"),
      "error: stack 'organization/eks-dns-logging/local' already exists\n",
    );
    await assert.rejects(run(), { message: "another run is using stack 'local': wait until it ends", exitCode: 2 });
  });

  it("reports a changed passphrase, whichever command detects it", async () => {
    const words = /: set PULUMI_CONFIG_PASSPHRASE to the value at the first run, or unset it if there was none/;
    await writeFile(join(scene.folder.project, "broken"), "error: get stack secrets manager: incorrect passphrase\n");
    await assert.rejects(run(), words);
    await writeFile(join(scene.folder.project, "sealed"), "error: incorrect passphrase\n");
    await assert.rejects(run(), (error: Error) => error.name === "Failure" && words.test(error.message));
  });

  it("removes everything, forgets the state, and names what the cluster still has", async () => {
    const away = () => down({ stack: "local", settings, target: {}, folder: scene.folder });
    assert.equal(await away(), undefined);
    await run();
    assert.deepEqual(await away(), ["Pod ts-team/curl-ts", "Service ts-team/curl-ts"]);
    // An object that is only patched stays, as the Service of an adopted namespace, and is not left over.
    const { deployment, ...rest } = STATE;
    const type = "kubernetes:core/v1:ServicePatch";
    const patch = { ...object("Service", "curl-ts"), urn: `${URN}ServicePatch::curl-ts`, type };
    const patched = { ...rest, deployment: { resources: [...deployment.resources, patch] } };
    await writeFile(join(scene.folder.project, "state.json"), JSON.stringify(patched));
    scene.there = new Set(["/version", "/api/v1", "/api/v1/namespaces/ts-team/services/curl-ts"]);
    assert.deepEqual(await away(), []);
    assert.equal(await away(), undefined);
  });

  it("records a policy again that a stopped removal forgot, since its namespace is still there", async () => {
    const namespace = { ...object("Namespace", "ts-namespace"), id: "ts-team" };
    const pod = { ...object("Pod", "deny"), id: "ts-team/deny", deletedWith: namespace.urn };
    const write = (file: string, resources: readonly object[]) =>
      writeFile(join(scene.folder.project, file), JSON.stringify({ version: 3, deployment: { resources } }));
    await run();
    await write("state.json", [namespace, pod]);
    await write("after.json", [namespace]);
    await writeFile(join(scene.folder.project, "broken"), "error: destroy canceled\n");
    await assert.rejects(down({ stack: "local", settings, target: {}, folder: scene.folder }), /destroy failed/);
    assert.deepEqual((await scene.folder.memory())?.unanswered, [pod]);
    await rm(join(scene.folder.project, "broken"));
    scene.there.add("/api/v1/namespaces/ts-team/pods/deny");
    assert.deepEqual(await run(), { context: "one" });
    const state = JSON.parse(await readFile(join(scene.folder.project, "state.json"), "utf8"));
    assert.deepEqual(
      state.deployment.resources.map(({ id }: { id: string }) => id),
      ["ts-team", "ts-team/deny"],
    );
  });

  it("forgets a stack into which a first run has put nothing, without a destroy, which would note its components", async () => {
    await run();
    await writeFile(join(scene.folder.project, "state.json"), JSON.stringify({ version: 3, deployment: {} }));
    await writeFile(join(scene.folder.project, "broken"), "error: it was asked for\n");
    assert.deepEqual(await down({ stack: "local", settings, target: {}, folder: scene.folder }), []);
    assert.equal(await scene.folder.memory(), undefined);
  });

  it("reports that the Secret of a drill remains, and how to remove it", async () => {
    await run();
    const data = { state: Buffer.from('{"drill":"dns-gone"}').toString("base64") };
    scene.secret = { metadata: { name: "eks-dns-logging-drill" }, data };
    scene.there = new Set(["/version", "/api/v1", "/api/v1/namespaces/kube-system/secrets/eks-dns-logging-drill"]);
    const said = await saidBy(() => down({ stack: "local", settings, target: {}, folder: scene.folder }));
    assert.match(said, /^A drill \(dns-gone\) is on: /m);
    assert.match(
      said,
      /^The drill has left Secret kube-system\/eks-dns-logging-drill and its changes to CoreDNS: `npm run lab -- drill stop`/m,
    );
  });

  it("finds the cluster by another kubeconfig, and says what to do if it is gone", async () => {
    await run();
    const own = join(scene.root, "kubeconfig");
    process.env.KUBECONFIG = join(scene.root, "moved");
    await assert.rejects(down({ stack: "local", settings, target: {}, folder: scene.folder }), {
      message: /^no kubeconfig at .*moved: set .*\nIf the cluster is gone for good, delete the folder \.pulumi-state,/,
    });
    scene.there = new Set(["/version", "/api/v1"]);
    assert.deepEqual(await down({ stack: "local", settings, target: { kubeconfig: own }, folder: scene.folder }), []);
  });
});
