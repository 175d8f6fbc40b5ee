import { type Group, UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first, named, type Sample, type SampleResource } from "./samples.ts";

const TEMPLATE: SampleResource = {
  type: "aws:ec2/launchTemplate:LaunchTemplate",
  name: "nodes",
  props: { metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 } },
};
/** A node group in one subnet, whose route out is `out`. */
const network = (out: SampleResource, mapsAddresses: Group[string] = false): Sample => [
  {
    type: "aws:eks/nodeGroup:NodeGroup",
    name: "nodes",
    props: { subnetIds: [UNKNOWN], launchTemplate: { id: UNKNOWN } },
    waitsFor: ["subnet", "template"],
  },
  { ...TEMPLATE, name: "template" },
  { type: "aws:ec2/subnet:Subnet", name: "subnet", props: { mapPublicIpOnLaunch: mapsAddresses } },
  { type: "aws:ec2/routeTable:RouteTable", name: "table", props: {} },
  {
    type: "aws:ec2/routeTableAssociation:RouteTableAssociation",
    name: "association",
    props: {},
    waitsFor: ["subnet", "table"],
  },
  out,
  {
    type: "aws:ec2/route:Route",
    name: "route",
    props: { destinationCidrBlock: "0.0.0.0/0" },
    waitsFor: ["table", out.name],
  },
];
/** Nodes of Karpenter. */
const nodeClass = (spec: Value, version = "v1"): SampleResource => ({
  type: `kubernetes:karpenter.k8s.aws/${version}:EC2NodeClass`,
  name: "default",
  props: { metadata: { name: "default" }, spec },
});
const NAT: SampleResource = { type: "aws:ec2/natGateway:NatGateway", name: "nat", props: {} };
const INTERNET: SampleResource = { type: "aws:ec2/internetGateway:InternetGateway", name: "internet", props: {} };

/** The same of an Auto Scaling group. */
const asScalingGroup = (sample: Sample, tags: Value): Sample =>
  sample.map((one) =>
    one.name === "nodes"
      ? { ...one, type: "aws:autoscaling/group:Group", props: { vpcZoneIdentifiers: [UNKNOWN], tags } }
      : one,
  );
const NO_DEFAULT_NODES: readonly Group[] = [
  { skipDefaultNodeGroup: true },
  { fargate: { subnetIds: ["subnet-1"] } },
  { autoMode: { enabled: true } },
  { nodeAssociatePublicIpAddress: false },
];
const UNKNOWN_ROUTE: SampleResource = {
  type: "aws:ec2/route:Route",
  name: "other",
  props: { destinationCidrBlock: UNKNOWN },
  waitsFor: ["table", "internet"],
};
/** The same with the route in the table. */
const inTable = (out: SampleResource, route: Group): Sample =>
  network(out)
    .filter(({ name }) => name !== "route")
    .map((one) => (one.name === "table" ? { ...one, props: { routes: [route] }, waitsFor: [out.name] } : one));
const template = (path: string, to: Parameters<typeof first>[2]) => first([TEMPLATE], path, to);

export const CLUSTER_NODES_CASES: CasesByRule = {
  "cluster-nodes-private": {
    good: {
      "a route by NAT": network(NAT),
      "an Auto Scaling group of something else": asScalingGroup(network(INTERNET), [{ key: "app", value: "shop" }]),
      "the default nodes of @pulumi/eks, left out, by Fargate or without addresses": NO_DEFAULT_NODES.map(
        (props, index) => ({ type: "eks:index:Cluster", name: `dev-${index}`, props }),
      ),
      "a route by NAT in the table itself": inTable(NAT, { cidrBlock: "0.0.0.0/0", natGatewayId: UNKNOWN }),
      "a route to the internet for some addresses": named(
        network(INTERNET),
        "route",
        "destinationCidrBlock",
        "198.51.100.0/24",
      ),
    },
    bad: {
      "a route to the internet": [
        network(INTERNET),
        "NodeGroup/nodes: subnetIds include Subnet/subnet, a public subnet. Fix: give the node group",
      ],
      "an IPv6 route to the internet": [
        named(
          named(network(INTERNET), "route", "destinationCidrBlock", undefined),
          "route",
          "destinationIpv6CidrBlock",
          "::/0",
        ),
        "NodeGroup/nodes: subnetIds include Subnet/subnet",
      ],
      "a route to the internet in the table itself": [
        inTable(INTERNET, { cidrBlock: "0.0.0.0/0", gatewayId: UNKNOWN }),
        "NodeGroup/nodes: subnetIds include Subnet/subnet",
      ],
      "an IPv6 route to the internet in the table itself": [
        inTable(INTERNET, { ipv6CidrBlock: "::/0", gatewayId: "igw-1" }),
        "NodeGroup/nodes: subnetIds include Subnet/subnet",
      ],
      "a route to the internet and an unknown one": [
        [UNKNOWN_ROUTE, ...network(INTERNET)],
        "NodeGroup/nodes: subnetIds include Subnet/subnet",
      ],
      "an Auto Scaling group of a cluster": [
        asScalingGroup(network(INTERNET), [{ key: "kubernetes.io/cluster/dev", value: "owned" }]),
        "Group/nodes: vpcZoneIdentifiers include Subnet/subnet, a public subnet",
      ],
      "a launch configuration that gives public addresses": [
        [
          {
            type: "aws:ec2/launchConfiguration:LaunchConfiguration",
            name: "old",
            props: { associatePublicIpAddress: true },
          },
        ],
        "LaunchConfiguration/old: associatePublicIpAddress is true, which gives nodes public addresses. Fix: remove it",
      ],
      "Karpenter's nodes with public addresses": [
        [nodeClass({ associatePublicIPAddress: true })],
        "EC2NodeClass/default: spec.associatePublicIPAddress is true, which gives nodes public addresses. Fix: remove it",
      ],
      "the default nodes of @pulumi/eks": [
        [{ type: "eks:index:Cluster", name: "dev", props: {} }],
        "Cluster/dev: nodeAssociatePublicIpAddress is not set, so the default nodes get public addresses. Fix: set skip",
      ],
      "a template that gives public addresses": [
        first([TEMPLATE], "networkInterfaces", [{ associatePublicIpAddress: "true" }]),
        'LaunchTemplate/nodes: networkInterfaces[0].associatePublicIpAddress is "true", which gives nodes',
      ],
      "a subnet that gives public addresses": [network(NAT, true), "NodeGroup/nodes: subnetIds include Subnet/subnet"],
    },
    unknown: {
      "the unknown switch of the default nodes": [
        [{ type: "eks:index:Cluster", name: "dev", props: { skipDefaultNodeGroup: UNKNOWN } }],
        "Cluster/dev: skipDefaultNodeGroup is known only",
      ],
      "a group that may be a cluster's": [
        asScalingGroup(network(INTERNET), [{ key: UNKNOWN, value: "owned" }]),
        "Group/nodes: tags[0].key is known only",
      ],
      "subnets from nowhere": [
        network(NAT).map((one) => ({ ...one, waitsFor: [] })),
        "NodeGroup/nodes: subnetIds is known only",
      ],
      "subnets of another stack": [
        first(
          network(NAT).map((one) => ({ ...one, waitsFor: [] })),
          "subnetIds",
          ["subnet-1"],
        ),
        'NodeGroup/nodes: subnetIds is ["subnet-1"], of subnets that are not in this stack',
      ],
      "an unknown switch": [network(NAT, UNKNOWN), "Subnet/subnet: mapPublicIpOnLaunch is known only"],
      "an unknown destination": [
        named(network(INTERNET), "route", "destinationCidrBlock", UNKNOWN),
        "Route/route: destinationCidrBlock is known only",
      ],
    },
  },
  "cluster-nodes-imdsv2": {
    good: {
      "tokens, one hop": [TEMPLATE],
      "no metadata at all": template("metadataOptions", { httpEndpoint: "disabled" }),
      "a node group with a template": network(NAT),
      "Karpenter's defaults": [nodeClass({})],
      "Karpenter's own options": [
        nodeClass({ metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 } }),
      ],
    },
    bad: {
      "Karpenter's two hops for pods": [
        [nodeClass({ metadataOptions: { httpPutResponseHopLimit: 2 } })],
        "EC2NodeClass/default: spec.metadataOptions.httpPutResponseHopLimit is 2, so answers travel into pods",
      ],
      "Karpenter without tokens": [
        [nodeClass({ metadataOptions: { httpTokens: "optional" } })],
        'EC2NodeClass/default: spec.metadataOptions.httpTokens is "optional", so IMDSv1 answers without a token',
      ],
      "the defaults of an early Karpenter": [
        [nodeClass({}, "v1beta1")],
        "EC2NodeClass/default: spec.metadataOptions.httpPutResponseHopLimit is not set, so answers travel into pods",
      ],
      "tokens by choice": [
        template("metadataOptions.httpTokens", "optional"),
        'LaunchTemplate/nodes: metadataOptions.httpTokens is "optional", so IMDSv1 answers without a token',
      ],
      "an empty launch configuration": [
        [{ type: "aws:ec2/launchConfiguration:LaunchConfiguration", name: "old", props: {} }],
        "LaunchConfiguration/old: metadataOptions.httpTokens is not set",
        "LaunchConfiguration/old: metadataOptions.httpPutResponseHopLimit is not set",
      ],
      "two hops": [
        template("metadataOptions.httpPutResponseHopLimit", 2),
        "LaunchTemplate/nodes: metadataOptions.httpPutResponseHopLimit is 2, so answers travel into pods",
      ],
      "an unset value": [
        template("metadataOptions", undefined),
        "LaunchTemplate/nodes: metadataOptions.httpTokens is not set",
        "LaunchTemplate/nodes: metadataOptions.httpPutResponseHopLimit is not set",
      ],
      "a node group without a template": [
        first(network(NAT), "launchTemplate", undefined),
        "NodeGroup/nodes: launchTemplate is not set, so EKS lets answers travel two hops",
      ],
    },
    unknown: {
      "a template of another stack": [
        first(network(NAT), "launchTemplate", { id: "lt-1" }).map((one) => ({ ...one, waitsFor: ["subnet"] })),
        'NodeGroup/nodes: launchTemplate is {"id":"lt-1"}, a template that is not in this stack, so this cannot be decided',
      ],
      "a template from nowhere": [
        network(NAT).map((one) => ({ ...one, waitsFor: ["subnet"] })),
        "NodeGroup/nodes: launchTemplate.id is known only",
      ],
      "unknown options": [
        template("metadataOptions", UNKNOWN),
        "LaunchTemplate/nodes: metadataOptions.httpEndpoint is known only",
        "LaunchTemplate/nodes: metadataOptions.httpPutResponseHopLimit is known only",
      ],
    },
  },
};
