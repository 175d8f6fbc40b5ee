import assert from "node:assert/strict";
import { checkLogging } from "../../../../components/logging/check.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";

const check = (settings: object, kind: "eks" | "existing" = "existing") =>
  checkLogging(LoggingSettings.parse({ carrier: "sidecar", ...settings }), kind).map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );
const outside = { kind: "elasticsearch", host: "search.example.com" };

describe("the settings of a sidecar", () => {
  it("are fine as they are, and with the addresses of a name outside", () => {
    assert.deepEqual(check({}), []);
    assert.deepEqual(check({ collector: "tail" }), []);
    assert.deepEqual(check({ destination: outside, sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), []);
  });

  it("need the addresses of a name outside, and of nothing else", () => {
    assert.deepEqual(check({ destination: outside }), [
      "sidecar.destinationCidrs: the destination's addresses, since its host is a name and a network policy knows none",
    ]);
    assert.deepEqual(check({ sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), [
      "sidecar.destinationCidrs: nothing, since the destination's place is known",
    ]);
    assert.deepEqual(check({ carrier: "daemonset", sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), [
      "sidecar.destinationCidrs: nothing with carrier daemonset, which no network policy holds back",
    ]);
  });

  it("refuse what a team's pod has no right to", () => {
    for (const kind of ["cloudwatch", "s3"])
      assert.deepEqual(check({ destination: { kind } }, "eks"), [
        "destination.kind: one that needs no AWS identity, which a team's pod has not",
      ]);
    assert.deepEqual(check({ destination: { kind: "file" } }), [
      "destination.kind: one that is not on the node, where a team's pod may not write",
    ]);
  });

  it("refuse a choice among pods, all issues together", () => {
    const settings = {
      namespaces: { include: ["ts-team"], exclude: ["sa-team"] },
      labels: { app: "web" },
      metadata: { annotations: true },
    };
    const own = "nothing with carrier sidecar, which reads its own pod alone";
    assert.deepEqual(check(settings), [
      `namespaces.include: ${own}`,
      `namespaces.exclude: ${own}`,
      `labels: ${own}`,
      "metadata.annotations: false with carrier sidecar, which asks no API",
    ]);
  });

  it("refuse tail on each node, and anywhere but stdout", () => {
    assert.deepEqual(check({ collector: "tail", carrier: "daemonset" }), ["carrier: sidecar for tail"]);
    assert.deepEqual(check({ collector: "tail", destination: { kind: "opensearch", inCluster: true } }), [
      "destination.kind: stdout for tail: tail writes to its own stdout",
    ]);
  });
});
