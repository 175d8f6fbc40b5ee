import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parseAddonVersion } from "eks-dns-logging-corefile/addon";
import { type AddonHost, type ClusterHandle, daemonSetIssues, requiredHandle } from "../cluster/handle.ts";
import { coreDnsPodsOfKubeSystem } from "../kubernetes/labels.ts";
import { parseArgs, throwErrors } from "../schema/errors.ts";
import { addonConfiguration, addonIssues, addonVersion, defined, LOOKED_UP_VERSION, sortedJson } from "./addon.ts";
import { corefileText } from "./corefile-rendering.ts";
import { targetPort } from "./endpoints.ts";
import { checkDns, dnsWarnings } from "./issues.ts";
import { NodeLocalCache } from "./node-local-cache.ts";
import { cacheOptions } from "./node-local-rendering.ts";
import { dnsProfile, type ProfileRow } from "./profile.ts";
import { type PodDns, podDns } from "./resolver.ts";
import { type AdoptSettings, type DnsOptions, DnsSettings } from "./settings.ts";

/** Fields applied to an existing Deployment: only those in the settings. */
interface DeploymentFields {
  readonly replicas?: number;
  readonly template?: { readonly metadata?: object; readonly spec?: object };
}

/**
 * The Deployment fields that the settings manage; may be empty. All other fields stay unchanged.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
function adoptedDeployment(settings: DnsSettings, { container }: AdoptSettings): DeploymentFields {
  const { affinity, nodeSelector, tolerations, topologySpreadConstraints, resources, podLabels, podAnnotations } =
    addonConfiguration(settings);
  const { replicas } = dnsProfile(settings);
  const metadata = defined({ labels: podLabels, annotations: podAnnotations });
  const spec = defined({
    affinity,
    nodeSelector,
    tolerations,
    topologySpreadConstraints,
    containers: resources === undefined ? undefined : [{ name: container, resources }],
  });
  const template = { ...(isEmpty(metadata) ? {} : { metadata }), ...(isEmpty(spec) ? {} : { spec }) };
  return { ...(replicas === undefined ? {} : { replicas }), ...(isEmpty(template) ? {} : { template }) };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

/**
 * Manages the Corefile and the configured Deployment fields of a CoreDNS that this stack did not install. Server-side apply adds a field
 * manager and replaces nothing. By default a destroy leaves the last state: releasing a field without another manager would remove it, and
 * break CoreDNS.
 */
function adoptCoreDns(
  name: string,
  settings: DnsSettings,
  adopt: AdoptSettings,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const { namespace, configMap, deployment, force } = adopt;
  const annotations = force ? { annotations: { "pulumi.com/patchForce": "true" } } : {};
  const kept = { ...options, retainOnDelete: settings.preserve ?? true };
  const corefile = new k8s.core.v1.ConfigMapPatch(
    `${name}-corefile`,
    { metadata: { name: configMap, namespace, ...annotations }, data: { Corefile: corefileText(settings) } },
    kept,
  );
  const spec = adoptedDeployment(settings, adopt);
  if (deployment === undefined || isEmpty(spec)) return [corefile];
  const metadata = { name: deployment, namespace, ...annotations };
  return [corefile, new k8s.apps.v1.DeploymentPatch(`${name}-deployment`, { metadata, spec }, kept)];
}

/**
 * A cluster's CoreDNS: where it runs and how it answers. docs/reference/settings.md describes the keys under `dns`.
 * @example { cluster, replicas: 3, corefile: { profile: "tuned" } }
 */
export interface CoreDnsArgs extends DnsOptions {
  /** The cluster. With `addons`, CoreDNS is an EKS add-on; with neither that nor `adopt`, the Corefile is only rendered. */
  readonly cluster: ClusterHandle;
}

/**
 * CoreDNS as a separate EKS add-on. On a cluster without add-ons, CoreDNS belongs to the cluster's creator: with `adopt`, server-side apply
 * manages its Corefile and Deployment, unless `manage` is false; without it, nothing is registered and the Corefile is only rendered.
 * @throws {ArgumentsError} for arguments that the add-on or CoreDNS would reject.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
export class CoreDns extends pulumi.ComponentResource {
  /** The rendered Corefile. */
  readonly corefile: string;
  /** Addresses besides the CoreDNS pods that answer DNS queries; network policies must allow them. */
  readonly addresses: readonly string[];
  /** DNS configuration of this stack's pods; undefined if the kubelet's is right. */
  readonly forPods: PodDns | undefined;
  /** The add-on; undefined without one. */
  readonly addon: aws.eks.Addon | undefined;
  /** ARN of the add-on; undefined without one. */
  readonly addonArn: pulumi.Output<string> | undefined;
  /** Sizes and switches derived from the settings, each with its reason. */
  readonly profile: readonly ProfileRow[];
  /** Warnings about the Corefile, one sentence each. */
  readonly warnings: readonly string[];

  constructor(name: string, args: CoreDnsArgs, options: pulumi.ComponentResourceOptions = {}) {
    const cluster = requiredHandle(name, args);
    // In the state, so that policies check the memory limit against the expected size.
    super("eks-dns-logging:dns:CoreDns", name, { clusterSize: args.clusterSize }, options);
    const { cluster: _, ...given } = args;
    const settings = parseArgs(name, DnsSettings, given);
    const host = cluster.addons;
    const kubernetesVersion = host === undefined ? undefined : (host.kubernetesVersion ?? LOOKED_UP_VERSION);
    throwErrors(name, [
      ...(settings.nodeLocalCache
        ? daemonSetIssues(cluster, { path: ["nodeLocalCache"], message: "must not be set" })
        : []),
      ...checkDns(settings, kubernetesVersion, true, cluster.dnsAddresses),
    ]);
    this.corefile = corefileText(settings);
    this.profile = dnsProfile(settings).rows;
    this.warnings = dnsWarnings(settings, kubernetesVersion, cluster.dnsAddresses);
    const patches = this.#adopted(name, settings, cluster);
    this.addon =
      host === undefined || settings.adopt !== undefined ? undefined : this.#addon(name, settings, cluster, host);
    this.addonArn = this.addon?.arn;
    const ready = this.addon === undefined ? patches : [this.addon];
    const local = this.#nodeLocalCache(name, settings, cluster, ready);
    this.addresses = local?.addresses ?? [];
    this.forPods = podDns(settings);
    this.registerOutputs({
      corefile: this.corefile,
      addresses: this.addresses,
      warnings: this.warnings,
      addonArn: this.addonArn,
      clusterSize: settings.clusterSize,
    });
  }

  #adopted(name: string, settings: DnsSettings, { provider, ready }: ClusterHandle): pulumi.Resource[] {
    const { adopt } = settings;
    if (!adopt?.manage) return [];
    return adoptCoreDns(name, settings, adopt, { parent: this, provider, dependsOn: [...ready] });
  }

  #addon(name: string, settings: DnsSettings, { ready }: ClusterHandle, host: AddonHost): aws.eks.Addon {
    return new aws.eks.Addon(
      `${name}-addon`,
      {
        clusterName: host.clusterName,
        addonName: "coredns",
        addonVersion: versionFor(name, settings, host, this),
        configurationValues: sortedJson(addonConfiguration(settings)),
        resolveConflictsOnCreate: settings.conflicts.onCreate,
        resolveConflictsOnUpdate: settings.conflicts.onUpdate,
        ...((settings.preserve ?? host.preserve) ? { preserve: true } : {}),
        tags: host.tags,
      },
      // Created before a node can run it, the add-on fails after 20 minutes.
      { parent: this, dependsOn: [...ready], customTimeouts: { ...settings.timeouts } },
    );
  }

  #nodeLocalCache(
    name: string,
    settings: DnsSettings,
    cluster: ClusterHandle,
    dependsOn: readonly pulumi.Resource[],
  ): NodeLocalCache | undefined {
    const cache = settings.nodeLocalCache;
    if (cache === undefined) return undefined;
    const coreDnsLabels = coreDnsPodsOfKubeSystem(settings).labels;
    const place = { coreDnsLabels, coreDnsPort: targetPort(settings) };
    const args = { cluster, ...cacheOptions(settings, cache), ...place, dependsOn };
    return new NodeLocalCache(`${name}-local`, args, { parent: this });
  }
}

/** Version to install; `checkDns` has already reported settings without one. */
function versionFor(
  name: string,
  settings: DnsSettings,
  host: AddonHost,
  parent: pulumi.Resource,
): pulumi.Input<string> {
  const { clusterName, kubernetesVersion } = host;
  if (kubernetesVersion === undefined)
    return (
      settings.addonVersion ??
      defaultVersion(clusterName, parent).apply((version) => checkedVersion(name, settings, version))
    );
  const version = addonVersion(settings, kubernetesVersion);
  if (version === undefined)
    throw new Error(`no version of the CoreDNS add-on is known for Kubernetes ${kubernetesVersion}`);
  return version;
}

/**
 * Checks the settings against a version looked up in AWS; before the lookup, only known versions could be checked.
 * @throws {ArgumentsError} for settings that this version rejects.
 */
export function checkedVersion(name: string, settings: DnsSettings, found: string): string {
  if (parseAddonVersion(found) !== undefined)
    throwErrors(name, addonIssues({ ...settings, addonVersion: found }, LOOKED_UP_VERSION));
  return found;
}

/** EKS's default version for the cluster's Kubernetes version. */
function defaultVersion(clusterName: pulumi.Input<string>, parent: pulumi.Resource): pulumi.Output<string> {
  const { version } = aws.eks.getClusterOutput({ name: clusterName }, { parent });
  return aws.eks.getAddonVersionOutput({ addonName: "coredns", kubernetesVersion: version }, { parent }).version;
}
