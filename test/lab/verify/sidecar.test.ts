import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import type { Cluster, PodFacts } from "../../../lab/kubernetes/cluster.ts";
import { collectorCheck } from "../../../lab/verify/checks/log-lines.ts";
import { findersFor } from "../../../lab/verify/find/index.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { fakeCluster, runningPod } from "./fake-cluster.ts";

const logging = { mode: "sidecar", collector: "tail" };
const config = {
  "eks-dns-logging:cluster": JSON.stringify({ kind: "existing" }),
  "eks-dns-logging:logging": JSON.stringify(logging),
};

async function rowOf(containers: readonly string[], prints: boolean) {
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

describe("the row of a sidecar", () => {
  it("writes the marker to the application's file and finds it in the sidecar's log", async () => {
    const { row, commands } = await rowOf(["tail", "responder", "curl"], true);
    assert.equal(row.status, "pass");
    assert.equal(row.what, "file line reaches the destination");
    assert.match(row.detail, /^marker found in log of curl-ts, container tail after \d+ ms$/);
    assert.match(commands[0] ?? "", /^curl: echo labmarker\w+ >> \/var\/log\/app\/app\.log$/);
  });

  it("says where to look when it does not come", async () => {
    const { row } = await rowOf(["tail", "responder", "curl"], false);
    assert.equal(row.status, "fail");
    assert.match(row.cause ?? "", /kubectl -n ts-team logs curl-ts -c tail/);
  });

  it("reports before waiting that the pod was created without it", async () => {
    const { row, commands } = await rowOf(["responder", "curl"], true);
    assert.equal(row.status, "fail");
    assert.equal(row.detail, "no container tail in curl-ts");
    assert.deepEqual(commands, []);
  });
});
