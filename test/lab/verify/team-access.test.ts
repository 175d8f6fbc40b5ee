import assert from "node:assert/strict";
import { TeamSettings } from "../../../components/team/settings.ts";
import { deniedPairs, denyCoreDnsCheck, denyTeamCheck } from "../../../lab/verify/checks/team-access.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import type { Check } from "../../../lab/verify/result.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { answered, fakeCluster } from "./fake-cluster.ts";

const team = (name: string, access: object = {}) => TeamSettings.parse({ name, ...access });

/** What a row says where every connection comes about, as an open network or an open rule has it. */
async function said(check: Check): Promise<string> {
  const asked: string[] = [];
  const cluster = fakeCluster({}, (command) => {
    asked.push(command.at(-1) ?? "");
    return answered("10.0.0.9", "OK");
  });
  const [row] = await runChecks([check], new Lab(cluster, { pause: async () => {} }), { parallel: 1 });
  return [row?.status, row?.detail, ...asked].join(" | ");
}

describe("what settings allow besides DNS and peers", () => {
  const rowOf = (egress: object) =>
    said(denyCoreDnsCheck("ts", { enforced: true, teams: [team("ts", { egress: [egress] })] }));

  it("is not tested on CoreDNS, and the row is omitted if nothing is denied", async () => {
    const all = "skip | egress of team ts opens 10.0.0.53:8181, 8080, 9153";
    assert.equal(await rowOf({ cidrs: ["10.0.0.0/8"] }), all);
    assert.equal(await rowOf({ cidrs: ["0.0.0.0/0"], ports: [{ port: 1, endPort: 65_535 }] }), all);
    assert.equal(await rowOf({ namespaces: ["kube-system"] }), all);
    const second = "fail | 10.0.0.53:8080 connected, though no policy allows it | http://10.0.0.53:8080/";
    assert.equal(await rowOf({ cidrs: ["10.0.0.53/32"], ports: [8181] }), second);
  });

  it("does not hide what other rules are about", async () => {
    const first = "fail | 10.0.0.53:8181 connected, though no policy allows it | http://10.0.0.53:8181/";
    for (const egress of [
      { cidrs: ["10.1.0.0/16"] },
      { cidrs: ["::/0"] },
      { namespaces: ["kube-system"], ports: [443, { port: 8181, protocol: "UDP" }, { port: 8182, endPort: 9000 }] },
      { namespaces: ["monitoring"] },
    ])
      assert.equal(await rowOf(egress), first, JSON.stringify(egress));
  });

  it("between teams requires egress of one and ingress of the other", async () => {
    const row = (from: object, to: object) =>
      said(denyTeamCheck({ from: "ts", to: "sa" }, { enforced: true, teams: [team("ts", from), team("sa", to)] }));
    const open = "skip | egress of team ts and ingress of team sa open 10.0.0.2:80";
    const closed = "fail | 10.0.0.2:80 connected, though no policy allows it | http://10.0.0.2:80/";
    const everywhere = [{ cidrs: ["0.0.0.0/0"] }];
    assert.equal(await row({ egress: everywhere }, { ingress: everywhere }), open);
    assert.equal(await row({ egress: everywhere }, { ingress: [{ namespaces: ["ts-team"], ports: [80] }] }), open);
    assert.equal(await row({ egress: everywhere }, {}), closed);
    assert.equal(await row({}, { ingress: everywhere }), closed);
    assert.equal(await row({ egress: everywhere }, { ingress: [{ namespaces: ["ts-team"], ports: [443] }] }), closed);
    assert.equal(await row({ egress: everywhere }, { ingress: [{ cidrs: ["10.0.0.2/32"] }] }), closed);
  });

  it("between teams by namespace leaves another team to test", () => {
    const egress = [{ namespaces: ["b-team"] }];
    const [a, c] = [team("a", { egress }), team("c")];
    const denied = (b: object) => deniedPairs([a, team("b", b), c]).map(({ from, to }) => `${from} ${to}`);
    assert.deepEqual(denied({ ingress: [{ namespaces: ["a-team"] }] }), ["a c", "b c", "c a"]);
    assert.deepEqual(denied({ ingress: [{ namespaces: ["a-team"], ports: [8080] }] }), ["a b", "b c", "c a"]);
  });
});
