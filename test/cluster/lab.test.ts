import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubernetesObject, V1Pod } from "@kubernetes/client-node";
import { kubeCluster } from "../../lab/kubernetes/client.ts";
import { loadKubeConfig } from "../../lab/kubernetes/connect.ts";
import { commandsOf, pages } from "../docs/markdown.ts";
import { leaveOut } from "../support/leave-out.ts";
import { runLab } from "../support/run-lab.ts";
import { readManifests, TestCluster, until } from "./cluster.ts";
import { enforcesPolicies } from "./enforcement.ts";

interface VerifyDocument {
  readonly summary: { readonly pass: number; readonly warn: number; readonly fail: number; readonly skip: number };
  readonly rows: readonly {
    readonly id: string;
    readonly group: string;
    readonly status: string;
    readonly detail: string;
  }[];
}

const PODS = [
  ["ts-team", "curl-ts"],
  ["sa-team", "curl-sa"],
] as const;

/** The collector's image may be out of reach of a test cluster, and then nothing arrives where it sends to. */
const WITHOUT_COLLECTOR = ["--skip", "collector"];

describe("the local stack on a real cluster, from its manifests", () => {
  const cluster = new TestCluster();
  let folder: string;
  let objects: KubernetesObject[] = [];

  before(async () => {
    for (const [namespace] of PODS) {
      assert.ok(
        !(await cluster.hasNamespace(namespace)),
        `namespace ${namespace} is there already: npm run lab -- down`,
      );
    }
    folder = await mkdtemp(join(tmpdir(), "manifests-"));
    const plan = await runLab(["plan", "--stack", "local", "--manifests", folder]);
    assert.equal(plan.exitCode, 0, plan.stderr);
    objects = await readManifests(folder);
  });

  after(async () => {
    for (const object of objects.toReversed()) await cluster.remove(object);
    await rm(folder, { recursive: true });
  });

  it("admits every object, in the order of the files", async () => {
    for (const object of objects) await cluster.apply(object);
    const kinds = new Set(objects.map((object) => object.kind));
    for (const kind of ["Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "Pod", "Service", "DaemonSet"]) {
      assert.ok(kinds.has(kind), `${kind} among ${[...kinds].join(", ")}`);
    }
  });

  it("runs the curl pods, under Pod Security restricted", async () => {
    for (const [namespace, name] of PODS) {
      await until(`pod ${name} is ready`, () => cluster.podIsReady(namespace, name));
    }
  });

  it("pings, resolves, curls and logs both ways, by every name (the collector's row left out)", async () => {
    const run = await runLab(["verify", "--json", ...WITHOUT_COLLECTOR]);
    const { rows, summary }: VerifyDocument = JSON.parse(run.stdout);
    assert.deepEqual(
      rows.filter((row) => row.status === "fail"),
      [],
      run.stderr,
    );
    assert.equal(run.exitCode, 0);
    assert.equal(summary.pass + summary.warn + summary.skip, rows.length);
    for (const id of [
      "ping:ts:sa",
      "ping:sa:ts",
      "dns:ts:sa:full",
      "dns:sa:ts:full",
      "curl:ts:sa:full",
      "curl:sa:ts:full",
    ]) {
      assert.equal(rows.find((row) => row.id === id)?.status, "pass", id);
    }
    // Only a network that does not enforce policies may turn a row into a warning.
    const denied = rows.filter(({ group }) => group === "deny");
    const warned = rows.filter(({ status }) => status === "warn");
    if (await enforcesPolicies()) {
      assert.deepEqual(warned, []);
      assert.equal(denied.length, PODS.length);
      for (const { detail } of denied) assert.match(detail, /^[\d.]+:8181 dropped, :53 open$/);
    } else assert.deepEqual(warned, denied);
  });

  it("answers each kubectl command of the page that walks through it", async function () {
    if (spawnSync("kubectl", ["version", "--client"]).status !== 0) return leaveOut(this, "no kubectl on the PATH");
    const page = pages().find(({ file }) => file === "docs/explanation/lab.md");
    assert.ok(page);
    const { items } = await cluster.core.listNamespacedPod({
      namespace: "kube-system",
      labelSelector: "k8s-app=kube-dns",
    });
    const address = (pod: V1Pod | undefined) => pod?.status?.podIP ?? "";
    const commands = commandsOf(page).filter(({ command }) => command.startsWith("kubectl "));
    assert.ok(commands.length >= 8);
    const printed = new Map<string, string>();
    for (const { where, command } of commands) {
      const here = command
        .replace("10.244.0.4", address(await cluster.pod("sa-team", "curl-sa")))
        .replace("COREDNS-POD-IP", address(items[0]));
      const { status, stdout, stderr } = spawnSync("sh", ["-c", here], { encoding: "utf8" });
      printed.set(command, stdout);
      if (command.includes(" run root ")) assert.match(stderr, /violates PodSecurity "restricted/, where);
      // Only some networks enforce policies.
      else if (!command.includes(":8080/")) assert.equal(status, 0, `${where}: ${here}: ${stderr}`);
    }
    const text = [...printed.values()].join("\n");
    assert.match(text, /^curl-sa answers \S+ from \S+$/m);
    assert.match(text, /^options ndots:3$/m);
    assert.match(text, /^1 packets transmitted, 1 received, 0% packet loss/m);
    assert.match(text, /^hello$/m);
  });

  it("is asked on a pod's own port, from inside of it, whatever policies say", async () => {
    const live = kubeCluster(await loadKubeConfig({}));
    const get = (pod: string, port: number, path: string) => live.podGet({ namespace: "sa-team", pod, port }, path);
    assert.match(await get("curl-sa", 80, "/"), /^curl-sa answers (127\.0\.0\.1|::1) from \1\n$/);
    await assert.rejects(get("curl-sa", 81, "/"), /^ClusterError: curl-sa:81: .*connection refused/);
    await assert.rejects(get("nobody", 80, "/"), { name: "ClusterError", kind: "not-found" });
  });

  it("refuses a pod that is not restricted, and names the rule", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "root", namespace: "ts-team" },
      spec: { containers: [{ name: "root", image: "busybox:1.37", command: ["sleep", "60"] }] },
    };
    await assert.rejects(cluster.apply(pod), /violates PodSecurity \\*"restricted/);
  });

  it("says in one line that a pod is gone, and which command brings it back", async () => {
    await cluster.remove({ apiVersion: "v1", kind: "Pod", metadata: { name: "curl-sa", namespace: "sa-team" } });
    const run = await runLab(["verify", "--only", "pods:sa"]);
    assert.equal(run.exitCode, 1);
    assert.match(run.stdout, /npm run lab -- up/);
    assert.doesNotMatch(run.stdout + run.stderr, /^\s+at /m);
  });
});
