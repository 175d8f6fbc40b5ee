import assert from "node:assert/strict";
import { loadKubeConfig } from "../../lab/kubernetes/connect.ts";
import { withTeamsOn } from "../../tools/bench/cluster-bench.ts";
import { withTeamFiles } from "../../tools/bench/suite.ts";
import { TestCluster } from "./cluster.ts";

const TEAMS = ["bench-0", "bench-1"];

describe("the teams that the bench puts on a cluster", () => {
  const cluster = new TestCluster();
  const there = () => Promise.all(TEAMS.map((team) => cluster.hasNamespace(`${team}-team`)));

  it("are ready while they are measured, and gone afterwards, also where the measurement fails", async () => {
    await withTeamFiles([TEAMS.length], async (files) => {
      const config = await loadKubeConfig({});
      const measured = withTeamsOn(config, files.get(TEAMS.length) ?? "", TEAMS, async () => {
        for (const team of TEAMS) assert.ok(await cluster.podIsReady(`${team}-team`, `curl-${team}`), team);
        throw new Error("it failed");
      });
      await assert.rejects(measured, /it failed/);
    });
    assert.deepEqual(await there(), [false, false]);
  });
});
