import assert from "node:assert/strict";
import { amiTypeOf, NodeGroupSettings } from "../../../components/cluster/eks/node-group-settings.ts";
import { find, ofType } from "../../support/find.ts";
import { document, recordCluster, standardCluster } from "./recorded.ts";

const GROUP = "aws:eks/nodeGroup:NodeGroup";
const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";

describe("Nodes", () => {
  it("are two arm64 ones on Amazon Linux 2023 by default, one at a time when they change", async () => {
    const { resources } = await standardCluster();
    const { inputs, ignoreChanges } = find(resources, GROUP, "cluster-nodes-default");
    assert.equal(inputs.clusterName, "eks-dns-logging");
    assert.equal(inputs.version, "1.36");
    assert.equal(inputs.amiType, "AL2023_ARM_64_STANDARD");
    assert.deepEqual(inputs.instanceTypes, ["t4g.medium"]);
    assert.equal(inputs.capacityType, "ON_DEMAND");
    assert.deepEqual(inputs.scalingConfig, { minSize: 2, desiredSize: 2, maxSize: 3 });
    assert.deepEqual(inputs.updateConfig, { maxUnavailable: 1 });
    // No fixed name: a replacement stands before the old group goes.
    assert.equal("nodeGroupName" in inputs, false);
    assert.deepEqual(ignoreChanges, ["scalingConfig.desiredSize"]);
  });

  it("are as many as the settings say, when they say it", async () => {
    const { resources } = await recordCluster({ kind: "eks", nodeGroups: [{ name: "default", desiredSize: 3 }] });
    const { inputs, ignoreChanges } = find(resources, GROUP, "cluster-nodes-default");
    assert.deepEqual(inputs.scalingConfig, { minSize: 2, desiredSize: 3, maxSize: 3 });
    assert.deepEqual(ignoreChanges, []);
  });

  it("have the processor, types, disk, labels and taints of their group", async () => {
    const { resources } = await recordCluster({
      kind: "eks",
      nodeGroups: [
        { name: "default" },
        {
          name: "batch",
          architecture: "amd64",
          instanceTypes: ["m7i.large", "m6i.large"],
          capacityType: "SPOT",
          minSize: 0,
          diskSize: 100,
          labels: { workload: "batch" },
          taints: [{ key: "batch", value: "yes", effect: "NoSchedule" }],
        },
      ],
    });
    assert.equal(ofType(resources, GROUP).length, 2);
    const { inputs } = find(resources, GROUP, "cluster-nodes-batch");
    assert.equal(inputs.amiType, "AL2023_x86_64_STANDARD");
    assert.deepEqual(inputs.instanceTypes, ["m7i.large", "m6i.large"]);
    assert.equal(inputs.capacityType, "SPOT");
    assert.deepEqual(inputs.labels, { workload: "batch" });
    assert.deepEqual(inputs.taints, [{ key: "batch", value: "yes", effect: "NO_SCHEDULE" }]);
    const template = find(resources, TEMPLATE, "cluster-nodes-batch");
    assert.deepEqual(template.inputs.blockDeviceMappings, [
      {
        deviceName: "/dev/xvda",
        ebs: { volumeSize: 100, volumeType: "gp3", encrypted: "true", deleteOnTermination: "true" },
      },
    ]);
  });

  it("keep their credentials from pods", async () => {
    const { resources } = await standardCluster();
    assert.deepEqual(find(resources, TEMPLATE, "cluster-nodes-default").inputs.metadataOptions, {
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
    });
  });

  it("may join the cluster and pull images, and nothing else", async () => {
    const { resources } = await standardCluster();
    const attachments = ofType(resources, "aws:iam/rolePolicyAttachment:RolePolicyAttachment");
    const own = attachments.filter(({ name }) => name.startsWith("cluster-nodes-"));
    assert.deepEqual(
      own.map(({ inputs }) => inputs.policyArn),
      [
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
      ],
    );
    assert.deepEqual(document(find(resources, "aws:iam/role:Role", "cluster-nodes"), "assumeRolePolicy"), {
      Statement: [{ Action: ["sts:AssumeRole"], Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" } }],
      Version: "2012-10-17",
    });
  });

  it("are only in the private subnets", async () => {
    const { resources } = await standardCluster();
    const { dependencies } = find(resources, GROUP, "cluster-nodes-default");
    const subnets = dependencies.filter((urn) => urn.includes("aws:ec2/subnet:Subnet::"));
    assert.deepEqual(subnets.map((urn) => urn.split("::").at(-1)).sort(), [
      "cluster-vpc-private-0",
      "cluster-vpc-private-1",
    ]);
  });

  it("carry the stack's tags, and so do their disks", async () => {
    const { resources } = await recordCluster({ kind: "eks", tags: { owner: "lab" } });
    const tags = { owner: "lab", "eks-dns-logging/stack": "dev" };
    assert.deepEqual(find(resources, GROUP, "cluster-nodes-default").inputs.tags, tags);
    assert.deepEqual(find(resources, TEMPLATE, "cluster-nodes-default").inputs.tagSpecifications, [
      { resourceType: "instance", tags: { ...tags, Name: "cluster-nodes-default" } },
      { resourceType: "volume", tags: { ...tags, Name: "cluster-nodes-default" } },
    ]);
  });
});

describe("amiTypeOf", () => {
  for (const [architecture, type, ami] of [
    ["arm64", "t4g.medium", "AL2023_ARM_64_STANDARD"],
    ["amd64", "m7i-flex.large", "AL2023_x86_64_STANDARD"],
    ["amd64", "g5.xlarge", "AL2023_x86_64_NVIDIA"],
    ["amd64", "gr6.4xlarge", "AL2023_x86_64_NVIDIA"],
    ["amd64", "p5en.48xlarge", "AL2023_x86_64_NVIDIA"],
    ["arm64", "g5g.xlarge", "AL2023_ARM_64_NVIDIA"],
    ["arm64", "p6e-gb200.36xlarge", "AL2023_ARM_64_NVIDIA"],
    ["amd64", "inf2.xlarge", "AL2023_x86_64_NEURON"],
    ["amd64", "trn1n.32xlarge", "AL2023_x86_64_NEURON"],
  ] as const) {
    it(`of ${type} is ${ami}`, () => assert.equal(amiTypeOf({ architecture, instanceTypes: [type] }), ami));
  }

  it("needs one kind of drivers per group, for which an AMI exists", () => {
    const issuesIn = (instanceTypes: string[]) =>
      NodeGroupSettings.safeParse({ name: "a", architecture: "amd64", instanceTypes }).error?.issues.map(
        ({ message }) => message,
      );
    assert.equal(issuesIn(["g5.xlarge", "g6.xlarge"]), undefined);
    assert.deepEqual(issuesIn(["g5.xlarge", "m7i.large"]), [
      "instanceTypes must need the same drivers (NVIDIA, Neuron or none), since a node group has one AMI",
    ]);
    assert.match(
      issuesIn(["g4ad.xlarge"])?.join() ?? "",
      /^must be an instance type whose drivers an EKS-optimized AMI has/,
    );
  });
});
