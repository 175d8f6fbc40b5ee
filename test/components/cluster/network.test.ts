import assert from "node:assert/strict";
import { zoneAt } from "../../../components/cluster/eks/network.ts";
import type { PlannedResource } from "../../../lab/plan/recording.ts";
import { find, ofType } from "../../support/find.ts";
import { needs, recordCluster, standardCluster } from "./recorded.ts";

const SUBNET = "aws:ec2/subnet:Subnet";
const NAT = "aws:ec2/natGateway:NatGateway";
const ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";
const ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint";

const vpc = (settings: object) => recordCluster({ kind: "eks", vpc: settings });
const names = (resources: readonly PlannedResource[], type: string) => ofType(resources, type).map(({ name }) => name);

/** Name of the route table that a subnet is associated with. */
function tableOf(resources: readonly PlannedResource[], subnet: string): string | undefined {
  const { dependencies } = find(resources, ASSOCIATION, subnet);
  return dependencies
    .find((urn) => urn.includes("routeTable:RouteTable::"))
    ?.split("::")
    .at(-1);
}

describe("Vpc", () => {
  it("has a public and a private subnet in each zone, which load balancers find by their tags", async () => {
    const { resources } = await standardCluster();
    const subnets = ofType(resources, SUBNET).map(({ name, inputs }) => [
      name,
      inputs.availabilityZone,
      inputs.cidrBlock,
      inputs.mapPublicIpOnLaunch,
      Object.keys(inputs.tags ?? {}).find((key) => key.startsWith("kubernetes.io/role/")),
    ]);
    assert.deepEqual(subnets.sort(), [
      ["cluster-vpc-private-0", "eu-central-1a", "10.0.0.0/19", false, "kubernetes.io/role/internal-elb"],
      ["cluster-vpc-private-1", "eu-central-1b", "10.0.32.0/19", false, "kubernetes.io/role/internal-elb"],
      ["cluster-vpc-public-0", "eu-central-1a", "10.0.224.0/22", false, "kubernetes.io/role/elb"],
      ["cluster-vpc-public-1", "eu-central-1b", "10.0.228.0/22", false, "kubernetes.io/role/elb"],
    ]);
  });

  it("has names that resolve, which nodes need to join", async () => {
    const { resources } = await standardCluster();
    const { inputs } = find(resources, "aws:ec2/vpc:Vpc", "cluster-vpc");
    assert.equal(inputs.enableDnsHostnames, true);
    assert.equal(inputs.enableDnsSupport, true);
  });

  it("allows nothing in its default security group", async () => {
    const { resources } = await standardCluster();
    const { inputs } = find(resources, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "cluster-vpc-default");
    assert.deepEqual(inputs.ingress, []);
    assert.deepEqual(inputs.egress, []);
  });

  it("looks up zones that can host a control plane, and accepts named ones unchanged", async () => {
    const asked: Record<string, unknown>[] = [];
    await recordCluster(
      { kind: "eks" },
      {
        call: (token, inputs) => {
          if (!token.endsWith(":getAvailabilityZones")) return { accountId: "111122223333" };
          asked.push(inputs);
          return { names: ["eu-central-1a", "eu-central-1b"] };
        },
      },
    );
    assert.deepEqual(asked, [
      {
        state: "available",
        filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }],
        excludeZoneIds: ["cac1-az3", "use1-az3", "usw1-az2"],
      },
    ]);
    const { resources } = await vpc({ zones: ["eu-central-1c", "eu-central-1a"] });
    assert.equal(find(resources, SUBNET, "cluster-vpc-private-0").inputs.availabilityZone, "eu-central-1c");
  });

  it("sorts a region's zones by name, and reports in one line that there are too few", () => {
    const names = ["eu-central-1c", "eu-central-1a", "eu-central-1b"];
    assert.deepEqual(
      [0, 1, 2].map((index) => zoneAt(names, index)),
      ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
    );
    assert.equal(zoneAt(undefined, 0), undefined);
    assert.throws(() => zoneAt(names, 3), {
      message:
        "cluster.vpc.zones: must be at most 3, since the region only has eu-central-1a, eu-central-1b, eu-central-1c",
    });
  });

  it("goes out by one NAT gateway, or by one in each zone", async () => {
    const single = (await vpc({ zones: 3 })).resources;
    assert.deepEqual(names(single, NAT), ["cluster-vpc-nat-0"]);
    const tables = (resources: readonly PlannedResource[]) =>
      [0, 1, 2].map((zone) => tableOf(resources, `cluster-vpc-private-${zone}`));
    assert.deepEqual(tables(single), ["cluster-vpc-private-0", "cluster-vpc-private-0", "cluster-vpc-private-0"]);

    const each = (await vpc({ zones: 3, nat: "per-zone" })).resources;
    assert.deepEqual(names(each, NAT), ["cluster-vpc-nat-0", "cluster-vpc-nat-1", "cluster-vpc-nat-2"]);
    assert.deepEqual(tables(each), ["cluster-vpc-private-0", "cluster-vpc-private-1", "cluster-vpc-private-2"]);
    for (const zone of [0, 1, 2]) {
      assert.ok(needs(each, find(each, NAT, `cluster-vpc-nat-${zone}`)).has(`cluster-vpc-public-${zone}`));
      assert.ok(needs(each, find(each, NAT, `cluster-vpc-nat-${zone}`)).has("cluster-vpc-internet"));
    }
  });

  it("reaches S3 by a free route, other services by addresses reachable only from the VPC", async () => {
    const free = (await standardCluster()).resources;
    assert.deepEqual(names(free, ENDPOINT), ["cluster-vpc-s3"]);
    assert.equal(find(free, ENDPOINT, "cluster-vpc-s3").inputs.vpcEndpointType, "Gateway");
    assert.deepEqual(names(free, "aws:ec2/securityGroup:SecurityGroup"), []);

    const { resources } = await vpc({ endpoints: ["logs", "ecr.api"] });
    assert.deepEqual(
      ofType(resources, ENDPOINT).map(({ inputs }) => [
        inputs.serviceName,
        inputs.vpcEndpointType,
        inputs.privateDnsEnabled,
      ]),
      [
        ["com.amazonaws.eu-central-1.logs", "Interface", true],
        ["com.amazonaws.eu-central-1.ecr.api", "Interface", true],
      ],
    );
    assert.deepEqual(find(resources, "aws:ec2/securityGroup:SecurityGroup", "cluster-vpc-endpoints").inputs.ingress, [
      { protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: ["10.0.0.0/16"] },
    ]);
    assert.deepEqual(names((await vpc({ endpoints: [] })).resources, ENDPOINT), []);
  });

  it("is not created if one is given", async () => {
    const privateSubnetIds = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"];
    const { resources } = await recordCluster({
      kind: "eks",
      existingVpc: { id: "vpc-0123456789abcdef0", privateSubnetIds },
    });
    assert.deepEqual(
      resources.filter(({ type }) => type.startsWith("aws:ec2/")).map(({ type }) => type),
      ["aws:ec2/launchTemplate:LaunchTemplate"],
    );
    const control = find(resources, "eks:index:Cluster", "cluster");
    assert.equal(control.inputs.vpcId, "vpc-0123456789abcdef0");
    assert.deepEqual(control.inputs.subnetIds, privateSubnetIds);
    assert.deepEqual(
      find(resources, "aws:eks/nodeGroup:NodeGroup", "cluster-nodes-default").inputs.subnetIds,
      privateSubnetIds,
    );
  });
});

describe("a change of the settings", () => {
  /** Inputs that AWS cannot change: another value makes another resource. */
  const FIXED = ["name", "cidrBlock", "availabilityZone", "vpcId", "addonName", "clusterName", "amiType", "domain"];

  const changes: readonly [string, object][] = [
    ["a newer Kubernetes", { version: "1.36" }],
    ["a zone more", { vpc: { zones: 3 } }],
    ["a NAT gateway in each zone", { vpc: { nat: "per-zone" } }],
    ["other endpoints", { vpc: { endpoints: ["logs"] } }],
    ["the zones by their names", { vpc: { zones: ["eu-central-1a", "eu-central-1b"] } }],
    ["another node group", { nodeGroups: [{ name: "default" }, { name: "more" }] }],
    ["a bigger disk", { nodeGroups: [{ name: "default", diskSize: 40 }] }],
    ["an open endpoint", { endpointAccess: { public: true, publicCidrs: ["203.0.113.7/32"] } }],
    ["protection", { deletionProtection: true }],
  ];
  for (const [what, settings] of changes) {
    it(`replaces no existing resource: ${what}`, async () => {
      const before = (await standardCluster()).resources;
      const after = (await recordCluster({ kind: "eks", ...settings })).resources;
      const kept = before.filter(({ type }) => type !== ENDPOINT);
      for (const old of kept) {
        const now = find(after, old.type, old.name);
        assert.equal(now.urn, old.urn);
        for (const input of FIXED) assert.deepEqual(now.inputs[input], old.inputs[input], `${old.name} ${input}`);
      }
    });
  }
});
