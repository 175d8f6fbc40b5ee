import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import type { Cluster, PodFacts } from "../../../lab/kubernetes/cluster.ts";
import { collectorCheck, logsCheck, newMarker, waitFor } from "../../../lab/verify/checks/log-lines.ts";
import { findersFor, stdoutFinder, unreadableFinder } from "../../../lab/verify/find/marker-finders.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import type { Check } from "../../../lab/verify/result.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { fakeCluster, runningPod } from "./fake-cluster.ts";

const COLLECTOR = runningPod("fluent-bit", {
  namespace: "logging",
  name: "fluent-bit-x1",
  containers: ["fluent-bit"],
  ip: "10.0.0.7",
});

async function rowOf(check: Check, changes: Partial<Cluster> = {}) {
  const [row] = await runChecks([check], new Lab(fakeCluster(changes)), { parallel: 1 });
  assert.ok(row);
  return row;
}

/** A node's collector that prints what the curl pods wrote, or nothing. */
function collecting(prints: boolean): Partial<Cluster> {
  const written: string[] = [];
  return {
    pods: async () => [COLLECTOR],
    exec: async (_pod: PodFacts, _container: string, command: readonly string[]) => {
      written.push(command[2] ?? "");
      return { exitCode: 0, stdout: "", stderr: "" };
    },
    logs: async (pod: PodFacts) => (pod.name === COLLECTOR.name && prints ? written.join("\n") : ""),
  };
}

describe("a marker", () => {
  it("is one word of letters and digits, so that every tokenizer keeps it whole", () => {
    assert.match(newMarker(), /^labmarker[a-z0-9]{20}$/);
    assert.notEqual(newMarker(), newMarker());
  });

  it("is polled until it is there or the time is over", async () => {
    let asked = 0;
    const found = await waitFor(5, async () => (++asked === 2 ? "here" : undefined));
    assert.equal(found?.found, "here");
    assert.ok((found?.delayMs ?? 0) >= 200);
    assert.equal(await waitFor(0.01, async () => undefined), undefined);
  });

  it("comes back by the logs API", async () => {
    const row = await rowOf(logsCheck("ts"));
    assert.equal(row.status, "pass");
    assert.match(row.detail, /^marker read back after \d+ ms$/);
  });

  it("fails the row if it cannot be written", async () => {
    const exec = async () => ({
      exitCode: 1,
      stdout: "",
      stderr: "sh: can't create /proc/1/fd/1: Permission denied\n",
    });
    assert.match((await rowOf(logsCheck("ts"), { exec })).detail, /cannot write the marker: .*Permission denied/);
  });
});

describe("the collector's row", () => {
  const context = { finder: stdoutFinder("fluent-bit"), seconds: 0.3 };

  it("passes if the marker is in the log of the collector on the same node", async () => {
    const row = await rowOf(collectorCheck("ts", context), collecting(true));
    assert.equal(row.status, "pass");
    assert.match(row.detail, /^marker found in log of fluent-bit-x1 after \d+ ms$/);
    assert.equal(row.to, "fluent-bit stdout");
  });

  it("passes if it arrives with the second line after it, and says so", async () => {
    const held: string[] = [];
    const changes: Partial<Cluster> = {
      pods: async () => [COLLECTOR],
      exec: async (_pod: PodFacts, _container: string, command: readonly string[]) => {
        held.push(command[2] ?? "");
        return { exitCode: 0, stdout: "", stderr: "" };
      },
      logs: async () => (held.length < 3 ? "" : held.join("\n")),
    };
    const row = await rowOf(collectorCheck("ts", { ...context, seconds: 5, againSeconds: 0.1 }), changes);
    assert.equal(row.status, "pass");
    assert.match(row.detail, /^marker found in log of fluent-bit-x1 after \d+ ms, written 3 times$/);
    assert.deepEqual([row.facts?.written, new Set(held).size], [3, 1]);
  });

  it("fails when it does not", async () => {
    const row = await rowOf(collectorCheck("ts", context), collecting(false));
    assert.equal(row.status, "fail");
    assert.match(row.cause ?? "", /kubectl -n logging logs daemonset\/fluent-bit/);
  });

  for (const [pods, detail, cause] of [
    [[], /no fluent-bit pod on node node-1/, /DaemonSet fluent-bit does not exist/],
    [[{ ...COLLECTOR, node: "node-2" }], /no fluent-bit pod on node node-1/, /tolerations or node selector/],
    [[{ ...COLLECTOR, phase: "Pending", reason: "ErrImagePull" }], /ErrImagePull/, /cannot pull its image/],
    [[{ ...COLLECTOR, ready: false }], /fluent-bit-x1 is not ready/, /show the reason/],
  ] as const) {
    it(`says before waiting: ${detail.source}, ${cause.source}`, async () => {
      const row = await rowOf(collectorCheck("ts", context), { pods: async () => [...pods] });
      assert.match(row.detail, detail);
      assert.match(row.cause ?? "", cause);
    });
  }

  it("is skipped with the reason if the destination cannot be read", async () => {
    const finder = unreadableFinder("http", "an HTTP receiver cannot be queried");
    const row = await rowOf(collectorCheck("ts", { finder, seconds: 1 }));
    assert.deepEqual([row.status, row.detail], ["skip", "an HTTP receiver cannot be queried"]);
  });
});

describe("the row of a sidecar", () => {
  const logging = { mode: "sidecar", collector: "tail" };
  const config = {
    "eks-dns-logging:cluster": JSON.stringify({ kind: "existing" }),
    "eks-dns-logging:logging": JSON.stringify(logging),
  };

  async function sidecarRow(containers: readonly string[], prints: boolean) {
    const commands: string[] = [];
    const changes: Partial<Cluster> = {
      pod: async () => runningPod("ts", { containers }),
      exec: async (_pod: PodFacts, container: string, command: readonly string[]) => {
        commands.push(`${container}: ${command[2]}`);
        return { exitCode: 0, stdout: "", stderr: "" };
      },
      logs: async (_pod, { container }) => (prints && container === "tail" ? commands.join("\n") : ""),
    };
    const [finder] = findersFor(parseSettings(config));
    assert.ok(finder);
    const check = collectorCheck("ts", { finder, seconds: 0.3 });
    const [row] = await runChecks([check], new Lab(fakeCluster(changes)), { parallel: 1 });
    assert.ok(row);
    return { row, commands };
  }

  it("writes the marker to the application's file and finds it in the sidecar's log", async () => {
    const { row, commands } = await sidecarRow(["tail", "responder", "curl"], true);
    assert.equal(row.status, "pass");
    assert.equal(row.what, "file line reaches the destination");
    assert.match(row.detail, /^marker found in log of curl-ts, container tail after \d+ ms$/);
    assert.match(commands[0] ?? "", /^curl: echo labmarker\w+ >> \/var\/log\/app\/app\.log$/);
  });

  it("says where to look when it does not come", async () => {
    const { row } = await sidecarRow(["tail", "responder", "curl"], false);
    assert.equal(row.status, "fail");
    assert.match(row.cause ?? "", /kubectl -n ts-team logs curl-ts -c tail/);
  });

  it("reports before waiting that the pod was created without it", async () => {
    const { row, commands } = await sidecarRow(["responder", "curl"], true);
    assert.equal(row.status, "fail");
    assert.equal(row.detail, "no container tail in curl-ts");
    assert.deepEqual(commands, []);
  });
});
