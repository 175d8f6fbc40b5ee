import assert from "node:assert/strict";
import { z } from "zod";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { loadKubeConfig } from "../../lab/kubernetes/connect.ts";
import { run } from "../../lab/process.ts";
import { verifyCommand, withTeamsOn } from "../../tools/bench/cluster-bench.ts";
import { withTeamFiles } from "../../tools/bench/suite.ts";
import { TestCluster } from "./cluster.ts";

const TEAMS = ["bench-0", "bench-1"];

const Report = z.object({ rows: z.array(z.object({ id: z.string(), from: z.string(), status: z.string() })) });

describe("the teams that the bench puts on a cluster", () => {
  const cluster = new TestCluster();
  const there = () => Promise.all(TEAMS.map((team) => cluster.hasNamespace(`${team}-team`)));

  it("are ready while they are measured, and gone afterwards, also where the measurement fails", async () => {
    await withTeamFiles([TEAMS.length], async (files) => {
      const config = await loadKubeConfig({});
      const measured = withTeamsOn(config, files.get(TEAMS.length) ?? "", TEAMS, async () => {
        for (const team of TEAMS) assert.ok(await cluster.podIsReady(`${team}-team`, `curl-${team}`), team);
        // As the settings say: without `from` it would let everybody in.
        const header = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
        const metadata = { name: "allow-peers", namespace: `${TEAMS[0]}-team` };
        assert.match(JSON.stringify(await cluster.objects.read({ ...header, metadata })), /"_?from":\[\{/);
        const [, ...args] = verifyCommand(files.get(TEAMS.length) ?? "", {});
        const { stdout } = await run(process.execPath, args, { cwd: PROJECT_ROOT });
        const { rows } = Report.parse(JSON.parse(stdout));
        assert.ok(rows.length > 20);
        // The collector is not there; what else is wrong on this cluster, other tests tell.
        const ofCollector = rows.filter(({ status, from }) => status === "fail" && from === "fluent-bit");
        assert.deepEqual(ofCollector, []);
        throw new Error("it failed");
      });
      await assert.rejects(measured, /it failed/);
    });
    assert.deepEqual(await there(), [false, false]);
  });
});
