import { Undecided } from "../core/field.ts";
import type { Report } from "../core/report.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import { count } from "../core/rule-option.ts";
import { someKnown } from "../core/some-known.ts";
import type { Stack } from "../core/stack.ts";
import { EKS_COMPONENT } from "./control-plane.ts";
import { checkSubnets, NETWORK } from "./node-subnets.ts";
import { aws, cis } from "./sources.ts";

const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";
/** Nodes that no EKS node group makes. */
const CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration";
const SCALING_GROUP = "aws:autoscaling/group:Group";
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
    types: [NODE_GROUP, SCALING_GROUP, TEMPLATE, CONFIGURATION, EKS_COMPONENT, ...NETWORK],
    checkStack: (stack, report) => {
      report.each(stack.ofType(NODE_GROUP), (group) => checkSubnets(stack, group.at("subnetIds"), report));
      report.each(stack.ofType(SCALING_GROUP), (group) => {
        if (isOfCluster(group)) checkSubnets(stack, group.at("vpcZoneIdentifiers"), report);
      });
      report.each(stack.ofType(CONFIGURATION), (configuration) => {
        const address = configuration.at("associatePublicIpAddress");
        if (address.flag()) report.wrong(address, "which gives nodes public addresses", "take it out");
      });
      report.each(stack.ofType(EKS_COMPONENT), (cluster) => checkDefaultGroup(cluster, report));
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
    options: [HOPS],
    types: [TEMPLATE, CONFIGURATION, NODE_GROUP],
    checkStack: (stack, report, settings) => {
      report.each(stack.ofType(NODE_GROUP), (group) => checkTemplate(stack, group, report));
      report.each(stack.ofType(TEMPLATE, CONFIGURATION), (template) =>
        checkMetadata(template, report, settings.get(HOPS)),
      );
    },
  },
];

/** The group that @pulumi/eks makes unless told otherwise, with public addresses unless told otherwise. */
function checkDefaultGroup(cluster: Resource, report: Report): void {
  const skips = [cluster.at("skipDefaultNodeGroup"), cluster.at("fargate"), cluster.at("autoMode", "enabled")];
  // Fargate may be a group of settings.
  if (someKnown(skips, (field) => field.flag() ?? field.isSet)) return;
  const address = cluster.at("nodeAssociatePublicIpAddress");
  if (address.flag() !== false)
    report.wrong(
      address,
      "so the default nodes get public addresses",
      "set skipDefaultNodeGroup: true, or nodeAssociatePublicIpAddress: false",
    );
}

/** Whether an Auto Scaling group makes nodes, by the tag that a cluster finds them by. @throws {Undecided} */
function isOfCluster(group: Resource): boolean {
  return someKnown(group.at("tags").items(), (tag) =>
    /^(kubernetes\.io|k8s\.io)\/cluster\//.test(tag.at("key").text() ?? ""),
  );
}

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
