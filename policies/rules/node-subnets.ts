import { type Field, Undecided } from "../core/field.ts";
import type { Report } from "../core/report.ts";
import type { Resource } from "../core/resource.ts";
import { someKnown } from "../core/some-known.ts";
import type { Stack } from "../core/stack.ts";

const SUBNET = "aws:ec2/subnet:Subnet";
const ROUTE = "aws:ec2/route:Route";
const ROUTE_TABLE = "aws:ec2/routeTable:RouteTable";
const ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";
const GATEWAY = "aws:ec2/internetGateway:InternetGateway";

/** Types of the resources that tell whether a subnet is public. */
export const NETWORK: readonly string[] = [SUBNET, ROUTE, ROUTE_TABLE, ASSOCIATION, GATEWAY];

/** Tells the public subnets that a group of nodes is in, by the field that names its subnets. @throws {Undecided} */
export function checkSubnets(stack: Stack, ids: Field, report: Report): void {
  const group = ids.owner;
  const subnets = (stack.dependenciesOf(group) ?? []).filter(({ type }) => type === SUBNET);
  // A subnet's id is unknown before, and outside the stack it says nothing: what the group waits for tells.
  if (subnets.length === 0) {
    if (ids.isUnknown || ids.items().some((id) => id.isUnknown)) throw new Undecided(ids);
    throw new Undecided(ids, `is ${ids.shown}, of subnets that are not in this stack`);
  }
  report.each(subnets, (subnet) => {
    if (isPublic(stack, subnet)) report.missing(group, `${ids.path} include ${subnet.label}, a public subnet`);
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
