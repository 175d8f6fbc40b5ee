import assert from "node:assert/strict";
import { differences } from "../../../lab/plan/index.ts";

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
