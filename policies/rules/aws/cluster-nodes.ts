import { type Field, type Resource, someKnown, Undecided } from "../../core/resource.ts";
import { aws, cis, count, type Report, type Rule } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { coversEverybody } from "../../readers/network-rules.ts";
import { EKS_COMPONENT } from "./control-plane.ts";

const SUBNET = "aws:ec2/subnet:Subnet";
const ROUTE = "aws:ec2/route:Route";
const ROUTE_TABLE = "aws:ec2/routeTable:RouteTable";
const ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation";
const GATEWAY = "aws:ec2/internetGateway:InternetGateway";

/** Types of resources that determine whether a subnet is public. */
const NETWORK: readonly string[] = [SUBNET, ROUTE, ROUTE_TABLE, ASSOCIATION, GATEWAY];
export const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";
/** Nodes outside EKS node groups. */
const CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration";
const SCALING_GROUP = "aws:autoscaling/group:Group";
/** Karpenter's settings of nodes, by API version. */
const NODE_CLASS = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass";
const EARLY_NODE_CLASS = "kubernetes:karpenter.k8s.aws/v1beta1:EC2NodeClass";
const NODE_CLASSES = [NODE_CLASS, EARLY_NODE_CLASS];
const HOPS = count("hopLimit", "Maximum hop limit", 1, 1);

const SSH = 22;
/** Ingress rules, by the type of their resource. */
const INGRESS: Readonly<Record<string, (resource: Resource) => Ingress[]>> = {
  "aws:ec2/securityGroup:SecurityGroup": ingressOf,
  // Nodes whose launch template names no group have the VPC's default group.
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ingressOf,
  "aws:ec2/securityGroupRule:SecurityGroupRule": (rule) =>
    rule.at("type").text() === "ingress" ? [{ field: rule.inputs, cidrs: cidrsOf(rule.inputs) }] : [],
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (rule) => [
    { field: rule.inputs, cidrs: [rule.at("cidrIpv4"), rule.at("cidrIpv6")] },
  ],
};

/** Nodes' subnets and metadata service. */
export const CLUSTER_NODES: readonly Rule[] = [
  {
    id: "cluster-nodes-private",
    family: "cluster",
    level: "mandatory",
    title: "Nodes are in private subnets and have no public address",
    reason: "Otherwise the internet reaches them.",
    fix: "give the node group subnets that route to a NAT gateway",
    source: cis("5.4.3"),
    types: [NODE_GROUP, SCALING_GROUP, TEMPLATE, CONFIGURATION, EKS_COMPONENT, ...NODE_CLASSES, ...NETWORK],
    checkStack: (stack, report) => {
      report.each(stack.ofType(NODE_GROUP), (group) => checkSubnets(stack, group.at("subnetIds"), report));
      report.each(stack.ofType(SCALING_GROUP), (group) => {
        if (isOfCluster(group)) checkSubnets(stack, group.at("vpcZoneIdentifiers"), report);
      });
      const addresses = [
        ...stack.ofType(CONFIGURATION).map((configuration) => configuration.at("associatePublicIpAddress")),
        ...stack.ofType(...NODE_CLASSES).map((nodeClass) => nodeClass.at("spec", "associatePublicIPAddress")),
      ];
      report.each(addresses, (address) => {
        if (address.flag()) report.wrong(address, "which gives nodes public addresses", "remove it");
      });
      report.each(stack.ofType(EKS_COMPONENT), (cluster) => checkDefaultGroup(cluster, report));
      report.each(stack.ofType(TEMPLATE), (template) =>
        report.each(template.at("networkInterfaces").items(), (networkInterface) => {
          const address = networkInterface.at("associatePublicIpAddress");
          if (address.flag()) report.wrong(address, "which gives nodes public addresses", "remove it");
        }),
      );
    },
  },
  {
    id: "cluster-nodes-imdsv2",
    family: "cluster",
    level: "mandatory",
    title: "Nodes require IMDSv2 with a hop limit of 1",
    reason: "Otherwise a pod can take the node's IAM role.",
    fix: "set metadataOptions: {httpTokens: required, httpPutResponseHopLimit: 1} in the launch template or EC2NodeClass",
    source: aws(
      "EKS best practices, restrict access to the instance profile",
      "eks/latest/best-practices/identity-and-access-management.html",
    ),
    options: [HOPS],
    types: [TEMPLATE, CONFIGURATION, NODE_GROUP, ...NODE_CLASSES],
    checkStack: (stack, report, settings) => {
      const mostHops = settings.get(HOPS);
      report.each(stack.ofType(NODE_GROUP), (group) => checkTemplate(stack, group, report));
      report.each(stack.ofType(TEMPLATE, CONFIGURATION), (template) =>
        checkMetadata(template.at("metadataOptions"), report, { mostHops }),
      );
      report.each(stack.ofType(...NODE_CLASSES), (nodeClass) =>
        checkMetadata(nodeClass.at("spec", "metadataOptions"), report, {
          mostHops,
          tokens: "required",
          hops: KARPENTER_HOPS[nodeClass.type],
        }),
      );
    },
  },
];

/** Network access to nodes. */
export const CLUSTER_NODES_ACCESS: readonly Rule[] = [
  {
    id: "cluster-nodes-ssh",
    family: "cluster",
    level: "mandatory",
    title: "SSH is not open to the internet",
    reason: "A public port 22 is attacked constantly.",
    fix: "set sourceSecurityGroupIds in remoteAccess, or list the addresses that need it; Session Manager needs no open port",
    source: cis("5.4.3"),
    types: [NODE_GROUP, ...Object.keys(INGRESS)],
    check: (resource, report) => {
      if (resource.type === NODE_GROUP) {
        const access = resource.at("remoteAccess");
        if (!access.at("ec2SshKey").isUnknown && !access.at("ec2SshKey").isSet) return;
        const groups = access.at("sourceSecurityGroupIds");
        if (groups.items().length === 0) report.wrong(groups, "so EKS opens port 22 to 0.0.0.0/0");
        return;
      }
      report.each(INGRESS[resource.type]?.(resource) ?? [], ({ field, cidrs }) => {
        if (!opensSsh(field)) return;
        const known = cidrs.filter((cidr) => !cidr.isUnknown).map((cidr) => ({ cidr: cidr.text() ?? "" }));
        if (coversEverybody(known)) report.wrong(field, "which opens port 22 to everybody");
        // Undecided if a block is unknown.
        else for (const cidr of cidrs) cidr.text();
      });
    },
  },
];

interface Ingress {
  readonly field: Field;
  readonly cidrs: readonly Field[];
}

function opensSsh(rule: Field): boolean {
  const protocol = rule.at("protocol").isSet ? rule.at("protocol") : rule.at("ipProtocol");
  if (["-1", "all"].includes(String(protocol.text() ?? protocol.number() ?? ""))) return true;
  if (!["tcp", "6"].includes(String(protocol.text() ?? protocol.number() ?? "").toLowerCase())) return false;
  return (rule.at("fromPort").number() ?? 0) <= SSH && SSH <= (rule.at("toPort").number() ?? 65535);
}

function ingressOf(group: Resource): Ingress[] {
  return group
    .at("ingress")
    .items()
    .map((field) => ({ field, cidrs: cidrsOf(field) }));
}

function cidrsOf(rule: Field): Field[] {
  return [...rule.at("cidrBlocks").items(), ...rule.at("ipv6CidrBlocks").items()];
}

/** The group that @pulumi/eks creates by default, with public addresses by default. */
function checkDefaultGroup(cluster: Resource, report: Report): void {
  const skips = [cluster.at("skipDefaultNodeGroup"), cluster.at("fargate"), cluster.at("autoMode", "enabled")];
  // fargate may be an object.
  if (someKnown(skips, (field) => field.flag() ?? field.isSet)) return;
  const address = cluster.at("nodeAssociatePublicIpAddress");
  if (address.flag() !== false)
    report.wrong(
      address,
      "so the default nodes get public addresses",
      "set skipDefaultNodeGroup: true, or nodeAssociatePublicIpAddress: false",
    );
}

/** Whether an Auto Scaling group creates nodes, by the tag with which a cluster finds it. @throws {Undecided} */
function isOfCluster(group: Resource): boolean {
  return someKnown(group.at("tags").items(), (tag) =>
    /^(kubernetes\.io|k8s\.io)\/cluster\//.test(tag.at("key").text() ?? ""),
  );
}

/** Checks that a node group has a launch template of this stack: without one it has EKS's own, and another stack's is unknown. */
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

/**
 * Hop limit of a node class that sets none, by API version.
 * @see https://karpenter.sh/docs/concepts/nodeclasses/#specmetadataoptions
 */
const KARPENTER_HOPS: Readonly<Record<string, number>> = { [NODE_CLASS]: 1, [EARLY_NODE_CLASS]: 2 };

/** What metadata options must be, and what they are if they are not set. Default: unknown. */
interface MetadataDefaults {
  readonly mostHops: number;
  readonly tokens?: string;
  readonly hops?: number | undefined;
}

function checkMetadata(metadata: Field, report: Report, { mostHops, ...byDefault }: MetadataDefaults): void {
  if (!metadata.isUnknown && metadata.at("httpEndpoint").raw === "disabled") return;
  report.part(() => {
    metadata.at("httpEndpoint").text();
    const tokens = metadata.at("httpTokens");
    if ((tokens.text() ?? byDefault.tokens) !== "required") report.wrong(tokens, "so IMDSv1 answers without a token");
  });
  const hops = metadata.at("httpPutResponseHopLimit");
  const limit = hops.number() ?? byDefault.hops;
  // If the template sets no limit, the image may set 2.
  if (limit === undefined || limit > mostHops) report.wrong(hops, "so answers travel into pods");
}

/** Reports public subnets of a node group, by the field with its subnets. @throws {Undecided} */
function checkSubnets(stack: Stack, ids: Field, report: Report): void {
  const group = ids.owner;
  const subnets = (stack.dependenciesOf(group) ?? []).filter(({ type }) => type === SUBNET);
  // A subnet's id is unknown before the deployment, and does not tell if it is public: dependencies do.
  if (subnets.length === 0) {
    if (ids.isUnknown || ids.items().some((id) => id.isUnknown)) throw new Undecided(ids);
    throw new Undecided(
      ids,
      `is ${ids.shown}, of subnets that are not in this stack (exempt the node group with "only": "undecided" once they are known to be private)`,
    );
  }
  report.each(subnets, (subnet) => {
    if (isPublic(stack, subnet)) report.missing(group, `${ids.path} include ${subnet.label}, a public subnet`);
  });
}

function isPublic(stack: Stack, subnet: Resource): boolean {
  const dependsOn = (resource: Resource, type: string) =>
    (stack.dependenciesOf(resource) ?? []).filter((dependency) => dependency.type === type);
  const tables = stack
    .ofType(ASSOCIATION)
    .filter((association) => dependsOn(association, SUBNET).includes(subnet))
    .flatMap((association) => dependsOn(association, ROUTE_TABLE));
  const routes = stack
    .ofType(ROUTE)
    .filter((route) => dependsOn(route, ROUTE_TABLE).some((table) => tables.includes(table)));
  const byRoute = (route: Resource) =>
    dependsOn(route, GATEWAY).length > 0 &&
    isEverywhere(route.at("destinationCidrBlock"), route.at("destinationIpv6CidrBlock"));
  // Routes may be in the table itself, which then has the gateway as an input.
  const byTable = (table: Resource) =>
    dependsOn(table, GATEWAY).length > 0 &&
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
