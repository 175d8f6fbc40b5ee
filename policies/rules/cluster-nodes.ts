import type { Field } from "../core/field.ts";
import { count } from "../core/knob.ts";
import type { Report } from "../core/report.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import type { Stack } from "../core/stack.ts";
import { aws, cis } from "./sources.ts";

const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
const SUBNET = "aws:ec2/subnet:Subnet";
const ROUTE = "aws:ec2/route:Route";
const ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";
const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";
const INTERNET_GATEWAY = "aws:ec2/internetGateway:InternetGateway";

const HOPS = count("hops", "Most network hops that an answer of the metadata service may take", 1, 1);

/** How nodes are reached, and what their pods get of them. */
export const CLUSTER_NODES: readonly Rule[] = [
  {
    id: "cluster-node-metadata",
    family: "cluster",
    level: "mandatory",
    title: "Nodes answer metadata requests by IMDSv2 only, and no pod's",
    reason: "By IMDSv1, or over a second hop, any pod takes the rights of its node.",
    fix: "set metadataOptions: {httpTokens: required, httpPutResponseHopLimit: 1} in the launch template",
    source: aws(
      "Restrict access to the instance profile",
      "eks/latest/best-practices/identity-and-access-management.html",
    ),
    knobs: [HOPS],
    types: [TEMPLATE],
    check: (template, report, settings) => {
      const options = template.at("metadataOptions");
      report.part(() => {
        const tokens = options.at("httpTokens");
        if (options.at("httpEndpoint").text() !== "disabled" && tokens.text() !== "required")
          report.wrong(tokens, "so IMDSv1 answers");
      });
      const hops = options.at("httpPutResponseHopLimit");
      const most = settings.get(HOPS);
      // The default of EC2 is 1; Amazon's images may set 2, so it must stand here.
      if ((hops.number() ?? Number.POSITIVE_INFINITY) > most) report.wrong(hops, `and more than ${most} reaches pods`);
    },
  },
  {
    id: "cluster-private-nodes",
    family: "cluster",
    level: "mandatory",
    title: "Nodes are in private subnets",
    reason: "A node with a public address can be attacked from everywhere.",
    fix: "give the node group subnets without mapPublicIpOnLaunch whose route to the internet is a NAT gateway",
    source: cis("5.4.3"),
    types: [NODE_GROUP, SUBNET, ROUTE, ASSOCIATION, TEMPLATE],
    checkStack: (stack, report) => {
      report.each(stack.ofType(NODE_GROUP), (group) => checkSubnets(stack, group, report));
      report.each(stack.ofType(TEMPLATE), (template) =>
        report.each(template.at("networkInterfaces").items(), (face) => {
          const address = face.at("associatePublicIpAddress");
          if (address.flag() === true) report.wrong(address, "which gives nodes public addresses");
        }),
      );
    },
  },
];

/** Judges a group's subnets that the stack makes; others are known by their ids only. */
function checkSubnets(stack: Stack, group: Resource, report: Report): void {
  const subnets = stack.dependenciesOf(group)?.filter(({ type }) => type === SUBNET);
  const ids = group.at("subnetIds");
  if (subnets === undefined || subnets.length === 0) {
    report.undecided(ids, "names subnets that this stack does not make");
    return;
  }
  report.each(subnets, (subnet) => {
    const mapped = subnet.at("mapPublicIpOnLaunch");
    if (mapped.flag() === true) report.wrong(mapped, `and nodes of ${group.label} start there`);
    const gateway = internetRoute(stack, subnet);
    if (gateway !== undefined)
      report.wrong(gateway, `which makes ${subnet.label} public, and nodes of ${group.label} start there`);
  });
}

/** The route by which a subnet is public: through its route table to an internet gateway. */
function internetRoute(stack: Stack, subnet: Resource): Field | undefined {
  const uses = (one: Resource, other: Resource) => stack.dependenciesOf(one)?.includes(other) ?? false;
  const tables = stack
    .ofType(ASSOCIATION)
    .filter((association) => uses(association, subnet))
    .flatMap((association) => stack.dependenciesOf(association) ?? [])
    .filter(({ type }) => type === "aws:ec2/routeTable:RouteTable");
  return stack
    .ofType(ROUTE)
    .filter((route) => tables.some((table) => uses(route, table)))
    .find((route) => stack.dependenciesOf(route)?.some(({ type }) => type === INTERNET_GATEWAY))
    ?.at("gatewayId");
}
