import assert from "node:assert/strict";
import { Failure } from "../../../lab/command-line.ts";
import { differences, plannedAs } from "../../../lab/plan/index.ts";

describe("differences", () => {
  it("names each setting that is not the same everywhere, and nothing else", () => {
    const north = {
      settings: {
        region: "eu-north-1",
        cluster: { version: "1.35", tags: { a: "1" } },
        teams: [{ name: "ts", peers: [] }],
      },
    };
    const south = {
      settings: {
        region: "eu-south-1",
        cluster: { version: "1.35", tags: {} },
        teams: [{ name: "ts", peers: ["sa"] }],
      },
    };
    assert.deepEqual(differences([north, south]), [
      { setting: "cluster.tags.a", values: ["1", undefined] },
      { setting: "region", values: ["eu-north-1", "eu-south-1"] },
      { setting: "teams[ts].peers", values: ["none", undefined] },
      { setting: "teams[ts].peers[0]", values: [undefined, "sa"] },
    ]);
  });

  it("ignores the order of named entries", () => {
    const one = { settings: { teams: [{ name: "ts" }, { name: "sa" }] } };
    const other = { settings: { teams: [{ name: "sa" }, { name: "ts" }] } };
    assert.deepEqual(differences([one, other]), []);
  });
});

describe("plannedAs", () => {
  const stdout = JSON.stringify({ resources: [{}, {}] });

  it("counts the resources of a stack, also if policies stop it", () => {
    assert.deepEqual(plannedAs("dev", { exitCode: 0, stdout, stderr: "" }), { resources: 3, stopped: false });
    assert.deepEqual(plannedAs("dev", { exitCode: 1, stdout, stderr: "" }), { resources: 3, stopped: true });
  });

  it("reports why a stack could not be planned", () => {
    const failure = (exitCode: number | undefined, stderr: string) => {
      try {
        plannedAs("dev", { exitCode, stdout: "", stderr });
      } catch (error) {
        assert.ok(error instanceof Failure);
        return [error.message, error.exitCode];
      }
      return [];
    };
    assert.deepEqual(failure(2, "no network\n"), ["stack dev: no network", 2]);
    assert.deepEqual(failure(undefined, ""), ["stack dev: a signal ended the plan", 2]);
  });
});
