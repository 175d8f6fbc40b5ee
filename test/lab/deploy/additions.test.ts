import assert from "node:assert/strict";
import { additions } from "../../../lab/deploy/additions.ts";

const DNS = { to: [{ namespaceSelector: { matchLabels: { name: "kube-system" } } }], ports: [{ port: 53 }] };

describe("what another tool added to an object", () => {
  const found = (live: unknown, own: unknown) => [...additions(live, own, "spec")];

  it("is each list item and each field that the stack does not set", () => {
    const own = { podSelector: {}, policyTypes: ["Ingress", "Egress"], egress: [DNS] };
    assert.deepEqual(found(own, own), []);
    assert.deepEqual(found({ ...own, egress: [DNS, {}] }, own), ["spec.egress[1]"]);
    assert.deepEqual(found({ ...own, ingress: [{}] }, own), ["spec.ingress"]);
    assert.deepEqual(found({ ...own, podSelector: { matchLabels: { app: "web" } } }, own), [
      "spec.podSelector.matchLabels",
    ]);
    const toAll = { ...DNS, to: [...DNS.to, { ipBlock: { cidr: "0.0.0.0/0" } }] };
    assert.deepEqual(found({ ...own, egress: [toAll] }, own), ["spec.egress[0].to[1]"]);
  });

  it("is neither a default of the API server, nor a change that a refresh sees", () => {
    const own = { egress: [DNS] };
    const ports = [{ port: 53, protocol: "TCP" }];
    assert.deepEqual(found({ egress: [{ ...DNS, ports }], policyTypes: ["Ingress"] }, own), []);
    assert.deepEqual(found({ egress: [{ ...DNS, ports: [{ port: 80 }] }] }, own), []);
    assert.deepEqual(found({ egress: [] }, own), []);
    assert.deepEqual(found({ egress: "none" }, own), []);
    assert.deepEqual(found(undefined, own), []);
  });
});
