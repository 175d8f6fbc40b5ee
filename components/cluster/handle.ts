import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { PodIdentityHost } from "../aws/partition.ts";
import type { IpFamily } from "../kubernetes/ip-family.ts";
import { checkedInputs } from "../schema/arguments.ts";
import { ArgumentsError, type SettingsIssue } from "../schema/errors.ts";
import { isObject } from "../schema/values.ts";
import { expandHome } from "./kubeconfig.ts";

/**
 * What a cluster offers to the components that run on it. EKS and existing clusters have the same handle: a component asks what the cluster
 * can do, never where it runs.
 */
export interface ClusterHandle {
  /** The EKS cluster's name, or the kubeconfig context of an existing one (`current` if none is named). */
  readonly name: string;
  /** The provider of all Kubernetes objects of this stack. */
  readonly provider: pulumi.ProviderResource;
  /**
   * Resources that must exist before a pod can run: nodes and network. Workloads depend on them, so they are created later and deleted
   * earlier.
   */
  readonly ready: readonly pulumi.Resource[];
  /** Kubeconfig as a secret; undefined if the cluster's owner already has it as a file. */
  readonly kubeconfig?: pulumi.Output<string> | undefined;
  /** Whether NetworkPolicies are known to be enforced; if not, teams warn that they may have no effect. Default false. */
  readonly enforcesNetworkPolicies?: boolean;
  /** Whether DaemonSets run; on Fargate they do not. Default true. */
  readonly runsDaemonSets?: boolean;
  /** Possible addresses of the Service kube-dns; empty if unknown. Default: those that EKS may assign. */
  readonly dnsAddresses?: readonly string[] | undefined;
  /** IP family of pods and Services. Default: ipv4. */
  readonly ipFamily?: IpFamily | undefined;
  /** Set if the cluster supports EKS add-ons; otherwise CoreDNS is not managed. */
  readonly addons?: AddonHost | undefined;
  /** Set if EKS access entries grant IAM principals access to the Kubernetes API. */
  readonly access?: Pick<AddonHost, "clusterName" | "tags"> | undefined;
  /** Set if pods can have an AWS identity, which AWS destinations need. */
  readonly podIdentity?: PodIdentityHost | undefined;
  /** Control-plane logs that the EKS cluster writes, such as `audit`. Not checked if unknown. */
  readonly logTypes?: pulumi.Input<readonly string[] | undefined>;
}

/** Where an EKS add-on is installed. */
export interface AddonHost {
  readonly clusterName: pulumi.Input<string>;
  /** Kubernetes minor version, such as `1.35`; undefined if it is looked up during deployment. */
  readonly kubernetesVersion: string | undefined;
  /** Whether the resources of an add-on stay on the cluster when the add-on is deleted. Default false. */
  readonly preserve?: boolean;
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/** What a component's argument `cluster` must be. */
export const HANDLE = "must be the output `handle` of EksCluster, ExistingEksCluster or ExistingCluster";

/**
 * The argument `cluster` of a component.
 * @throws {ArgumentsError} for anything else, such as the component itself.
 */
export function requiredHandle(name: string, args: { readonly cluster: ClusterHandle }): ClusterHandle {
  // A program without types may leave the arguments out.
  const given: unknown = Object(args).cluster;
  if (isObject(given) && pulumi.Resource.isInstance(given.provider) && Array.isArray(given.ready)) return args.cluster;
  throw new ArgumentsError([{ path: [name, "cluster"], message: HANDLE }]);
}

/**
 * A component's options with the cluster's provider for Kubernetes objects; the caller's providers are for all others. In a list of its own,
 * since the SDK adds the option `provider` to the list of `providers`, which the caller may use again.
 */
export function withClusterProvider(
  { provider: other, providers = [], ...options }: pulumi.ComponentResourceOptions,
  { provider }: Pick<ClusterHandle, "provider">,
): pulumi.ComponentResourceOptions {
  return { ...options, providers: [...Object.values(providers), ...(other === undefined ? [] : [other]), provider] };
}

/**
 * The error for a setting that requires DaemonSets, on a cluster that runs none.
 * @param issue Its message is the requirement, as in `must be false`.
 */
export function daemonSetIssues(
  { runsDaemonSets = true }: Pick<ClusterHandle, "runsDaemonSets">,
  { path, message, value }: Pick<SettingsIssue, "path" | "message" | "value">,
): SettingsIssue[] {
  const why = "on a cluster of Fargate alone, which runs no DaemonSet";
  return runsDaemonSets ? [] : [{ path, message: `${message} ${why}`, ...(value === undefined ? {} : { value }) }];
}

/** Warns if nothing may enforce network policies: they are created anyway, but isolate nobody. */
export function policyWarnings({
  name,
  runsDaemonSets = true,
  enforcesNetworkPolicies = false,
}: Pick<ClusterHandle, "name" | "runsDaemonSets" | "enforcesNetworkPolicies">): string[] {
  if (!runsDaemonSets)
    return [`network policies have no effect on cluster ${name}, whose pods run on Fargate, which enforces none`];
  if (enforcesNetworkPolicies) return [];
  return [
    `network policies are not known to be enforced on cluster ${name}: set its networkPolicies to true where its network does`,
  ];
}

/** How the Kubernetes provider reaches a cluster. */
export interface KubernetesProviderArgs {
  /** Contents or path of a kubeconfig. Empty means the files of $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig: pulumi.Input<string>;
  /** Context of the kubeconfig. @default the current one */
  readonly context?: pulumi.Input<string> | undefined;
  /** Identifies the cluster to Pulumi; another identifier replaces every object. */
  readonly clusterIdentifier: pulumi.Input<string>;
}

/**
 * The Kubernetes provider of a cluster, as a child of its component.
 * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
 */
export function kubernetesProvider(
  cluster: string,
  { kubeconfig, context, clusterIdentifier }: KubernetesProviderArgs,
  parent: pulumi.Resource,
): k8s.Provider {
  return new k8s.Provider(
    `${cluster}-kubernetes`,
    {
      kubeconfig,
      ...(context === undefined ? {} : { context }),
      // By default the provider compares kubeconfigs, and replaces every object if a file or context is renamed.
      clusterIdentifier,
      // ConfigMaps are updated in place: during a replacement, pods that start would find none.
      enableConfigMapMutable: true,
      enableServerSideApply: true,
    },
    { parent },
  );
}

/**
 * The kubeconfig argument, or empty. If it is undefined, the SDK writes $KUBECONFIG into the state, and the provider reads a list of files
 * as one file.
 * @param name Name of the component.
 */
export function givenKubeconfig(name: string, kubeconfig: pulumi.Input<string> = ""): pulumi.Input<string> {
  return typeof kubeconfig === "string"
    ? expandHome(kubeconfig)
    : checkedInputs(`${name}.kubeconfig`, Kubeconfig, kubeconfig).apply(expandHome);
}

const Kubeconfig = z.string("must be the path of a kubeconfig, or its contents as a string");
