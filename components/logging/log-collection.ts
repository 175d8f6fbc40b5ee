import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { LogBucket } from "../aws/bucket.ts";
import { PodIdentity, type PodIdentityHost } from "../aws/iam.ts";
import { PodLogGroup } from "../aws/log-group.ts";
import type { ClusterHandle } from "../cluster/handle.ts";
import { commonLabels, podSecurityLabels } from "../kubernetes/labels.ts";
import type { EgressRule } from "../kubernetes/network-policy.ts";
import { COLLECTORS } from "./collectors/table.ts";
import { CollectorDaemonSet } from "./daemon-set.ts";
import { InClusterOpenSearch } from "./opensearch/in-cluster.ts";
import {
  bucketName,
  type DestinationContext,
  describeDestination,
  hasIndex,
  LOGGING_NAMESPACE,
  logGroupName,
  logPipeline,
} from "./pipeline.ts";
import { receiverEgress } from "./receiver.ts";
import type { LoggingSettings } from "./settings.ts";
import { type Sidecar, sidecarOf } from "./sidecar/sidecar.ts";
import { todaysIndices } from "./todays-indices.ts";

export interface LogCollectionArgs {
  readonly cluster: ClusterHandle;
  readonly settings: LoggingSettings;
  readonly teams: readonly { readonly name: string }[];
}

/** What collects the logs, in a namespace of its own, and the AWS resources that its destination needs. */
export class LogCollection extends pulumi.ComponentResource {
  /** Where the lines go, in words. */
  readonly destination: string;
  /** What collects beside each curl pod; undefined where a DaemonSet does. */
  readonly sidecar: Sidecar | undefined;
  /** Ways out of the teams' namespaces: to a sidecar's destination, or to a collector that receives from applications. */
  readonly egress: readonly EgressRule[];
  /** What must stand before a sidecar's pod starts. */
  readonly ready: readonly pulumi.Resource[];
  /** What the indices of today are called; none where the destination has no indices. */
  readonly indices: readonly string[];

  constructor(name: string, args: LogCollectionArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:logging:LogCollection", name, {}, { ...options, provider: args.cluster.provider });
    const { cluster, settings } = args;
    const collector = COLLECTORS[settings.collector];
    if (collector === undefined)
      throw new Error(`collector ${settings.collector} passed the settings and is not in the table`);

    // A collector on the node mounts the node's files, which only "privileged" allows.
    const level = settings.mode === "daemonset" ? "privileged" : "restricted";
    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: LOGGING_NAMESPACE, labels: { ...commonLabels("logging"), ...podSecurityLabels(level) } } },
      { parent: this, dependsOn: [...cluster.ready], deleteBeforeReplace: true },
    );
    const context = contextOf(cluster, settings.destination);
    const identity =
      cluster.podIdentity === undefined ? [] : this.#awsDestination(name, settings, context, cluster.podIdentity);
    const pipeline = logPipeline(settings, context);
    const { destination, index } = settings;
    const search =
      destination.kind === "opensearch" && destination.inCluster
        ? [
            new InClusterOpenSearch(
              `${name}-opensearch`,
              { storage: destination.storage, storageClass: destination.storageClass, after: [namespace] },
              { parent: this },
            ).statefulSet,
          ]
        : [];
    if (settings.mode === "daemonset") {
      const after = [namespace, ...identity, ...search];
      new CollectorDaemonSet(
        `${name}-${collector.id}`,
        { collector, rendered: collector.render(pipeline), destination, settings, after },
        { parent: this },
      );
    }

    this.sidecar = settings.mode === "sidecar" ? sidecarOf(collector, settings, context) : undefined;
    this.egress = this.sidecar?.egress ?? receiverEgress(collector);
    this.ready = search;
    this.destination = describeDestination(pipeline);
    this.indices = hasIndex(destination) ? todaysIndices(index, args.teams, new Date()) : [];
    this.registerOutputs({ destination: this.destination, indices: this.indices });
  }

  /** The AWS resources of a destination, and the identity by which the collector may write there. */
  #awsDestination(
    name: string,
    settings: LoggingSettings,
    context: DestinationContext,
    host: PodIdentityHost,
  ): pulumi.Resource[] {
    const { destination } = settings;
    const { logGroupActions: actions = [], listsLogGroups: lists = false } = COLLECTORS[settings.collector] ?? {};
    const target =
      destination.kind === "cloudwatch"
        ? new PodLogGroup(
            `${name}-group`,
            {
              host,
              groupName: logGroupName(destination, context.cluster),
              retentionDays: destination.retentionDays,
              actions,
              lists,
            },
            { parent: this },
          )
        : destination.kind === "s3"
          ? new LogBucket(
              `${name}-bucket`,
              {
                host,
                bucketName: context.bucket ?? "",
                prefix: destination.prefix,
                retentionDays: destination.retentionDays,
              },
              { parent: this },
            )
          : undefined;
    if (target === undefined) return [];
    const identity = new PodIdentity(
      `${name}-identity`,
      { host, namespace: LOGGING_NAMESPACE, serviceAccount: settings.collector, statements: target.statements },
      { parent: this },
    );
    return [identity.association];
  }
}

function contextOf(
  { name, podIdentity }: ClusterHandle,
  destination: LoggingSettings["destination"],
): DestinationContext {
  return {
    cluster: name,
    region: podIdentity?.region,
    bucket:
      podIdentity === undefined || destination.kind !== "s3"
        ? undefined
        : bucketName(destination, name, podIdentity.region),
  };
}
