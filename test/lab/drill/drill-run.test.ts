import assert from "node:assert/strict";
import { COLLECTOR_DRILLS } from "../../../lab/drill/collector-drills.ts";
import type { Drill } from "../../../lab/drill/drill.ts";
import { DRILLS } from "../../../lab/drill/drill-list.ts";
import {
  checkDrill,
  drillVerdict,
  type Environment,
  isRepaired,
  startDrill,
  stopDrill,
  untilHealthy,
} from "../../../lab/drill/drill-run.ts";
import { readState, restoreAll } from "../../../lab/drill/drill-state.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { drillNotice } from "../../../lab/kubernetes/connect.ts";
import { type Check, fail, pass, warn } from "../../../lab/verify/result.ts";
import { runningPod } from "../verify/fake-cluster.ts";
import type { FakeApi } from "./fake-api.ts";
import { fakeLab } from "./fake-lab.ts";

/** More than any drill needs. */
const MAX_WRITES = 25;

/** Drills that the fake cluster can show. */
const SHOWN = DRILLS.filter(({ part }) => part !== "logs");

function drillOf(name: string): Drill {
  const drill = DRILLS.find((one) => one.name === name);
  assert.ok(drill, name);
  return drill;
}

async function stored(env: Environment) {
  const found = await readState(env.store);
  assert.ok(found);
  return found;
}

describe("the verdict of a drill", () => {
  it("gives each row the status of verify, and says why one does not count", () => {
    const row = { id: "dns:ts:sa", group: "dns", what: "finds sa", from: "ts", to: "sa", milliseconds: 1 } as const;
    assert.equal(
      drillVerdict([
        { ...row, ...pass("10.0.0.1") },
        { ...row, id: "restarts:dns", ...warn("1 restart", "it runs again") },
        { ...row, id: "curl:ts:sa", ...fail("timeout", "a policy") },
      ]),
      "pass  dns:ts:sa  finds sa\nwarn  restarts:dns  finds sa: 1 restart\nFAIL  curl:ts:sa  finds sa\nNot repaired yet. Next: `npm run lab -- drill hint`.\n",
    );
  });
});

describe("a drill", () => {
  let api: FakeApi;
  let env: Environment;
  beforeEach(async () => {
    ({ api, env } = await fakeLab());
  });
  afterEach(() => api.stop());

  for (const drill of SHOWN) {
    it(`${drill.name} makes its rows fail, and leaves every object as it was, its owners too`, async () => {
      const before = api.snapshot();
      const failing = await startDrill(env, drill);
      assert.ok(failing.length > 0);
      assert.notDeepEqual(api.snapshot(), before);
      const { state } = await stored(env);
      assert.equal(state.drill, drill.name);
      assert.equal(isRepaired(await checkDrill(env, drill, await stored(env))), false);
      assert.equal((await stored(env)).state.repairedAfter, undefined);

      const written = await stopDrill(env, state);
      assert.ok(written.length > 0);
      assert.deepEqual(api.snapshot(), before);
      assert.equal(await readState(env.store), undefined);
    });
  }

  it("measures the time of a manual repair, and restores what the learner left different", async () => {
    const drill = drillOf("no-answer");
    const before = api.snapshot();
    await startDrill(env, drill);
    const { state } = await stored(env);
    await env.pause(90);
    // As a learner repairs it: with one label more than there was.
    const path = "/api/v1/namespaces/sa-team/services/curl-sa";
    const service = api.object(path);
    assert.ok(service);
    api.put(path, { ...service, spec: { selector: { app: "curl-sa" }, ports: [{ port: 80, targetPort: 80 }] } });
    const rows = await checkDrill(env, drill, await stored(env));
    assert.equal(isRepaired(rows), true);
    assert.equal((await stored(env)).state.repairedAfter, 90);
    await stopDrill(env, state);
    assert.deepEqual(api.snapshot(), before);
  });

  it("refuses a second one", async () => {
    await startDrill(env, drillOf("no-answer"));
    const during = api.snapshot();
    await assert.rejects(
      startDrill(env, drillOf("dns-gone")),
      /^Failure: drill no-answer is on: end it with `npm run lab -- drill stop` first$/,
    );
    assert.deepEqual(api.snapshot(), during);
  });

  it("refuses an unhealthy lab, and writes nothing", async () => {
    api.objects.delete("/api/v1/namespaces/sa-team/services/curl-sa");
    await assert.rejects(startDrill(env, drillOf("no-answer")), /needs a healthy lab, but row service:sa says/);
    assert.deepEqual(api.writes, []);
  });

  it("waits for pods that another drill's end still replaces", async () => {
    const path = "/api/v1/namespaces/sa-team/services/curl-sa";
    const service = api.objects.get(path);
    assert.ok(service);
    api.objects.delete(path);
    let pauses = 0;
    const pause = async (seconds: number) => {
      pauses += 1;
      if (pauses === 3) api.objects.set(path, service);
      await env.pause(seconds);
    };
    assert.ok((await startDrill({ ...env, pause }, drillOf("no-answer"))).length > 0);
    assert.ok(pauses >= 3);
  });

  it("restores everything if the symptom does not show", async () => {
    const before = api.snapshot();
    const blind = { ...drillOf("no-answer"), rows: () => ["pods:sa"] };
    await assert.rejects(startDrill(env, blind), /does not show the fault of drill no-answer within 120 s/);
    assert.deepEqual(api.snapshot(), before);
  });

  for (const step of ["setting the fault", "waiting until the fault shows"])
    it(`puts everything back where it is stopped by Ctrl-C: ${step}`, async () => {
      const before = api.snapshot();
      const stopping = new AbortController();
      const onStep = (text: string) => {
        if (text === step) stopping.abort();
      };
      await assert.rejects(startDrill({ ...env, onStep, signal: stopping.signal }, drillOf("pod-refused")), {
        message: "stopped: everything was restored",
        exitCode: 130,
      });
      assert.deepEqual(api.snapshot(), before);
      assert.equal(await readState(env.store), undefined);
    });

  it("restores everything if it is stopped while the symptom starts to show", async () => {
    const before = api.snapshot();
    const stopping = new AbortController();
    let looks = 0;
    const seen: Check = {
      ...{ id: "seen", group: "pods", what: "the fault", from: "", to: "" },
      run: async () => {
        looks += 1;
        if (looks === 1) return pass("well");
        stopping.abort();
        return fail("faulty", "the drill");
      },
    };
    const drill = { ...drillOf("no-answer"), rows: () => [], checks: () => [seen] };
    await assert.rejects(startDrill({ ...env, signal: stopping.signal }, drill), { exitCode: 130 });
    assert.deepEqual(api.snapshot(), before);
  });

  it("does not mistake the restart of pods for its fault", async () => {
    const before = api.snapshot();
    let looks = 0;
    const pods = async () => {
      looks += 1;
      return [runningPod("dns", { ready: looks > 4 })];
    };
    const whileRestarting: Check = {
      ...{ id: "restart", group: "pods", what: "pods run", from: "", to: "" },
      run: async (lab) => {
        const [pod] = looks === 0 ? [{ ready: true }] : await lab.cluster.pods("kube-system", "");
        return pod?.ready ? pass("ready") : fail("not ready", "it starts");
      },
    };
    const blind = { ...drillOf("dns-gone"), rows: () => [], checks: () => [whileRestarting] };
    await assert.rejects(
      startDrill({ ...env, cluster: { ...env.cluster, pods } }, blind),
      /does not show the fault of drill dns-gone within 120 s/,
    );
    assert.ok(looks > 4);
    assert.deepEqual(api.snapshot(), before);
  });

  it("restores everything if a write is rejected", async () => {
    const before = api.snapshot();
    api.refusal = { request: "DELETE /api/v1/namespaces/sa-team/pods/curl-sa", status: 403 };
    await assert.rejects(startDrill(env, drillOf("pod-refused")), { name: "ClusterError", kind: "forbidden" });
    assert.deepEqual(api.snapshot(), before);
  });

  it("waits if the quota is outdated when its pod is recreated", async () => {
    const before = api.snapshot();
    await startDrill(env, drillOf("pod-does-not-return"));
    api.refusal = { request: "POST /api/v1/namespaces/sa-team/pods", status: 403 };
    await stopDrill(env, (await stored(env)).state);
    assert.deepEqual(api.snapshot(), before);
  });

  it("ends if the namespace was deleted meanwhile", async () => {
    await startDrill(env, drillOf("name-vanished"));
    api.refusal = { request: "POST /api/v1/namespaces/sa-team/services", status: 404 };
    assert.deepEqual(await stopDrill(env, (await stored(env)).state), []);
    assert.equal(await readState(env.store), undefined);
  });

  it("does not wait if the lab was removed meanwhile", async () => {
    const drill = drillOf("no-answer");
    await startDrill(env, drill);
    assert.deepEqual(
      (await untilHealthy(env, drill)).map(({ id }) => id),
      ["service:sa", "curl:ts:sa:full"],
    );
    const namespaceLabels = async () => {
      throw new ClusterError("not-found", 'namespaces "ts-team" not found');
    };
    const begin = env.now();
    assert.deepEqual(await untilHealthy({ ...env, cluster: { ...env.cluster, namespaceLabels } }, drill), []);
    assert.deepEqual(env.now(), begin);
  });

  it("is announced by other commands, unless they may not read it", async () => {
    const secret = async () => ({ state: JSON.stringify({ drill: "no-answer" }) });
    assert.match((await drillNotice({ secret })) ?? "", /^A drill \(no-answer\) is on: .*`npm run lab -- drill stop`/);
    assert.match((await drillNotice({ secret: async () => ({ state: "?" }) })) ?? "", /^A drill is on/);
    assert.equal(await drillNotice({ secret: async () => ({}) }), undefined);
    assert.equal(await drillNotice({ secret: () => Promise.reject(new Error("forbidden")) }), undefined);
  });

  it("recreates a Service that cannot be changed back", async () => {
    const before = api.snapshot();
    await startDrill(env, drillOf("no-answer"));
    api.refusal = { request: "PUT /api/v1/namespaces/sa-team/services/curl-sa", status: 422 };
    await stopDrill(env, (await stored(env)).state);
    assert.deepEqual(api.snapshot(), before);
    assert.ok(api.writes.includes("DELETE /api/v1/namespaces/sa-team/services/curl-sa"));
  });
});

const COLLECTOR_FAULTS = /\/tmp\/positions\.db|"sizeLimit":"4Ki"|"cpu":"20m"|batch-report/;

/** A drill about the collector, which the fake does not run: its row looks at the objects. */
function seenInObjects(drill: Drill, api: FakeApi): Drill {
  const check: Check = {
    ...{ id: "objects", group: "state", what: "objects", from: "", to: "" },
    run: async () =>
      COLLECTOR_FAULTS.test(JSON.stringify([...api.objects.values()])) ? fail("faulty", "a drill") : pass("well"),
  };
  return { ...drill, rows: () => [], checks: () => [check] };
}

/** Ends a drill after an outage of the API server: everything must be as before. */
async function stopAfterOutage({ api, env }: Awaited<ReturnType<typeof fakeLab>>, before: unknown, outage: string) {
  api.revive();
  const found = await readState(env.store);
  if (found !== undefined) await stopDrill(env, found.state);
  assert.deepEqual(api.snapshot(), before, outage);
}

describe("a drill whose program is killed", () => {
  it("ends alike whether its requests go over HTTP or are answered without a connection", async () => {
    const ended = async (connection: "http" | "none") => {
      const { api, env } = await fakeLab(connection);
      api.outage = { write: 3, how: "after" };
      const error: unknown = await startDrill(env, drillOf("no-answer")).then(
        () => "none",
        (failure: unknown) => failure,
      );
      api.stop();
      assert.ok(error instanceof Error);
      return { name: error.name, message: error.message, writes: api.writes, objects: api.snapshot() };
    };
    assert.deepEqual(await ended("none"), await ended("http"));
  });

  // A change, an object more, one less after a change, a restart, and versions that a controller keeps.
  const shown = ["no-answer", "wrong-neighbor", "pod-does-not-return", "dns-gone", "dns-ends-silently"].map(drillOf);
  for (const known of [...shown, ...COLLECTOR_DRILLS]) {
    const drillOn = (api: FakeApi) => (shown.includes(known) ? known : seenInObjects(known, api));
    for (const how of ["before", "after"] as const) {
      it(`${known.name} is ended by stop, ${how} each of its writes`, async () => {
        for (let write = 1; write < MAX_WRITES; write += 1) {
          const { api, env } = await fakeLab("none");
          const before = api.snapshot();
          api.outage = { write, how };
          const finished = await startDrill(env, drillOn(api)).then(
            () => true,
            () => false,
          );
          await stopAfterOutage({ api, env }, before, `write ${write}`);
          if (finished) {
            assert.ok(write > 3);
            return;
          }
        }
        assert.fail("it never ended");
      }).timeout(20_000);

      it(`${known.name} is ended by a second stop, where the first was killed ${how} each of its writes`, async () => {
        for (let write = 1; write < MAX_WRITES; write += 1) {
          const { api, env } = await fakeLab("none");
          const before = api.snapshot();
          await startDrill(env, drillOn(api));
          api.revive();
          api.outage = { write, how };
          const { state } = await stored(env);
          const finished = await stopDrill(env, state).then(
            () => true,
            () => false,
          );
          await stopAfterOutage({ api, env }, before, `write ${write}`);
          assert.deepEqual(await restoreAll(env, state), [], "nothing is written to what is as it was");
          if (finished) {
            assert.ok(write > 2);
            return;
          }
        }
        assert.fail("it never ended");
      }).timeout(20_000);
    }
  }
});
