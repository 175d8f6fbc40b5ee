import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { partitionOf } from "../aws/partition.ts";
import type { IpFamily } from "../kubernetes/ip-family.ts";
import {
  type ArgumentKinds,
  checkArguments,
  checkedText,
  checkedValues,
  holdsOutput,
  isOutput,
} from "../schema/arguments.ts";
import { parseArgs, throwErrors } from "../schema/errors.ts";
import { accessEntries, grantAccess, knownEntries } from "./eks/access.ts";
import type { AccessEntryArgs } from "./eks/eks-cluster-args.ts";
import {
  ClusterName,
  ClusterRegion,
  checkEksExisting,
  clusterDnsOf,
  EksExistingSettings,
  POD_IDENTITY_AGENT,
  principalIssues,
  STACK_TAG,
  Tags,
} from "./eks-settings.ts";
import { type ClusterHandle, givenKubeconfig, kubernetesProvider } from "./handle.ts";
import { tokenKubeconfig } from "./kubeconfig.ts";
import { ExistingClusterSettings } from "./settings.ts";

/** How to reach an existing cluster. */
export interface ExistingClusterArgs {
  /**
   * Path of the kubeconfig (`~` is the home folder), or its contents.
   * @default the files of $KUBECONFIG, else ~/.kube/config
   */
  readonly kubeconfig?: pulumi.Input<string> | undefined;
  /** Context of the kubeconfig. @default the current one */
  readonly context?: string | undefined;
  /**
   * Identifies the cluster to Pulumi, whatever the names of kubeconfig and context. Another identifier replaces all objects.
   * @default "eks-dns-logging-existing"
   */
  readonly identifier?: string;
  /** IP family of pods and Services. @default "ipv4" */
  readonly ipFamily?: IpFamily | undefined;
  /** Whether the cluster enforces NetworkPolicies. @default false */
  readonly networkPolicies?: boolean;
}

const KINDS: ArgumentKinds<keyof ExistingClusterArgs> = {
  any: ["kubeconfig", "context", "identifier", "ipFamily", "networkPolicies"],
  list: [],
  group: [],
  ofSettings: ["kind"],
};
const EKS_KINDS: ArgumentKinds<keyof ExistingEksClusterArgs> = {
  any: [
    "region",
    "name",
    "profile",
    "kubernetesVersion",
    "serviceCidr",
    "compute",
    "ipFamily",
    "networkPolicies",
    "podIdentityAgent",
    "kubeconfig",
    "context",
    "tags",
  ],
  list: ["accessEntries"],
  group: [],
  ofSettings: ["kind"],
};

const KnownArgs = ExistingClusterSettings.omit({ kind: true });
/** Access entries are checked where access is granted. */
const KnownEksArgs = EksExistingSettings.omit({ kind: true, accessEntries: true }).extend({
  name: ClusterName.optional(),
});

/**
 * Arguments of either cluster that may be or hold outputs, which are checked once known. The context is a part of names where nothing else
 * names the cluster. Of tags, only values may be outputs, since others are added.
 */
const LATE = ["kubeconfig"];
const LATE_ON_EKS = ["name", "kubeconfig", "context", "profile", "tags"];

/** The arguments that a schema has, without outputs among those that may be known later. */
function knownArguments(schema: z.ZodObject, args: object, late: readonly string[]): object {
  const isLate = (key: string, value: unknown) =>
    late.includes(key) && holdsOutput(value) && !(key === "tags" && isOutput(value));
  return Object.fromEntries(
    Object.entries(args).filter(([key, value]) => key in schema.shape && value !== undefined && !isLate(key, value)),
  );
}

/**
 * A cluster with another owner, reached by a kubeconfig. Planning needs neither the file nor the server; `preflight` reads the file before
 * a deployment. Only the lab's own objects are created on it.
 * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
 */
export class ExistingCluster extends pulumi.ComponentResource {
  /** The argument `cluster` of other components. */
  readonly handle: ClusterHandle;

  constructor(name: string, args: ExistingClusterArgs = {}, options: pulumi.ComponentResourceOptions = {}) {
    checkArguments(name, KINDS, args);
    parseArgs(name, KnownArgs, knownArguments(KnownArgs, args, LATE));
    super("eks-dns-logging:cluster:ExistingCluster", name, {}, options);
    const provider = kubernetesProvider(
      name,
      {
        kubeconfig: givenKubeconfig(name, args.kubeconfig),
        context: args.context,
        clusterIdentifier: args.identifier ?? "eks-dns-logging-existing",
      },
      this,
    );
    this.handle = {
      name: args.context ?? "current",
      provider,
      ready: [],
      kubeconfig: undefined,
      enforcesNetworkPolicies: args.networkPolicies ?? false,
      dnsAddresses: [],
      ipFamily: args.ipFamily,
      addons: undefined,
      podIdentity: undefined,
    };
    this.registerOutputs({ name: this.handle.name });
  }
}

/** An EKS cluster that exists already. */
export interface ExistingEksClusterArgs {
  /** AWS region of the cluster, such as `eu-central-1`. */
  readonly region: string;
  /** Name of the cluster. If it is an output, log groups and alarms are named after the component instead. */
  readonly name: pulumi.Input<string>;
  /** AWS profile for `aws eks get-token`. @default that of the environment */
  readonly profile?: pulumi.Input<string> | undefined;
  /**
   * Kubernetes version, such as `1.35`, which determines the schema of the CoreDNS add-on. A deployment fails if the cluster has another.
   * @default looked up during deployment, unknown in a preview
   */
  readonly kubernetesVersion?: string | undefined;
  /** Service CIDR. A deployment fails if the cluster has another. @default not compared */
  readonly serviceCidr?: string | undefined;
  /**
   * What runs pods: with `auto`, no CoreDNS add-on is installed; with `fargate`, pods get no AWS identity and DaemonSets do not run.
   * @default "managed"
   */
  readonly compute?: "managed" | "karpenter" | "auto" | "fargate";
  /** IP family of pods and Services. A deployment fails if the cluster has another. @default "ipv4" */
  readonly ipFamily?: IpFamily | undefined;
  /** Whether the cluster enforces NetworkPolicies. @default false */
  readonly networkPolicies?: boolean;
  /** Install the add-on eks-pod-identity-agent. @default false, the cluster has it */
  readonly podIdentityAgent?: boolean;
  /** Path or contents of a kubeconfig for the cluster. @default none, credentials come from `aws eks get-token` */
  readonly kubeconfig?: pulumi.Input<string> | undefined;
  /** Context of a kubeconfig for the cluster. @default none, credentials come from `aws eks get-token` */
  readonly context?: pulumi.Input<string> | undefined;
  /** IAM principals to grant access, besides those that already have it. @default none */
  readonly accessEntries?: readonly AccessEntryArgs[];
  /** Tags of every AWS resource. @default none */
  readonly tags?: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * An EKS cluster with another owner: add-ons, Pod Identity and AWS destinations work as on a new one. The cluster itself is not managed, so
 * destroying the stack does not change it.
 * @see https://www.pulumi.com/registry/packages/aws/api-docs/eks/getcluster/
 */
export class ExistingEksCluster extends pulumi.ComponentResource {
  /** The argument `cluster` of other components. */
  readonly handle: ClusterHandle;

  readonly #name: string;
  readonly #args: ExistingEksClusterArgs;
  readonly #tags: Readonly<Record<string, pulumi.Input<string>>>;

  constructor(name: string, args: ExistingEksClusterArgs, options: pulumi.ComponentResourceOptions = {}) {
    checkArguments(name, EKS_KINDS, args);
    const { region } = parseArgs(name, ClusterRegion, { region: args.region });
    const entries = accessEntries(`${name}.accessEntries`, args.accessEntries);
    throwErrors(name, [
      ...checkEksExisting(parseArgs(name, KnownEksArgs, knownArguments(KnownEksArgs, args, LATE_ON_EKS))),
      ...principalIssues(knownEntries(args.accessEntries ?? [], partitionOf(region).id), region),
    ]);
    super("eks-dns-logging:cluster:ExistingEksCluster", name, {}, options);
    this.#name = name;
    this.#args = { ...args, name: checkedText(`${name}.name`, ClusterName, args.name) };
    this.#tags = { ...checkedValues(`${name}.tags`, Tags, args.tags), [STACK_TAG]: pulumi.getStack() };
    const { name: clusterName, kubernetesVersion, compute = "managed", ipFamily = "ipv4" } = this.#args;
    const partition = partitionOf(region).id;
    const tags = this.#tags;
    const cluster = aws.eks.getClusterOutput({ name: clusterName }, { parent: this });
    const version = this.#checkedVersion(cluster);
    const hasKubeconfig = args.kubeconfig !== undefined || args.context !== undefined;
    const kubeconfig = this.#tokenKubeconfig(cluster, version);
    const provider = kubernetesProvider(
      name,
      {
        ...(hasKubeconfig
          ? { kubeconfig: givenKubeconfig(name, args.kubeconfig), context: args.context }
          : { kubeconfig }),
        clusterIdentifier:
          typeof clusterName === "string" ? `${region}/${clusterName}` : pulumi.interpolate`${region}/${clusterName}`,
      },
      this,
    );
    grantAccess(`${name}-access`, { clusterName, partition, entries, tags, cluster: undefined }, { parent: this });
    const agent = args.podIdentityAgent ? this.#podIdentityAgent() : undefined;
    this.handle = {
      name: typeof clusterName === "string" ? clusterName : name,
      provider,
      ready: [],
      kubeconfig: hasKubeconfig ? undefined : kubeconfig,
      enforcesNetworkPolicies: args.networkPolicies ?? false,
      dnsAddresses: clusterDnsOf(args),
      ipFamily,
      runsDaemonSets: compute !== "fargate",
      access: { clusterName, tags },
      addons: compute === "auto" ? undefined : { clusterName, kubernetesVersion, preserve: true, tags },
      podIdentity: compute === "fargate" ? undefined : { clusterName, region, partition, tags, agent },
      logTypes: cluster.enabledClusterLogTypes,
    };
    this.registerOutputs({ name: clusterName, version });
  }

  /** The cluster's Kubernetes version, after checking that the cluster matches the arguments. */
  #checkedVersion(cluster: FoundCluster): pulumi.Output<string> {
    const { name, kubernetesVersion, serviceCidr, ipFamily = "ipv4", compute = "managed" } = this.#args;
    return pulumi
      .all([name, cluster.version, cluster.kubernetesNetworkConfigs, cluster.computeConfigs])
      .apply(([clusterName, version, networks, computes]) =>
        checkedFacts(
          // An output may be a secret.
          typeof name === "string" ? clusterName : this.#name,
          { kubernetesVersion, serviceCidr, ipFamily, compute },
          {
            kubernetesVersion: version,
            serviceCidr: networks?.[0]?.serviceIpv4Cidr,
            ipFamily: networks?.[0]?.ipFamily,
            isAutoMode: computes?.[0]?.enabled,
          },
        ),
      );
  }

  /** A kubeconfig with credentials from `aws eks get-token`. */
  #tokenKubeconfig(cluster: FoundCluster, version: pulumi.Output<string>): pulumi.Output<string> {
    const { name, region, profile } = this.#args;
    return pulumi.secret(
      pulumi
        .all([cluster.endpoint, cluster.certificateAuthorities, name, profile, version])
        .apply(([server, authorities, clusterName, knownProfile]) =>
          tokenKubeconfig({
            name: clusterName,
            region,
            profile: knownProfile,
            server,
            certificateAuthority: authorities?.[0]?.data ?? "",
          }),
        ),
    );
  }

  #podIdentityAgent(): aws.eks.Addon {
    return new aws.eks.Addon(
      `${this.#name}-eks-pod-identity-agent`,
      {
        clusterName: this.#args.name,
        addonName: "eks-pod-identity-agent",
        addonVersion: POD_IDENTITY_AGENT,
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
        // Other owners' pods may depend on it by then.
        preserve: true,
        tags: this.#tags,
      },
      { parent: this },
    );
  }
}

type FoundCluster = ReturnType<typeof aws.eks.getClusterOutput>;

/** Facts of a cluster that a stack states. */
interface StatedFacts {
  readonly kubernetesVersion?: string | undefined;
  readonly serviceCidr?: string | undefined;
  readonly ipFamily?: IpFamily;
  readonly compute: NonNullable<ExistingEksClusterArgs["compute"]>;
}

/** The same facts as AWS reports them; undefined if it does not. */
interface FoundFacts {
  readonly kubernetesVersion: string;
  readonly serviceCidr?: string | undefined;
  readonly ipFamily?: string | undefined;
  readonly isAutoMode?: boolean | undefined;
}

/**
 * Compares the stated facts with the cluster, and returns its Kubernetes version.
 * @throws {pulumi.RunError} with all differences.
 */
export function checkedFacts(name: string, stated: StatedFacts, found: FoundFacts): string {
  const compare = (key: string, expected: string | undefined, actual: string | undefined) =>
    expected === undefined || actual === undefined || actual === "" || expected === actual
      ? []
      : [`cluster.${key}: must be ${actual}, as in cluster ${name} (found ${JSON.stringify(expected)})`];
  const differences = [
    ...compare("kubernetesVersion", stated.kubernetesVersion, found.kubernetesVersion),
    ...compare("serviceCidr", stated.serviceCidr, found.serviceCidr),
    ...compare("ipFamily", stated.ipFamily, found.ipFamily),
    // The reverse is valid: a cluster may have Auto Mode besides node groups of its own.
    ...(found.isAutoMode === false && stated.compute === "auto"
      ? [`cluster.compute: must not be auto, since EKS Auto Mode is off for ${name} (found "auto")`]
      : []),
  ];
  if (differences.length > 0) throw new pulumi.RunError(differences.join("\n"));
  return found.kubernetesVersion;
}
