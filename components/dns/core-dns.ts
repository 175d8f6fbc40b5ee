import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import { addonConfiguration, sortedJson } from "./addon/configuration.ts";
import { ADDON_VERSIONS } from "./addon/versions.ts";
import { corefileText } from "./corefile/from-settings.ts";
import type { DnsSettings } from "./settings.ts";

export interface CoreDnsArgs {
  readonly cluster: ClusterHandle;
  readonly settings: DnsSettings;
}

/**
 * CoreDNS as an EKS add-on of its own. On a cluster that takes no add-ons nothing is registered: CoreDNS there belongs to
 * whoever made the cluster, and the Corefile is only rendered.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
 */
export class CoreDns extends pulumi.ComponentResource {
  /** The rendered Corefile. */
  readonly corefile: string;
  /** Addresses that answer DNS beside the CoreDNS pods, which network policies must let through. */
  readonly addresses: readonly string[];
  /** The add-on; undefined where the cluster takes none. */
  readonly addon: aws.eks.Addon | undefined;

  constructor(name: string, args: CoreDnsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:dns:CoreDns", name, {}, options);
    const { cluster, settings } = args;
    this.corefile = corefileText(settings);
    this.addresses = settings.nodeLocalCache === undefined ? [] : [settings.nodeLocalCache.address];

    const host = cluster.addons;
    if (host !== undefined) {
      const version = settings.addonVersion ?? ADDON_VERSIONS[host.kubernetesVersion];
      if (version === undefined) throw new Error(`no CoreDNS add-on version for Kubernetes ${host.kubernetesVersion}`);
      this.addon = new aws.eks.Addon(
        `${name}-addon`,
        {
          clusterName: host.clusterName,
          addonName: "coredns",
          addonVersion: version,
          configurationValues: sortedJson(addonConfiguration(settings)),
          resolveConflictsOnCreate: settings.conflicts.onCreate,
          resolveConflictsOnUpdate: settings.conflicts.onUpdate,
          tags: host.tags,
        },
        // Made before a node can run it, the add-on waits for 20 minutes and fails.
        { parent: this, dependsOn: [...cluster.ready], customTimeouts: { ...settings.timeouts } },
      );
    }
    this.registerOutputs({ corefile: this.corefile, addresses: this.addresses, addonArn: this.addon?.arn });
  }
}
