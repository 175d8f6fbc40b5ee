import assert from "node:assert/strict";
import { type Cluster, ClusterError, type PodFacts } from "../../../lab/kubernetes/cluster.ts";
import { backlogCheck, stateCheck } from "../../../lab/verify/checks/collector-health.ts";
import { restartsCheck } from "../../../lab/verify/checks/pods.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import type { Check } from "../../../lab/verify/result.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { fakeCluster, runningPod } from "./fake-cluster.ts";

async function rowOf(check: Check, changes: Partial<Cluster> = {}) {
  const [row] = await runChecks([check], new Lab(fakeCluster(changes)), { parallel: 1 });
  assert.ok(row !== undefined);
  return [row.status, row.detail, row.cause] as const;
}

const podsAre = (...pods: PodFacts[]) => ({ pods: async () => pods });

describe("the row about restarts", () => {
  const check = restartsCheck({
    ...{ name: "coredns", namespace: "kube-system", selector: "k8s-app=kube-dns" },
    moreMemory: "its memory limit",
  });
  const ended = (secondsAgo: number, reason: string, changes: Partial<PodFacts> = {}) =>
    runningPod("dns", {
      ...{ name: "coredns-1", restarts: 3 },
      ended: { reason, exitCode: 137, at: new Date(Date.now() - secondsAgo * 1000) },
      ...changes,
    });

  it("passes without restarts, and is skipped without a pod", async () => {
    assert.deepEqual(await rowOf(check), ["pass", "1 pod, not restarted", undefined]);
    assert.deepEqual(await rowOf(check, podsAre()), ["skip", "no pod of coredns in kube-system", undefined]);
  });

  it("fails if a container was killed for its memory, even if it is ready again", async () => {
    assert.deepEqual(await rowOf(check, podsAre(runningPod("dns"), ended(5, "OOMKilled"))), [
      "fail",
      "coredns-1 restarted 3 times, last 5 s ago (OOMKilled, exit code 137)",
      "it needs more memory than its limit, and was killed: raise its memory limit",
    ]);
  });

  it("fails if a container ends and is not ready, warns if it runs again, and forgets after ten minutes", async () => {
    const previous = "`kubectl -n kube-system logs coredns-1 --previous`";
    const loops = ended(5, "Error", { ready: false });
    assert.deepEqual((await rowOf(check, podsAre(loops))).slice(0, 1), ["fail"]);
    assert.deepEqual((await rowOf(check, podsAre(ended(590, "Error", { restarts: 1 })))).slice(0, 3), [
      "warn",
      "coredns-1 restarted once, last 10 min ago (Error, exit code 137)",
      `it runs again: ${previous} shows why it ended`,
    ]);
    assert.equal((await rowOf(check, podsAre(ended(610, "OOMKilled"))))[0], "pass");
  });

  it("reports the last of several ends", async () => {
    const [, detail] = await rowOf(check, podsAre(ended(300, "Error"), ended(20, "OOMKilled", { name: "coredns-2" })));
    assert.match(detail, /^coredns-2 restarted 3 times, last 20 s ago/);
  });
});

describe("the row about the collector's state", () => {
  const STATE = { path: "/var/lib/fluent-bit", onNode: true };
  const TMP = { path: "/tmp", onNode: false };
  const pod = (mounts: PodFacts["mounts"]) => runningPod("x", { name: "fluent-bit-1", namespace: "logging", mounts });
  const text = (db = "/var/lib/fluent-bit/positions.db") => `service:
  storage.path: /var/lib/fluent-bit/buffer
pipeline:
  inputs:
    - name: tail
      db: ${db}
`;
  const live = (mounts: PodFacts["mounts"], db?: string) => ({
    ...podsAre(pod(mounts)),
    configMap: async () => ({ "fluent-bit.yaml": text(db) }),
  });
  const CAUSE =
    "it is gone with the pod, and may be small: compare ConfigMap fluent-bit and the volumes of its DaemonSet in logging with `npm run plan`";

  it("passes if positions and buffer are on the node", async () => {
    assert.deepEqual(await rowOf(stateCheck("fluent-bit"), live([STATE, TMP])), [
      "pass",
      "/var/lib/fluent-bit, /var/lib/fluent-bit/buffer, /var/lib/fluent-bit/positions.db of 1 pod",
      undefined,
    ]);
    assert.equal((await rowOf(stateCheck("fluent-bit"), podsAre()))[0], "skip");
  });

  it("fails if positions are lost with the pod", async () => {
    assert.deepEqual(await rowOf(stateCheck("fluent-bit"), live([STATE, TMP], "/tmp/positions.db")), [
      "fail",
      "/tmp/positions.db of fluent-bit-1 is not on the node",
      CAUSE,
    ]);
  });

  it("fails if another volume hides the buffer, or if any collector's state is not on the node", async () => {
    const over = { path: "/var/lib/fluent-bit/buffer", onNode: false };
    assert.deepEqual((await rowOf(stateCheck("fluent-bit"), live([over, STATE]))).slice(0, 2), [
      "fail",
      "/var/lib/fluent-bit/buffer of fluent-bit-1 is not on the node",
    ]);
    const elsewhere = { path: "/var/lib/fluent-bit/buffer-2", onNode: false };
    assert.equal((await rowOf(stateCheck("fluent-bit"), live([elsewhere, STATE])))[0], "pass");
    const vector = { ...podsAre(pod([{ path: "/var/lib/vector", onNode: false }])), configMap: async () => ({}) };
    assert.match((await rowOf(stateCheck("vector"), vector))[1], /^\/var\/lib\/vector of fluent-bit-1 is not/);
  });
});

describe("the row about the collector's backlog", () => {
  const check = backlogCheck({ look: 0, rotations: 0 });
  const pod = runningPod("x", { name: "fluent-bit-1", namespace: "logging", metricsPorts: [2020] });
  interface Sample {
    readonly free?: number;
    readonly errors?: number;
    readonly records?: number;
    readonly waiting?: number;
    readonly bytes?: number;
    readonly opened?: number;
    readonly closed?: number;
  }
  const metrics = ({
    free = 99.6,
    errors = 0,
    records = 0,
    waiting = 0,
    bytes = 0,
    opened = 20,
    closed,
  }: Sample) => `# TYPE x counter
fluentbit_output_chunk_available_capacity_percent{name="stdout.0"} ${free}
fluentbit_logger_logs_total{message_type="error"} ${errors}
fluentbit_logger_logs_total{message_type="warn"} 900
fluentbit_storage_fs_chunks_down ${waiting}
fluentbit_input_records_total{name="tail.0"} ${records}
fluentbit_input_bytes_total{name="tail.0"} ${bytes}
fluentbit_input_bytes_total{name="splunk.1"} 5000000
fluentbit_input_files_opened_total{name="tail.0"} ${opened}
${closed === undefined ? "" : `fluentbit_input_files_closed_total{name="tail.0"} ${closed}\n`}`;

  /** Answers each look with the next sample. */
  async function look(...samples: Sample[]) {
    const asked: string[] = [];
    const row = await rowOf(check, {
      ...podsAre(pod),
      podGet: async ({ pod, port }, path) => {
        asked.push(`${pod}:${port}${path}`);
        return metrics(samples[asked.length - 1] ?? {});
      },
    });
    assert.deepEqual(new Set(asked), new Set(["fluent-bit-1:2020/api/v2/metrics/prometheus"]));
    assert.equal(asked.length, samples.length);
    return row;
  }

  it("passes after two readings if pods write little", async () => {
    assert.deepEqual(await look({}, { bytes: 599_999, opened: 99 }), [
      "pass",
      "1 pod, buffers are at least 100 % free",
      undefined,
    ]);
  });

  it("fails if the buffer of any container is nearly full", async () => {
    const [status, detail, cause] = await look({}, { free: 9 });
    assert.deepEqual([status, detail], ["fail", "fluent-bit-1: 9 % of its buffer is free"]);
    assert.match(cause ?? "", /logging\.buffer\.size$/);
    assert.equal((await look({}, { free: 10 }))[0], "pass");
  });

  it("fails if it logs errors all the time", async () => {
    const [status, detail, cause] = await look({ errors: 5 }, { errors: 8 });
    assert.deepEqual([status, detail], ["fail", "fluent-bit-1: 1.5 errors a second"]);
    assert.match(cause ?? "", /^`kubectl -n logging logs fluent-bit-1 --tail=20` /);
    assert.equal((await look({ errors: 5 }, { errors: 7 }))[0], "pass");
  });

  it("passes errors of a collector that lags but loses nothing, but not those of a full disk", async () => {
    const behind = { errors: 12, waiting: 19 };
    assert.equal((await look({}, { ...behind, records: 20_000 }))[0], "pass");
    assert.equal((await look({}, { ...behind, records: 600 }))[0], "fail");
    assert.equal((await look({}, { ...behind, records: 20_000, waiting: 0 }))[0], "fail");
  });

  it("counts its files a third time if it reads much, and fails if their number grows", async () => {
    const busy = { bytes: 600_000 };
    const [status, detail, cause] = await look({}, { ...busy, opened: 22 }, { ...busy, opened: 24 });
    assert.deepEqual([status, detail], ["fail", "fluent-bit-1: 2 more files to read after 25 s"]);
    assert.match(cause ?? "", /^a pod on node-1 writes faster than the collector reads/);
    assert.equal((await look({}, busy, { ...busy, opened: 21 }))[0], "pass");
    assert.equal((await look({}, busy, { ...busy, opened: 25, closed: 5 }))[0], "pass");
  });

  it("is skipped without a ready pod, and without permission", async () => {
    assert.deepEqual(await rowOf(check, podsAre({ ...pod, ready: false })), [
      "skip",
      "no pod of fluent-bit is ready",
      undefined,
    ]);
    const podGet = () => Promise.reject(new ClusterError("forbidden", "no"));
    assert.deepEqual(await rowOf(check, { ...podsAre(pod), podGet }), [
      "skip",
      "needs the right to create pods/portforward in logging",
      undefined,
    ]);
  });
});
