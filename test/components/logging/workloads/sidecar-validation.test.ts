import assert from "node:assert/strict";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";

const check = (settings: object, kind: "eks" | "existing" = "existing") =>
  checkLogging(LoggingSettings.parse({ mode: "sidecar", ...settings }), kind).map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );
const outside = { kind: "elasticsearch", host: "search.example.com" };

describe("the settings of a sidecar", () => {
  it("are valid by default, and with the addresses of an external host name", () => {
    assert.deepEqual(check({}), []);
    assert.deepEqual(check({ collector: "tail" }), []);
    assert.deepEqual(check({ destination: outside, sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), []);
  });

  it("require addresses only for an external host name", () => {
    assert.deepEqual(check({ destination: outside }), [
      "sidecar.destinationCidrs: must contain the addresses of the destination, since a network policy cannot use host names",
    ]);
    assert.deepEqual(check({ sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), [
      "sidecar.destinationCidrs: must be empty, since the destination's address is known",
    ]);
    assert.deepEqual(check({ mode: "daemonset", sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), [
      "sidecar.destinationCidrs: must not be set with mode daemonset, which no network policy restricts",
    ]);
  });

  it("accept a pod port only for a Service", () => {
    const sidecar = { destinationPort: 3100 };
    const loki = { kind: "loki", url: "http://loki.loki.svc:8080" };
    assert.deepEqual(check({ destination: loki, sidecar }), []);
    const refused =
      "sidecar.destinationPort: must not be set unless the destination is a Service of the cluster, whose pods may listen on another port";
    for (const destination of [undefined, { kind: "opensearch", inCluster: true }, { ...loki, url: "http://10.0.0.5" }])
      assert.deepEqual(check({ destination, sidecar }), [refused]);
    assert.deepEqual(check({ mode: "daemonset", destination: loki, sidecar }), [
      "sidecar.destinationPort: must not be set with mode daemonset, which no network policy restricts",
    ]);
  });

  it("reject what a team's pod has no permission for", () => {
    for (const kind of ["cloudwatch", "s3"])
      assert.deepEqual(check({ destination: { kind } }, "eks"), [
        "destination.kind: must not need an AWS identity with mode sidecar, since a team's pod has none",
      ]);
    assert.deepEqual(check({ destination: { kind: "file" } }), [
      "destination.kind: must not be on the node with mode sidecar, since a team's pod cannot write there",
    ]);
  });

  it("reject a selection of pods, with all issues together", () => {
    const settings = {
      namespaces: { include: ["ts-team"], exclude: ["sa-team"] },
      labels: { app: "web" },
      metadata: { annotations: true },
    };
    const own = "must be empty with mode sidecar, which reads only its own pod";
    assert.deepEqual(check(settings), [
      `namespaces.include: ${own}`,
      `namespaces.exclude: ${own}`,
      `labels: ${own}`,
      "metadata.annotations: must be false with mode sidecar, which does not use the Kubernetes API",
    ]);
  });

  it("reject tail on nodes, and destinations other than stdout", () => {
    assert.deepEqual(check({ collector: "tail", mode: "daemonset" }), ["mode: must be sidecar with tail"]);
    assert.deepEqual(check({ collector: "tail", destination: { kind: "opensearch", inCluster: true } }), [
      "destination.kind: must be stdout with tail: tail writes to its own stdout",
    ]);
  });
});
