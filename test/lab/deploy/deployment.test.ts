import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { removalText } from "../../../lab/deploy/deployment.ts";

const REMOVED = "Removed: no object of the lab is left on the cluster.";
const NODES =
  "Nodes keep the collector's buffer and positions (up to logging.buffer.size) in /var/lib/eks-dns-logging; delete that folder by hand.";
const COREDNS = "CoreDNS keeps the Corefile and the fields that dns.adopt manages.";

function said(values: Readonly<Record<string, unknown>>, isClusterGone = false): string[] {
  const settings = parseSettings(
    Object.fromEntries(
      Object.entries({ cluster: { kind: "existing" }, ...values }).map(([key, value]) => [
        `eks-dns-logging:${key}`,
        JSON.stringify(value),
      ]),
    ),
  );
  return removalText(settings, isClusterGone).trimEnd().split("\n");
}

describe("what down says at its end", () => {
  const stdout = { destination: { kind: "stdout" } };

  it("names what the collector leaves on the nodes, if there was one", () => {
    assert.deepEqual(said({ logging: stdout }), [REMOVED, NODES]);
    assert.deepEqual(said({ logging: false }), [REMOVED]);
    assert.deepEqual(said({ logging: { ...stdout, mode: "sidecar" } }), [REMOVED]);
  });

  it("says that an adopted CoreDNS keeps its settings unless they are reverted", () => {
    const adopt = { deployment: "coredns", version: "1.14.3" };
    assert.deepEqual(said({ logging: false, dns: { adopt } }), [REMOVED, COREDNS]);
    assert.deepEqual(said({ logging: false, dns: { adopt, preserve: false } }), [REMOVED]);
    assert.deepEqual(said({ logging: false, dns: false }), [REMOVED]);
  });

  it("says that nothing remains if the cluster is gone too", () => {
    assert.deepEqual(said({ logging: stdout }, true), [
      "Removed: the kind cluster that `up` created, with everything on it.",
    ]);
  });
});
