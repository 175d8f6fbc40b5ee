import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { serviceRole } from "../../aws/iam.ts";
import { shortPrefix } from "../../aws/names.ts";
import { amiTypeOf, type NodeGroupSettings, nodeUserData } from "./node-group-settings.ts";

/** A node group whose labels may have outputs as values. */
export type NodeGroup = Omit<NodeGroupSettings, "labels"> & {
  readonly labels: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
};

/** The managed node groups of a cluster. */
export interface NodesArgs {
  /** Name of the EKS cluster: a plain string, so that previews show it. The dependency on the cluster is in `after`. */
  readonly clusterName: string;
  /** Kubernetes version, such as `1.35`. */
  readonly kubernetesVersion: string;
  /** Node groups, with instance types and sizes. */
  readonly groups: readonly NodeGroup[];
  /** Private subnets of the nodes. */
  readonly subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** AWS partition as in an ARN, such as `aws`. */
  readonly partition: string;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  /** What a node needs to become ready: routes to the internet, and the network add-ons. */
  readonly after: readonly pulumi.Resource[];
}

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html */
const MAX_GROUP_NAME = 63;

/** EKS's names for the taint effects of Kubernetes. */
const TAINT_EFFECTS = {
  NoSchedule: "NO_SCHEDULE",
  PreferNoSchedule: "PREFER_NO_SCHEDULE",
  NoExecute: "NO_EXECUTE",
};

/**
 * The cluster's nodes: managed node groups on Amazon Linux 2023, in private subnets.
 *
 * Pods cannot reach the node's credentials: IMDSv2 answers at most one hop away, and a pod is two hops away. The node's role may pull
 * images and join the cluster; the network add-on has its own role.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
 * @see https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
 */
export class Nodes extends pulumi.ComponentResource {
  readonly groups: readonly aws.eks.NodeGroup[];

  constructor(name: string, args: NodesArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:cluster:Nodes", name, {}, options);
    const { role, attachments } = serviceRole(
      name,
      {
        service: "ec2.amazonaws.com",
        actions: ["sts:AssumeRole"],
        policies: ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
        partition: args.partition,
        tags: args.tags,
      },
      { parent: this },
    );
    this.groups = args.groups.map((group) => {
      const groupName = `${name}-${group.name}`;
      const template = launchTemplate(groupName, group, args.tags, { parent: this });
      const nodeGroupNamePrefix = shortPrefix(groupName, MAX_GROUP_NAME);
      return new aws.eks.NodeGroup(
        groupName,
        {
          ...(nodeGroupNamePrefix === undefined ? {} : { nodeGroupNamePrefix }),
          clusterName: args.clusterName,
          version: args.kubernetesVersion,
          amiType: amiTypeOf(group),
          capacityType: group.capacityType,
          instanceTypes: group.instanceTypes,
          launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
          nodeRoleArn: role.arn,
          scalingConfig: {
            minSize: group.minSize,
            desiredSize: group.desiredSize ?? group.minSize,
            maxSize: group.maxSize,
          },
          subnetIds: args.subnetIds,
          updateConfig: { maxUnavailable: 1 },
          labels: group.labels,
          taints: group.taints.map(({ key, value, effect }) => ({ key, value, effect: TAINT_EFFECTS[effect] })),
          tags: args.tags,
        },
        {
          parent: this,
          dependsOn: [...args.after, ...attachments],
          // Unless the settings state a number, an autoscaler may change it after creation.
          ignoreChanges: group.desiredSize === undefined ? ["scalingConfig.desiredSize"] : [],
        },
      );
    });
    this.registerOutputs({ groups: this.groups.map((group) => group.nodeGroupName) });
  }
}

function launchTemplate(
  name: string,
  group: NodeGroup,
  tags: Readonly<Record<string, pulumi.Input<string>>>,
  options: pulumi.CustomResourceOptions,
): aws.ec2.LaunchTemplate {
  const userData = nodeUserData(group);
  return new aws.ec2.LaunchTemplate(
    name,
    {
      updateDefaultVersion: true,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [
        {
          deviceName: "/dev/xvda",
          ebs: { volumeSize: group.diskSize, volumeType: "gp3", encrypted: "true", deleteOnTermination: "true" },
        },
      ],
      ...(userData === undefined ? {} : { userData: Buffer.from(userData).toString("base64") }),
      tagSpecifications: ["instance", "volume"].map((resourceType) => ({
        resourceType,
        tags: { ...tags, Name: name },
      })),
      tags,
    },
    options,
  );
}
