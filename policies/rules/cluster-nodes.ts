import { type Field, Undecided } from "../core/field.ts";
import { count } from "../core/knob.ts";
import type { Report } from "../core/report.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import { someKnown } from "../core/some-known.ts";
import type { Stack } from "../core/stack.ts";
import { aws, cis } from "./sources.ts";

const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";
const SUBNET = "aws:ec2/subnet:Subnet";
const ROUTE = "aws:ec2/route:Route";
const ROUTE_TABLE = "aws:ec2/routeTable:RouteTable";
const ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";
const GATEWAY = "aws:ec2/internetGateway:InternetGateway";
const HOPS = count("hopLimit", "Most hops that an answer of the metadata service may travel", 1, 1);

/** Where nodes stand and what they tell their pods. */
export const CLUSTER_NODES: readonly Rule[] = [
  {
    id: "cluster-nodes-private",
    family: "cluster",
    level: "mandatory",
    title: "Nodes are in private subnets, without addresses of their own",
    reason: "A node with a public address is reached from everywhere, past the cluster's endpoint.",
    fix: "give the node group the subnets whose route out is a NAT gateway",
    source: cis("5.4.3"),
    types: [NODE_GROUP, TEMPLATE, SUBNET, ROUTE, ROUTE_TABLE, ASSOCIATION, GATEWAY],
    checkStack: (stack, report) => {
      report.each(stack.ofType(NODE_GROUP), (group) => checkSubnets(stack, group, report));
      report.each(stack.ofType(TEMPLATE), (template) =>
        report.each(template.at("networkInterfaces").items(), (face) => {
          const address = face.at("associatePublicIpAddress");
          if (address.flag()) report.wrong(address, "which gives nodes public addresses", "take it out");
        }),
      );
    },
  },
  {
    id: "cluster-nodes-imdsv2",
    family: "cluster",
    level: "mandatory",
    title: "Nodes answer IMDSv2 only, one hop far",
    reason: "By the instance's metadata a pod takes the node's role; one hop ends before the pod.",
    fix: "set metadataOptions: {httpTokens: required, httpPutResponseHopLimit: 1} in the launch template",
    source: aws(
      "EKS best practices, restrict access to the instance profile",
      "eks/latest/best-practices/identity-and-access-management.html",
    ),
    knobs: [HOPS],
    types: [TEMPLATE, NODE_GROUP],
    checkStack: (stack, report, settings) => {
      report.each(stack.ofType(NODE_GROUP), (group) => checkTemplate(stack, group, report));
      report.each(stack.ofType(TEMPLATE), (template) => checkMetadata(template, report, settings.get(HOPS)));
    },
  },
];

/** A group without a template has EKS's own; what one of another stack says, nobody knows. */
function checkTemplate(stack: Stack, group: Resource, report: Report): void {
  const template = group.at("launchTemplate");
  if (!template.isUnknown && !template.isSet) {
    report.wrong(template, "so EKS lets answers travel two hops");
    return;
  }
  if ((stack.dependenciesOf(group) ?? []).some(({ type }) => type === TEMPLATE)) return;
  const parts = [template, template.at("id"), template.at("name")];
  const unknown = parts.find((part) => part.isUnknown);
  throw unknown === undefined
    ? new Undecided(template, `is ${template.shown}, a template that is not in this stack`)
    : new Undecided(unknown);
}

function checkMetadata(template: Resource, report: Report, mostHops: number): void {
  const metadata = template.at("metadataOptions");
  if (!metadata.isUnknown && metadata.at("httpEndpoint").raw === "disabled") return;
  report.part(() => {
    metadata.at("httpEndpoint").text();
    const tokens = metadata.at("httpTokens");
    if (tokens.text() !== "required") report.wrong(tokens, "so IMDSv1 answers without a token");
  });
  const hops = metadata.at("httpPutResponseHopLimit");
  const limit = hops.number();
  // Images may set 2 where the template says nothing.
  if (limit === undefined || limit > mostHops) report.wrong(hops, "so answers travel into pods");
}

function checkSubnets(stack: Stack, group: Resource, report: Report): void {
  const ids = group.at("subnetIds");
  const subnets = (stack.dependenciesOf(group) ?? []).filter(({ type }) => type === SUBNET);
  // A subnet's id is unknown before, and outside the stack it says nothing: what the group waits for tells.
  if (subnets.length === 0) {
    if (ids.isUnknown || ids.items().some((id) => id.isUnknown)) throw new Undecided(ids);
    throw new Undecided(ids, `is ${ids.shown}, of subnets that are not in this stack`);
  }
  report.each(subnets, (subnet) => {
    if (isPublic(stack, subnet)) report.missing(group, `subnetIds include ${subnet.label}, a public subnet`);
  });
}

function isPublic(stack: Stack, subnet: Resource): boolean {
  const waitsFor = (resource: Resource, type: string) =>
    (stack.dependenciesOf(resource) ?? []).filter((one) => one.type === type);
  const tables = stack
    .ofType(ASSOCIATION)
    .filter((association) => waitsFor(association, SUBNET).includes(subnet))
    .flatMap((association) => waitsFor(association, ROUTE_TABLE));
  const routes = stack
    .ofType(ROUTE)
    .filter((route) => waitsFor(route, ROUTE_TABLE).some((table) => tables.includes(table)));
  const byRoute = (route: Resource) =>
    waitsFor(route, GATEWAY).length > 0 &&
    isEverywhere(route.at("destinationCidrBlock"), route.at("destinationIpv6CidrBlock"));
  // Routes may stand in the table itself, whose gateway is an input of it.
  const byTable = (table: Resource) =>
    waitsFor(table, GATEWAY).length > 0 &&
    someKnown(
      table.at("routes").items(),
      (route) =>
        (route.at("gatewayId").isUnknown || route.at("gatewayId").isSet) &&
        isEverywhere(route.at("cidrBlock"), route.at("ipv6CidrBlock")),
    );
  const ways = [
    () => someKnown(routes, byRoute),
    () => someKnown(tables, byTable),
    () => subnet.at("mapPublicIpOnLaunch").flag() ?? false,
  ];
  return someKnown(ways, (isSo) => isSo());
}

function isEverywhere(...blocks: readonly Field[]): boolean {
  return someKnown(blocks, (block) => ["0.0.0.0/0", "::/0"].includes(block.text() ?? ""));
}
