import assert from "node:assert/strict";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { mistakesIn } from "../../support/mistakes.ts";

const eks = (changes: object) => mistakesIn(ClusterSettings, { kind: "eks", ...changes });
const group = (changes: object) => eks({ nodeGroups: [{ name: "default", ...changes }] });

describe("cluster settings", () => {
  it("need nothing but the kind", () => {
    assert.deepEqual(eks({}), []);
    assert.deepEqual(mistakesIn(ClusterSettings, { kind: "existing" }), []);
  });

  it("keep the API from the internet, secrets under a key and audit logs by default", () => {
    const settings = ClusterSettings.parse({ kind: "eks" });
    assert.ok(settings.kind === "eks");
    assert.deepEqual(settings.endpointAccess, { private: true, public: false, publicCidrs: [] });
    assert.deepEqual(settings.logTypes, ["api", "audit", "authenticator"]);
  });

  const wrong: readonly [string, string[], RegExp][] = [
    ["another kind", mistakesIn(ClusterSettings, { kind: "gke" }), /^kind: eks, existing$/],
    ["a version out of standard support", eks({ version: "1.29" }), /^version: 1\.34, 1\.35, 1\.36$/],
    ["a version without quotes", eks({ version: 1.35 }), /^version: 1\.34, 1\.35, 1\.36$/],
    [
      "a public endpoint without CIDRs",
      eks({ endpointAccess: { public: true } }),
      /^endpointAccess\.publicCidrs: at least one CIDR/,
    ],
    [
      "a public endpoint for everybody",
      eks({ endpointAccess: { public: true, publicCidrs: ["0.0.0.0/0"] } }),
      /^endpointAccess\.publicCidrs\[0\]: a block smaller than the whole internet$/,
    ],
    [
      "a public endpoint for everybody by IPv6",
      eks({ endpointAccess: { public: true, publicCidrs: ["::/0"] } }),
      /^endpointAccess\.publicCidrs\[0\]: a block smaller than the whole internet$/,
    ],
    [
      "CIDRs without a public endpoint",
      eks({ endpointAccess: { publicCidrs: ["203.0.113.1/32"] } }),
      /publicCidrs: none, since public is false/,
    ],
    ["a cluster that nobody reaches", eks({ endpointAccess: { private: false } }), /^endpointAccess\.private: true/],
    ["fewer nodes than the least", group({ minSize: 3, desiredSize: 2 }), /desiredSize: at least minSize, 3/],
    ["more nodes than the most", group({ maxSize: 1 }), /desiredSize: at most maxSize, 1/],
    [
      "an Intel type among arm64",
      group({ instanceTypes: ["m7i.large"] }),
      /instanceTypes\[0\]: an instance type for arm64, such as t4g/,
    ],
    [
      "a Graviton type among amd64",
      group({ architecture: "amd64", instanceTypes: ["t3.medium", "m7gd.large"] }),
      /instanceTypes\[1\]: an instance type for amd64/,
    ],
    ["a small VPC", eks({ vpc: { cidr: "10.0.0.0/24" } }), /^vpc\.cidr: a private IPv4 block from \/16 to \/22/],
    [
      "one subnet of a given VPC",
      eks({ existingVpc: { id: "vpc-01234567", privateSubnetIds: ["subnet-01234567"] } }),
      /^existingVpc\.privateSubnetIds: at least two subnets/,
    ],
    [
      "a retention that CloudWatch does not take",
      eks({ logRetentionDays: 31 }),
      /^logRetentionDays: 1, 3, 5, 7, 14, 30/,
    ],
    [
      "an access entry without rights",
      eks({ accessEntries: [{ principalArn: "arn:aws:iam::111122223333:role/dev" }] }),
      /groups: a group or a policy/,
    ],
    [
      "an unknown key",
      eks({ nodegroups: [] }),
      /^nodegroups: the keys kind, name, version, vpc, existingVpc, nodeGroups/,
    ],
    [
      "an unknown key of an existing cluster",
      mistakesIn(ClusterSettings, { kind: "existing", region: "x" }),
      /^region: the keys kind, kubeconfig, context$/,
    ],
    [
      "two groups of one name",
      eks({ nodeGroups: [{ name: "a" }, { name: "a" }] }),
      /nodeGroups\[1\]\.name: a name that no other node group has/,
    ],
  ];
  for (const [what, found, expected] of wrong) {
    it(`refuse ${what}`, () => {
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
  }

  it("tell all mistakes together", () => {
    const found = eks({
      version: "1.29",
      logRetentionDays: 31,
      nodeGroups: [{ name: "default", minSize: "two", maxSize: 1, instanceTypes: ["m7i.large"] }],
    });
    assert.deepEqual(found.map((line) => line.split(":")[0]).sort(), [
      "logRetentionDays",
      "nodeGroups[0].desiredSize",
      "nodeGroups[0].instanceTypes[0]",
      "nodeGroups[0].minSize",
      "version",
    ]);
  });
});
