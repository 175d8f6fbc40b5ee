import assert from "node:assert/strict";
import { formatIssue, SettingsError } from "../../../components/schema/errors.ts";
import { parseSettings } from "../../../components/settings.ts";

const EKS = { kind: "eks-existing", name: "prod", networkPolicies: true };

/** Warnings about the rules of one team. */
function told(rules: object, cluster: object = EKS): string[] {
  const sections = { cluster, teams: [{ name: "ts", ...rules }], curlPods: false, logging: false };
  const config = Object.entries(sections).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  try {
    const { warnings } = parseSettings({ "aws:region": "eu-central-1", ...Object.fromEntries(config) });
    return warnings.filter(({ path }) => path[0] === "teams").map(formatIssue);
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.issues.map(formatIssue);
  }
}

const ports = (count: number, first = 8000) => Array.from({ length: count }, (_, index) => first + index);
const TOO_MANY = (count: number, peer: string, dns = "") =>
  `has ${count} ports and port ranges for ${peer}${dns}, of which EKS's network policy agent enforces any 24: join some to ranges with endPort`;

describe("a team's rules on EKS's network policy agent", () => {
  it("may have 24 ports for one address, those of larger blocks and of other rules included", () => {
    const web = { namespaces: ["web"], ports: ports(24) };
    assert.deepEqual(told({ ingress: [web] }), []);
    assert.deepEqual(told({ ingress: [web, { namespaces: ["web", "api"], ports: [9000] }] }), [
      `teams[0].ingress: ${TOO_MANY(25, "web")}`,
    ]);
    const udp = { port: 8000, protocol: "UDP" };
    assert.deepEqual(told({ ingress: [{ namespaces: ["web"], ports: [...ports(24), udp] }] }), [
      `teams[0].ingress: ${TOO_MANY(25, "web")}`,
    ]);
    const range = { port: 8000, endPort: 8100 };
    assert.deepEqual(told({ ingress: [{ namespaces: ["web"], ports: [...ports(10, 9000), range] }] }), []);
    const block = { cidrs: ["203.0.0.0/16"], ports: ports(20) };
    assert.deepEqual(told({ egress: [block, { cidrs: ["203.0.113.0/24"], ports: ports(4, 9000) }] }), []);
    assert.deepEqual(told({ egress: [block, { cidrs: ["203.0.113.0/24"], ports: ports(5, 9000) }] }), [
      `teams[0].egress: ${TOO_MANY(25, "203.0.113.0/24")}`,
    ]);
    assert.deepEqual(told({ egress: [block, { cidrs: ["203.0.113.0/24"], ports: ports(20) }] }), []);
    const wider = { cidrs: ["203.0.0.0/8"], ports: ports(24) };
    assert.deepEqual(told({ egress: [wider, { cidrs: ["203.0.0.0/16"], ports: [9000] }] }), [
      `teams[0].egress: ${TOO_MANY(25, "203.0.0.0/16")}`,
    ]);
  });

  it("share the ports of egress with DNS where pods may be", () => {
    for (const cidr of ["10.0.0.0/8", "10.20.0.0/16", "0.0.0.0/0"]) {
      assert.deepEqual(told({ egress: [{ cidrs: [cidr], ports: ports(22) }] }), [], cidr);
      assert.deepEqual(told({ egress: [{ cidrs: [cidr], ports: ports(23) }] }), [
        `teams[0].egress: ${TOO_MANY(25, cidr, ", DNS included")}`,
      ]);
      assert.deepEqual(told({ ingress: [{ cidrs: [cidr], ports: ports(24) }] }), [], cidr);
    }
  });

  it("have no effect for the other IP family", () => {
    const both = { cidrs: ["203.0.113.0/24", "2001:db8::/32"] };
    const only = (family: string) =>
      `has no effect on EKS, which applies rules for ${family} alone to a cluster of that family`;
    assert.deepEqual(told({ egress: [both] }), [
      `teams[0].egress[0].cidrs[1]: ${only("IPv4")} (found "2001:db8::/32")`,
    ]);
    assert.deepEqual(told({ egress: [both] }, { ...EKS, ipFamily: "ipv6" }), [
      `teams[0].egress[0].cidrs[0]: ${only("IPv6")} (found "203.0.113.0/24")`,
    ]);
  });

  it("are nothing to other clusters, nor to EKS without the agent", () => {
    const rules = { egress: [{ cidrs: ["203.0.113.0/24", "2001:db8::/32"], ports: ports(30) }] };
    assert.deepEqual(told(rules, { kind: "existing", networkPolicies: true }), []);
    assert.deepEqual(told(rules, { ...EKS, networkPolicies: false }), []);
    assert.equal(told(rules, { kind: "eks" }).length, 2);
  });
});
