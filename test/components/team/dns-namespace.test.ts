import assert from "node:assert/strict";
import { warnings } from "../monitoring/stacks.ts";

describe("the namespace of an adopted CoreDNS", () => {
  it("may only belong to a team that allows queries", () => {
    const of = (team: object) =>
      warnings("existing", { dns: { adopt: { namespace: "dns" } }, teams: [{ name: "net", ...team }] });
    const message =
      "makes dns a namespace of team net, whose network policies allow no queries from others to the CoreDNS of dns.adopt";
    const namespaces = [{ name: "net" }, { name: "dns", adopt: true }];
    assert.deepEqual(of({ namespaces }), [`teams.0.namespaces.1.name: ${message}`]);
    const everybody = { cidrs: ["0.0.0.0/0"], ports: [{ port: 53, protocol: "UDP" }, 53] };
    assert.deepEqual(of({ namespaces, ingress: [everybody] }), []);
    assert.deepEqual(of({ namespaces: [{ name: "net" }] }), []);
    const own = warnings("existing", { dns: { adopt: { namespace: "dns-team" } }, teams: [{ name: "dns" }] });
    assert.match(own.join(), /^teams\.0\.name: makes dns-team a namespace of team dns,/);
  });
});
