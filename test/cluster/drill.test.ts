import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { readCluster } from "../../lab/audit/cluster-objects.ts";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import type { Drill } from "../../lab/drill/drill.ts";
import { DRILLS, offeredDrills, sceneOf } from "../../lab/drill/drill-list.ts";
import { readState } from "../../lab/drill/drill-state.ts";
import {
  checkDrill,
  type Environment,
  isRepaired,
  startDrill,
  stopDrill,
  untilWell,
} from "../../lab/drill/exercise.ts";
import { contentOf, fieldOf, objectStore, withField } from "../../lab/drill/object-store.ts";
import { kubeCluster } from "../../lab/kubernetes/client.ts";
import { loadKubeConfig } from "../../lab/kubernetes/connect.ts";
import { loadStack } from "../../lab/stack-file.ts";
import { planOf } from "../../lab/verify/catalog.ts";
import { leaveOut } from "../support/leave-out.ts";
import { runLab } from "../support/run-lab.ts";
import { readManifests, TestCluster, until } from "./cluster.ts";

const NAMESPACES = ["ts-team", "sa-team", "logging", "kube-system"];

/** Those that one node without a way out and without enforced policies cannot show, and why `start` refuses them. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "one-team-lost-dns": /row deny:ts:coredns says: .*(connected, though no policy allows it|refused)/,
  "peers-apart": /row deny:ts:coredns says: .*(connected, though no policy allows it|refused)/,
  "outside-fails": /row outside:ts says/,
  "outside-slow": /row outside:ts says/,
};

async function environment(): Promise<Environment> {
  const { settings } = await loadStack("local");
  const config = await loadKubeConfig({});
  const scene = sceneOf(settings);
  assert.ok(scene);
  return {
    store: objectStore(config),
    cluster: kubeCluster(config),
    stack: "local",
    plan: planOf("local", settings, 10),
    scene,
    pause: (seconds) => wait(Math.min(seconds, 1) * 1000),
    now: () => new Date(),
    onStep: () => {},
  };
}

/** Every object of the lab and of CoreDNS with the owners of its fields, but not the pods that a controller makes anew. */
async function everything(): Promise<Readonly<Record<string, unknown>>> {
  const { objects } = await readCluster(await loadKubeConfig({}), NAMESPACES);
  return Object.fromEntries(
    objects
      .filter(({ kind, content }) => kind !== "Pod" || fieldOf(content, ["metadata", "ownerReferences"]) === undefined)
      .map(({ kind, namespace, name, content }) => {
        const managers: unknown = fieldOf(content, ["metadata", "managedFields"]);
        const own = (Array.isArray(managers) ? managers : []).filter(
          (manager: unknown) => fieldOf(manager, ["subresource"]) === undefined,
        );
        const isControlled = kind === "ReplicaSet" || kind === "Deployment";
        return [`${kind} ${namespace}/${name}`, { ...contentOf(content), managers: isControlled ? [] : own }];
      }),
  );
}

async function stateOf(env: Environment) {
  const stored = await readState(env.store);
  assert.ok(stored);
  return stored;
}

describe("drills on a real cluster", () => {
  const cluster = new TestCluster();
  let env: Environment;
  let folder: string;
  let objects: KubernetesObject[] = [];
  let initial: Readonly<Record<string, unknown>>;

  before(async () => {
    assert.ok(!(await cluster.hasNamespace("ts-team")), "namespace ts-team is there already: npm run lab -- down");
    folder = await mkdtemp(join(tmpdir(), "manifests-"));
    const plan = await runLab(["plan", "--stack", "local", "--manifests", folder]);
    assert.equal(plan.exitCode, 0, plan.stderr);
    objects = await readManifests(folder);
    for (const object of objects) await cluster.apply(object);
    for (const team of ["ts", "sa"])
      await until(`pod curl-${team} is ready`, () => cluster.podIsReady(`${team}-team`, `curl-${team}`));
    env = await environment();
    initial = await everything();
  });

  after(async () => {
    const stored = await readState(env.store);
    if (stored !== undefined) await stopDrill(env, stored.state);
    for (const object of objects.toReversed()) await cluster.remove(object);
    await rm(folder, { recursive: true });
  });

  /** Starts a drill, sees it, and stops it. */
  async function exercise(drill: Drill): Promise<void> {
    const failing = await startDrill(env, drill);
    assert.ok(failing.length > 0);
    assert.equal((await stateOf(env)).state.drill, drill.name);
    const written = await stopDrill(env, (await stateOf(env)).state);
    assert.ok(written.length > 0);
    assert.deepEqual(await untilWell(env, drill), []);
    assert.deepEqual(await everything(), initial);
  }

  for (const drill of DRILLS.filter(({ part }) => part !== "logs")) {
    const refusal = REFUSED[drill.name];
    if (refusal === undefined)
      it(`${drill.name}: the rows of verify see it, and everything is as it was afterwards`, () => exercise(drill));
    else
      it(`${drill.name}: is refused, since this cluster cannot show it`, async () => {
        await assert.rejects(startDrill(env, drill), refusal);
        assert.equal(await readState(env.store), undefined);
      });
  }

  for (const drill of DRILLS.filter(({ part }) => part === "logs"))
    it(`${drill.name}: takes lines away, or is not offered`, async function () {
      const offer = (await offeredDrills(env.scene.settings, env.store)).find((one) => one.drill === drill);
      if (offer?.unfit !== undefined) return assert.match(offer.unfit, /destination/);
      const pods = await env.cluster.pods("logging", "app.kubernetes.io/name=fluent-bit");
      if (!pods.some(({ ready }) => ready)) return leaveOut(this, "this cluster has no image of Fluent Bit");
      return exercise(drill);
    });

  it("judges a repair by hand", async () => {
    const drill = DRILLS.find(({ name }) => name === "port-moved");
    assert.ok(drill);
    await startDrill(env, drill);
    assert.equal(isRepaired(await checkDrill(env, drill, await stateOf(env))), false);
    const ref = { apiVersion: "v1", plural: "services", namespace: "sa-team", name: "curl-sa" };
    const service = await env.store.read(ref);
    assert.ok(service);
    const ports = [{ name: "http", port: 80, protocol: "TCP", targetPort: 80 }];
    await env.store.replace(ref, withField(service, ["spec", "ports"], ports));
    assert.equal(isRepaired(await checkDrill(env, drill, await stateOf(env))), true);
    assert.ok((await stateOf(env)).state.repairedAfter !== undefined);
    await stopDrill(env, (await stateOf(env)).state);
    assert.deepEqual(await everything(), initial);
  });

  it("runs from the command line, and survives the death of `start`", async () => {
    const yes = ["--yes-on", cluster.context];
    const refused = await runLab(["drill", "start", "dns-gone"]);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /kube-system\/coredns.*--yes-on/s);
    const child = spawn(process.execPath, [join(PROJECT_ROOT, "lab/main.ts"), "drill", "start", "dns-gone", ...yes]);
    await until("the Corefile is changed", async () => {
      const { Corefile = "" } = await env.cluster.configMap("kube-system", "coredns");
      return Corefile.includes("cahce");
    });
    child.kill("SIGKILL");
    await once(child, "exit");
    const verify = await runLab(["verify", "--only", "pods:ts"]);
    assert.match(verify.stderr, /^A drill \(dns-gone\) is on/);
    const hint = await runLab(["drill", "hint"]);
    assert.match(hint.stdout, /^Hint 1 of 3: /);
    const early = await runLab(["drill", "explain"]);
    assert.equal(early.exitCode, 1, early.stdout);
    const stop = await runLab(["drill", "stop"]);
    assert.equal(stop.exitCode, 0, stop.stdout + stop.stderr);
    assert.match(stop.stdout, /^Drill dns-gone has ended\. Restored: configmaps kube-system\/coredns\.$/m);
    assert.equal((await runLab(["drill", "stop"])).stdout, "No drill is on.\n");
    assert.match((await runLab(["drill", "explain", "dns-gone"])).stdout, /^Cause: {3}The Corefile names a plugin/);
    assert.deepEqual(await everything(), initial);
  });
});
