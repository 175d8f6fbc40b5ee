import * as aws from "@pulumi/aws";
import * as eks from "@pulumi/eks";
import * as pulumi from "@pulumi/pulumi";
import { serviceRole } from "../../aws/iam.ts";
import { ControlPlaneLogs } from "../../aws/log-group.ts";
import { partitionOf } from "../../aws/partition.ts";
import { checkedInputs, checkedValues, holdsOutput, isOutput } from "../../schema/arguments.ts";
import { parseArgs, throwErrors } from "../../schema/errors.ts";
import { addonVersions, ClusterRegion, clusterDnsOf, PublicCidrs, STACK_TAG, Tags } from "../eks-settings.ts";
import { type ClusterHandle, kubernetesProvider } from "../handle.ts";
import { withProfile } from "../kubeconfig.ts";
import { ClusterSettings, checkCluster, type EksClusterSettings } from "../settings.ts";
import { accessEntries, grantAccess, knownEntries } from "./access.ts";
import type { EksClusterArgs } from "./eks-cluster-args.ts";
import { type Network, Vpc } from "./network.ts";
import { VpcCidr, VpcSettings } from "./network-settings.ts";
import { NodeLabels } from "./node-group-settings.ts";
import { type NodeGroup, Nodes } from "./nodes.ts";

/**
 * An EKS cluster that the stack owns. The package `@pulumi/eks` creates the control plane; everything else is a plain resource, visible to
 * previews and policies. Order: network and key, control plane, vpc-cni, kube-proxy and Pod Identity agent, nodes.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/create-cluster.html
 */
export class EksCluster extends pulumi.ComponentResource {
  /** The argument `cluster` of other components. */
  readonly handle: ClusterHandle;
  /** Kubeconfig that gets its credentials from the AWS CLI; a secret. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly #name: string;
  readonly #args: EksClusterArgs;
  readonly #settings: EksClusterSettings;
  readonly #tags: Readonly<Record<string, pulumi.Input<string>>>;
  readonly #partition: string;

  constructor(name: string, args: EksClusterArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:cluster:EksCluster", name, {}, options);
    this.#name = name;
    this.#args = args;
    this.#settings = settingsOf(name, args);
    this.#tags = { ...checkedValues(`${name}.tags`, Tags, args.tags), [STACK_TAG]: pulumi.getStack() };
    this.#partition = partitionOf(args.region).id;
    const { region } = args;
    const settings = this.#settings;

    const network = this.#network();
    const control = this.#controlPlane(network);
    // A plain string, so that previews show it; its users depend on the cluster through dependsOn.
    const clusterName = settings.name;
    const entries = accessEntries(`${name}.accessEntries`, args.accessEntries);
    const granted = { clusterName, partition: this.#partition, entries, tags: this.#tags, cluster: control };
    grantAccess(`${name}-access`, granted, { parent: this });
    const addons = this.#addons(control);
    const nodes = new Nodes(
      `${name}-nodes`,
      {
        clusterName,
        kubernetesVersion: settings.version,
        groups: settings.nodeGroups.map((group, index) => ({ ...group, labels: this.#labels(group.labels, index) })),
        subnetIds: network.privateSubnetIds,
        partition: this.#partition,
        tags: this.#tags,
        after: [...network.ready, addons.cni, addons.proxy, addons.agent],
      },
      { parent: this },
    );
    const provider = kubernetesProvider(
      name,
      { kubeconfig: pulumi.secret(this.#kubeconfig(control)), clusterIdentifier: `${region}/${clusterName}` },
      this,
    );
    // Without a profile, because users have their own credentials.
    this.kubeconfig = pulumi.secret(control.kubeconfigJson);
    this.handle = {
      name: settings.name,
      provider,
      ready: nodes.groups,
      kubeconfig: this.kubeconfig,
      // vpc-cni runs its policy agent.
      enforcesNetworkPolicies: true,
      dnsAddresses: clusterDnsOf({ vpcCidr: holdsOutput(args.vpc?.cidr) ? undefined : settings.vpc?.cidr }),
      access: { clusterName, tags: this.#tags },
      addons: { clusterName, kubernetesVersion: settings.version, tags: this.#tags },
      podIdentity: { clusterName, region, partition: this.#partition, tags: this.#tags, agent: addons.agent },
      logTypes: settings.logTypes,
    };
    this.registerOutputs({ name: settings.name });
  }

  #kubeconfig(control: eks.Cluster): pulumi.Output<string> {
    const { profile } = this.#args;
    return profile === undefined
      ? control.kubeconfigJson
      : control.kubeconfigJson.apply((kubeconfig) => withProfile(kubeconfig, profile));
  }

  #network(): Network {
    const { region, existingVpc } = this.#args;
    if (existingVpc !== undefined) {
      const { id, privateSubnetIds } = existingVpc;
      const subnets = Array.isArray(privateSubnetIds)
        ? [...privateSubnetIds]
        : pulumi.output(privateSubnetIds).apply((ids) => [...ids]);
      return { vpcId: id, privateSubnetIds: subnets, controlPlaneSubnetIds: subnets, ready: [] };
    }
    const settings = this.#settings.vpc ?? VpcSettings.parse({});
    const given = this.#args.vpc?.cidr;
    const cidr = holdsOutput(given) ? checkedInputs(`${this.#name}.vpc.cidr`, VpcCidr, given) : settings.cidr;
    const args = { settings, cidr, region, tags: this.#tags };
    return new Vpc(`${this.#name}-vpc`, args, { parent: this }).network;
  }

  /** @param index Index of the node group. */
  #labels(checkedLabels: Readonly<Record<string, string>>, index: number): NodeGroup["labels"] {
    const given = this.#args.nodeGroups?.[index]?.labels;
    if (!holdsOutput(given)) return checkedLabels;
    return checkedInputs(`${this.#name}.nodeGroups.${index}.labels`, NodeLabels, given);
  }

  #publicCidrs(): pulumi.Input<string[]> {
    const given = this.#args.endpointAccess?.publicCidrs;
    if (!holdsOutput(given)) return this.#settings.endpointAccess.publicCidrs;
    return checkedInputs(`${this.#name}.endpointAccess.publicCidrs`, PublicCidrs, given);
  }

  /**
   * Installs the add-ons that nodes need to become ready: vpc-cni, kube-proxy and the Pod Identity agent. CoreDNS is separate, because it
   * needs nodes. None waits for a node: a DaemonSet without nodes is complete.
   *
   * vpc-cni runs its NetworkPolicy agent, and has its own role through Pod Identity, so that the nodes' role needs no permission to manage
   * addresses. This works on a new node, because both use the host's network and the Pod Identity agent tolerates nodes that are not ready.
   * @see https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
   * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
   */
  #addons(control: eks.Cluster) {
    const { name: clusterName, version, addons: chosen } = this.#settings;
    const versions = addonVersions(version);
    const { role, attachments } = this.#role("vpc-cni", "pods.eks.amazonaws.com", "AmazonEKS_CNI_Policy");
    const install = (
      addonName: string,
      addonVersion: string,
      more: Pick<aws.eks.AddonArgs, "configurationValues" | "podIdentityAssociations"> = {},
      after: readonly pulumi.Resource[] = [],
    ) =>
      new aws.eks.Addon(
        `${this.#name}-${addonName}`,
        {
          clusterName,
          addonName,
          addonVersion,
          resolveConflictsOnCreate: "OVERWRITE",
          resolveConflictsOnUpdate: "OVERWRITE",
          tags: this.#tags,
          ...more,
        },
        { parent: this, dependsOn: [control, ...after] },
      );
    const cni = install(
      "vpc-cni",
      chosen.vpcCni ?? versions.vpcCni,
      {
        // The add-on's schema requires a string.
        configurationValues: JSON.stringify({ enableNetworkPolicy: "true" }),
        podIdentityAssociations: [{ roleArn: role.arn, serviceAccount: "aws-node" }],
      },
      attachments,
    );
    const proxy = install("kube-proxy", chosen.kubeProxy ?? versions.kubeProxy);
    const agent = install("eks-pod-identity-agent", chosen.podIdentityAgent ?? versions.podIdentityAgent);
    return { cni, proxy, agent };
  }

  /** A role that an EKS service assumes, with an AWS managed policy. */
  #role(name: string, service: string, policy: string) {
    return serviceRole(
      `${this.#name}-${name}`,
      {
        service,
        actions: ["sts:AssumeRole", "sts:TagSession"],
        policies: [policy],
        partition: this.#partition,
        tags: this.#tags,
      },
      { parent: this },
    );
  }

  #controlPlane(network: Network): eks.Cluster {
    const { region } = this.#args;
    const settings = this.#settings;
    const { key, group } = new ControlPlaneLogs(
      `${this.#name}-control-plane`,
      {
        clusterName: settings.name,
        region,
        retentionDays: settings.logRetentionDays,
        tags: this.#tags,
      },
      // Without its key, the cluster's secrets are lost.
      { parent: this, protect: settings.deletionProtection },
    );
    const { role, attachments } = this.#role("control-plane", "eks.amazonaws.com", "AmazonEKSClusterPolicy");
    const { endpointAccess } = settings;
    return new eks.Cluster(
      this.#name,
      {
        name: settings.name,
        version: settings.version,
        serviceRole: role,
        vpcId: network.vpcId,
        subnetIds: network.controlPlaneSubnetIds,
        endpointPrivateAccess: endpointAccess.private,
        endpointPublicAccess: endpointAccess.public,
        ...(endpointAccess.public ? { publicAccessCidrs: this.#publicCidrs() } : {}),
        authenticationMode: eks.AuthenticationMode.Api,
        encryptionConfigKeyArn: key.arn,
        enabledClusterLogTypes: settings.logTypes,
        upgradePolicy: { supportType: "STANDARD" },
        deletionProtection: settings.deletionProtection,
        // Nodes, network, kube-proxy and CoreDNS are separate resources of this program.
        skipDefaultNodeGroup: true,
        skipDefaultSecurityGroups: true,
        createInstanceRole: false,
        createOidcProvider: false,
        bootstrapSelfManagedAddons: false,
        useDefaultVpcCni: true,
        kubeProxyAddonOptions: { enabled: false },
        corednsAddonOptions: { enabled: false },
        clusterTags: { Name: settings.name },
        tags: this.#tags,
      },
      {
        parent: this,
        // EKS would create the log group itself, unencrypted and without expiry.
        dependsOn: [group, ...attachments],
        protect: settings.deletionProtection,
      },
    );
  }
}

/**
 * The arguments, complete with defaults.
 * @throws {ArgumentsError} with every error in them.
 */
function settingsOf(name: string, { region: given, profile: _profile, ...plain }: EksClusterArgs): EksClusterSettings {
  const { accessEntries: entries, endpointAccess: access, tags, vpc, existingVpc, nodeGroups } = plain;
  const { region } = parseArgs(name, ClusterRegion, { region: given });
  const settings = parseArgs(name, ClusterSettings, {
    ...plain,
    ...(entries && { accessEntries: knownEntries(entries, partitionOf(region).id) }),
    ...(access && {
      endpointAccess: { ...access, ...(access.publicCidrs && { publicCidrs: knownCidrs(access.publicCidrs) }) },
    }),
    // Not as an output: the stack's own tags are added to them.
    ...(tags && { tags: isOutput(tags) ? tags : knownTexts(tags) }),
    ...(vpc && { vpc: { ...vpc, ...(holdsOutput(vpc.cidr) && { cidr: UNKNOWN_VPC }) } }),
    ...(existingVpc && { existingVpc: knownVpc(existingVpc) }),
    ...(nodeGroups && {
      nodeGroups: nodeGroups.map((group) => ({ ...group, ...(group.labels && { labels: knownTexts(group.labels) }) })),
    }),
    kind: "eks",
  });
  if (settings.kind !== "eks") throw new Error(`the settings of ${name} are of kind ${settings.kind}`);
  throwErrors(name, checkCluster(settings, region));
  return settings;
}

/** Placeholder for a VPC's block that is known only after deployment. */
const UNKNOWN_VPC = "10.0.0.0/16";

/** An existing VPC, with placeholders for ids known only after deployment. */
function knownVpc(given: NonNullable<EksClusterArgs["existingVpc"]>): object {
  const { id, privateSubnetIds } = given;
  return {
    ...given,
    ...(holdsOutput(id) && { id: "vpc-00000000" }),
    ...(holdsOutput(privateSubnetIds) && { privateSubnetIds: ["subnet-00000000", "subnet-00000001"] }),
  };
}

/** Tags or labels, with placeholders for values known only after deployment. */
function knownTexts(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(given);
  return Object.fromEntries(entries.map(([key, value]) => [key, holdsOutput(value) ? "unknown" : value]));
}

/** Blocks, with placeholders for those known only after deployment. */
function knownCidrs(given: readonly pulumi.Input<string>[]): string[] {
  return given.map((cidr, index) => (typeof cidr === "string" ? cidr : `203.0.113.${index % 256}/32`));
}
