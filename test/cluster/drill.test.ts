import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import type { Settings } from "../../components/settings.ts";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import type { Drill } from "../../lab/drill/drill.ts";
import { DRILLS, offeredDrills } from "../../lab/drill/drill-list.ts";
import {
  checkDrill,
  type Environment,
  isRepaired,
  startDrill,
  stopDrill,
  untilHealthy,
} from "../../lab/drill/drill-run.ts";
import { readState } from "../../lab/drill/drill-state.ts";
import { withField } from "../../lab/kubernetes/object-store.ts";
import { loadStack } from "../../lab/stack-file.ts";
import { leaveOut } from "../support/leave-out.ts";
import { runLab } from "../support/run-lab.ts";
import { readManifests, removeAll, TestCluster, until } from "./cluster.ts";
import { askCoreDnsOften, environment, everything, PAIRS, type Pair, stackFile, stateOf } from "./drills.ts";
import { enforcesPolicies } from "./enforcement.ts";

const [FIRST, ...QUEUES] = PAIRS;

const namespacesOf = (pairs: readonly Pair[]) => pairs.flat().map(teamNamespace);
const OF_LOGS = [...namespacesOf([FIRST]), "logging"];
const ALL = [...namespacesOf(PAIRS), "logging", "kube-system"];

type Refusals = Readonly<Record<string, RegExp>>;
/** Those that one node without a way out cannot show, and why `start` refuses them. */
const WITHOUT_OUTSIDE: Refusals = { "outside-fails": /row outside:ts says/, "outside-slow": /row outside:ts says/ };
/** The same of those that need a network which enforces policies. */
const NEEDS_POLICIES = /row deny:\S+:coredns says: .*(connected, though no policy allows it|refused)/;
const WITHOUT_POLICIES: Refusals = { "one-team-lost-dns": NEEDS_POLICIES, "peers-apart": NEEDS_POLICIES };

describe("drills on a real cluster", () => {
  const cluster = new TestCluster();
  let settings: Settings;
  let env: Environment;
  let folder: string;
  let objects: KubernetesObject[] = [];
  let initial: Readonly<Record<string, unknown>>;
  let refused: Refusals = WITHOUT_OUTSIDE;
  let askAsBefore = async (): Promise<void> => {};
  /** What runs side by side, by the name of the drill. */
  const running = new Map<string, Promise<string | undefined>>();

  before(async () => {
    for (const namespace of namespacesOf(PAIRS))
      assert.ok(!(await cluster.hasNamespace(namespace)), `namespace ${namespace} is there already`);
    if (!(await enforcesPolicies())) refused = { ...WITHOUT_OUTSIDE, ...WITHOUT_POLICIES };
    folder = await mkdtemp(join(tmpdir(), "drills-"));
    const file = await stackFile(folder);
    ({ settings } = await loadStack("drills", folder));
    env = await environment(settings, FIRST);
    const slowly = askCoreDnsOften(env.store);
    const plan = await runLab([
      "plan",
      "--stack",
      "drills",
      "--config-file",
      file,
      "--manifests",
      join(folder, "manifests"),
    ]);
    assert.equal(plan.exitCode, 0, plan.stderr);
    objects = await readManifests(join(folder, "manifests"));
    askAsBefore = await slowly;
    await applyAll(objects);
    for (const team of PAIRS.flat())
      await until(`pod curl-${team} is ready`, () => cluster.podIsReady(teamNamespace(team), `curl-${team}`));
    initial = await everything(ALL);
    startQueues();
  });

  after(async () => {
    await Promise.allSettled(running.values());
    const stored = await readState(env.store);
    if (stored !== undefined) await stopDrill(env, stored.state);
    await askAsBefore();
    await removeAll(cluster, objects);
    await rm(folder, { recursive: true });
  });

  /** In their order within each namespace, after all that is in none. */
  async function applyAll(all: readonly KubernetesObject[]): Promise<void> {
    const { none = [], ...byNamespace } = Object.groupBy(all, ({ metadata }) => metadata?.namespace ?? "none");
    const applyEach = async (some: readonly KubernetesObject[] = []) => {
      for (const object of some) await cluster.apply(object);
    };
    await applyEach(none);
    await Promise.all(Object.values(byNamespace).map(applyEach));
  }

  /** Starts a drill, sees it, and stops it. */
  async function exercise(drill: Drill, own: Environment, namespaces: readonly string[]): Promise<void> {
    const failing = await startDrill(own, drill);
    assert.ok(failing.length > 0);
    assert.equal((await stateOf(own)).state.drill, drill.name);
    const written = await stopDrill(own, (await stateOf(own)).state);
    assert.ok(written.length > 0);
    assert.deepEqual(await untilHealthy(own, drill), []);
    await isAsBefore(namespaces);
  }

  /** Whether all is as it was, or what is in these namespaces where other drills are on. */
  async function isAsBefore(namespaces: readonly string[]): Promise<void> {
    const inThem = (objects: Readonly<Record<string, unknown>>) =>
      namespaces === ALL
        ? objects
        : Object.fromEntries(
            Object.entries(objects).filter(([key]) => namespaces.some((one) => key.includes(` ${one}/`))),
          );
    assert.deepEqual(inThem(await everything(namespaces)), inThem(initial));
  }

  async function refuse(drill: Drill, own: Environment, refusal: RegExp): Promise<void> {
    await assert.rejects(startDrill(own, drill), refusal);
    assert.equal(await readState(own.store), undefined);
  }

  /** @returns why it was left out. */
  async function exerciseLogs(drill: Drill): Promise<string | undefined> {
    const offer = (await offeredDrills(settings, env.store)).find((one) => one.drill === drill);
    if (offer?.unfit !== undefined) {
      assert.match(offer.unfit, /destination/);
      return undefined;
    }
    const pods = () => env.cluster.pods("logging", "app.kubernetes.io/name=fluent-bit");
    let hasNoImage = false;
    await until("the collector is ready, or its image is not there", async () => {
      const all = await pods();
      hasNoImage = all.some(({ reason }) => /Image/.test(reason));
      return hasNoImage || (all.length > 0 && all.every(({ ready, deleting }) => ready && !deleting));
    });
    if (hasNoImage) return "this cluster has no image of Fluent Bit";
    await exercise(drill, env, OF_LOGS);
    return undefined;
  }

  /** One drill of a pair after the other, and the pairs side by side. */
  function startQueues(): void {
    const enqueue = (drills: readonly Drill[], run: (drill: Drill) => Promise<string | undefined>) => {
      let last: Promise<unknown> = Promise.resolve();
      for (const drill of drills) {
        const result = last.then(() => run(drill));
        // The test of the drill tells it.
        last = result.catch(() => undefined);
        running.set(drill.name, result);
      }
    };
    enqueue(
      DRILLS.filter(({ part }) => part === "logs"),
      exerciseLogs,
    );
    const ofTeams = DRILLS.filter(({ part }) => part === "teams");
    for (const [at, pair] of QUEUES.entries())
      enqueue(
        ofTeams.filter((_, index) => index % QUEUES.length === at),
        async (drill) => {
          const own = await environment(settings, pair);
          const refusal = refused[drill.name];
          await (refusal === undefined ? exercise(drill, own, namespacesOf([pair])) : refuse(drill, own, refusal));
          return undefined;
        },
      );
  }

  const SHOWN = "the rows of verify see it, and everything is as it was afterwards";
  function titleOf({ name }: Drill): string {
    if (name in WITHOUT_OUTSIDE) return `${name}: is refused, since this cluster cannot show it`;
    return name in WITHOUT_POLICIES
      ? `${name}: ${SHOWN}; or it is refused where the network does not enforce policies`
      : `${name}: ${SHOWN}`;
  }

  for (const drill of DRILLS.filter(({ part }) => part === "teams"))
    it(titleOf(drill), async () => {
      await running.get(drill.name);
    });

  for (const drill of DRILLS.filter(({ part }) => part === "logs"))
    it(`${drill.name}: takes lines away, or is not offered`, async function () {
      const reason = await running.get(drill.name);
      if (reason !== undefined) leaveOut(this, reason);
    });

  it("leave everything as it was, though they ran side by side", async () => {
    assert.equal(running.size, DRILLS.filter(({ part }) => part !== "dns").length);
    await isAsBefore(ALL);
  });

  /** The drill before has replaced CoreDNS: names that resolve once may not for another moment. */
  async function namesResolve(drill: Drill): Promise<void> {
    for (let times = 0; times < 3; times += 1) {
      assert.deepEqual(await untilHealthy(env, drill), []);
      await wait(1000);
    }
  }

  // These take the names of everybody away.
  for (const drill of DRILLS.filter(({ part }) => part === "dns"))
    it(titleOf(drill), async () => {
      const refusal = refused[drill.name];
      if (refusal === undefined) await namesResolve(drill);
      await (refusal === undefined ? exercise(drill, env, ALL) : refuse(drill, env, refusal));
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
    await isAsBefore(ALL);
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
    const [verify, early] = await Promise.all([runLab(["verify", "--only", "pods:ts"]), runLab(["drill", "explain"])]);
    assert.match(verify.stderr, /^A drill \(dns-gone\) is on/);
    assert.equal(early.exitCode, 1, early.stdout);
    const hint = await runLab(["drill", "hint"]);
    assert.match(hint.stdout, /^Hint 1 of 3: /);
    const stop = await runLab(["drill", "stop"]);
    assert.equal(stop.exitCode, 0, stop.stdout + stop.stderr);
    assert.match(stop.stdout, /^Drill dns-gone has ended\. Restored: configmaps kube-system\/coredns\.$/m);
    const [again, explain] = await Promise.all([runLab(["drill", "stop"]), runLab(["drill", "explain", "dns-gone"])]);
    assert.equal(again.stdout, "No drill is on.\n");
    assert.match(explain.stdout, /^Cause: {3}The Corefile names a plugin/);
    await isAsBefore(ALL);
  });
});
