import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { record } from "../../../lab/plan/plan.ts";
import { formatPlan, treeRows } from "../../../lab/plan/plan-text.ts";
import type { Recording } from "../../../lab/plan/recording.ts";
import { asJson } from "../../../lab/plan/recording.ts";

class Group extends pulumi.ComponentResource {
  constructor(name: string) {
    super("test:group:Group", name);
    const first = new k8s.core.v1.Namespace(`${name}-first`, { metadata: { name: "first" } }, { parent: this });
    new k8s.core.v1.Secret(
      `${name}-second`,
      { metadata: { name: "second", namespace: first.id }, stringData: { password: pulumi.secret("hidden") } },
      { parent: this },
    );
  }
}

describe("the plan as a tree", () => {
  let recording: Recording;
  before(async () => {
    recording = await record({ stack: "dev", config: {} }, async () => {
      new Group("group");
      new k8s.core.v1.Namespace("alone", { metadata: { name: "alone" } });
      return { address: "http://shown", password: pulumi.secret("hidden") };
    });
  });

  it("puts each resource below its parent", () => {
    assert.deepEqual(
      treeRows(recording.resources).map((row) => [row.resource.name, row.depth]),
      [
        ["group", 0],
        ["group-first", 1],
        ["group-second", 1],
        ["alone", 0],
      ],
    );
  });

  it("names what waits for a resource", () => {
    const rows = treeRows(recording.resources);
    assert.deepEqual(rows.find((row) => row.resource.name === "group-first")?.neededBy, ["group-second"]);
    assert.deepEqual(rows.find((row) => row.resource.name === "group-second")?.neededBy, []);
  });

  it("prints types, names, counts and outputs, and no secret", () => {
    const text = stripVTControlCharacters(formatPlan("dev", recording));
    assert.match(text, /\+ {2}├─ test:group:Group +group/);
    assert.match(text, /\+ {2}│ {2}├─ kubernetes:core\/v1:Namespace +group-first +group-second/);
    assert.match(text, /\+ {2}└─ kubernetes:core\/v1:Namespace +alone/);
    assert.match(text, /\+ 5 to create: 3 resources \(3 kubernetes\) in 1 components and the stack/);
    assert.match(text, /1 value of 1 resource known only after deployment\n +group-second: /);
    assert.match(text, /address +: http:\/\/shown/);
    assert.match(text, /password +: \[secret\]/);
    assert.ok(!text.includes("hidden"));
  });

  it("masks secrets in JSON and marks what is unknown", () => {
    const text = JSON.stringify(asJson("dev", recording));
    assert.ok(!text.includes("hidden"));
    assert.match(text, /"namespace":"\(known after deployment\)"/);
    assert.match(text, /"stringData":"\[secret\]"/);
    assert.match(text, /"unknowns":\["metadata.namespace"\]/);
  });
});
