import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { LogBucket } from "../aws/bucket.ts";
import { PodIdentity } from "../aws/iam.ts";
import { PodLogGroup } from "../aws/log-group.ts";
import type { PodIdentityHost } from "../aws/partition.ts";
import type { ClusterHandle } from "../cluster/handle.ts";
import { commonLabels, podSecurityLabels } from "../kubernetes/labels.ts";
import type { EgressRule } from "../kubernetes/network-policy.ts";
import { errorMap, issuesOf, SettingsError, type SettingsIssue } from "../schema/errors.ts";
import type { Collector } from "./collectors/collector.ts";
import { COLLECTORS } from "./collectors/index.ts";
import { CollectorDaemonSet } from "./daemon-set.ts";
import { receiverEgress } from "./egress.ts";
import { InClusterOpenSearch } from "./in-cluster-opensearch.ts";
import { todaysIndices } from "./index-format.ts";
import type { LogCollectionArgs } from "./log-collection-args.ts";
import {
  bucketName,
  type DestinationContext,
  describeDestination,
  hasIndex,
  LOGGING_NAMESPACE,
  logGroupName,
  logPipeline,
} from "./pipeline.ts";
import { LoggingSettings } from "./settings.ts";
import { type Sidecar, sidecarOf } from "./sidecar.ts";
import { checkPipeline } from "./validation.ts";

/**
 * What collects the logs, in a namespace of its own, and the AWS resources that its destination needs.
 * @throws {SettingsError} for arguments that cannot work together; in the deployment, if they depend on an output.
 */
export class LogCollection extends pulumi.ComponentResource {
  /** Where the lines go, in words. */
  readonly destination: pulumi.Output<string>;
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
    const { cluster, teams = [] } = args;
    const settings = knownSettings(name, args);
    const collector = collectorOf(settings);
    requirePodIdentity(name, cluster, settings);

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
    const pipeline = resolvedSettings(name, args, settings).apply((resolved) => logPipeline(resolved, context));
    const { destination, index } = settings;
    const search =
      destination.kind === "opensearch" && destination.inCluster
        ? [
            new InClusterOpenSearch(
              `${name}-opensearch`,
              { storage: destination.storage, storageClass: destination.storageClass, dependsOn: [namespace] },
              { parent: this },
            ).statefulSet,
          ]
        : [];
    if (settings.mode === "daemonset") {
      const { args: containerArgs, environment } = collector.render(logPipeline(settings, context));
      new CollectorDaemonSet(
        `${name}-${collector.id}`,
        {
          collector,
          files: pipeline.apply((resolved) => collector.render(resolved).files),
          args: containerArgs,
          environment,
          destination,
          resources: settings.resources,
          image: args.image,
          dependsOn: [namespace, ...identity, ...search],
        },
        { parent: this },
      );
    }

    this.sidecar = settings.mode === "sidecar" ? sidecarOf(collector, settings, context, args.image) : undefined;
    this.egress = this.sidecar?.egress ?? receiverEgress(collector);
    this.ready = search;
    this.destination = pipeline.apply(describeDestination);
    this.indices = hasIndex(destination) ? todaysIndices(index, teams, new Date()) : [];
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
    const { logGroupActions: actions = [], listsLogGroups: lists = false } = collectorOf(settings);
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

/** Stand in for an address that only the deployment knows. */
const UNKNOWN_HOST = "known-after-deployment.invalid";
const UNKNOWN_URL = `https://${UNKNOWN_HOST}`;

/** The settings as far as they are known before the deployment. */
function knownSettings(name: string, args: LogCollectionArgs): LoggingSettings {
  const { destination, mode, image } = args;
  const address = addressOf(destination);
  if (address === undefined || typeof address.value === "string") return checkedSettings(name, args, destination);
  if (mode === "sidecar") {
    const message =
      "must be a string, not an output, with mode sidecar, since the teams' network policies depend on it";
    throw new SettingsError([{ path: [name, "destination", address.key], message }]);
  }
  const standIn = address.key === "host" ? UNKNOWN_HOST : UNKNOWN_URL;
  return checkedSettings(name, { ...args, image }, { ...destination, [address.key]: standIn });
}

/** The settings once all outputs among the arguments are known. */
function resolvedSettings(
  name: string,
  args: LogCollectionArgs,
  known: LoggingSettings,
): pulumi.Output<LoggingSettings> {
  const { destination } = args;
  const address = addressOf(destination);
  if (address === undefined || typeof address.value === "string") return pulumi.output(known);
  return pulumi
    .output(address.value)
    .apply((value) => checkedSettings(name, args, { ...destination, [address.key]: value }));
}

function addressOf(
  destination: LogCollectionArgs["destination"],
): { readonly key: "host" | "url"; readonly value: pulumi.Input<string> } | undefined {
  switch (destination?.kind) {
    case "opensearch":
    case "elasticsearch":
      return destination.host === undefined ? undefined : { key: "host", value: destination.host };
    case "http":
    case "loki":
      return { key: "url", value: destination.url };
    default:
      return undefined;
  }
}

function checkedSettings(
  name: string,
  { cluster: _cluster, teams: _teams, image, ...args }: LogCollectionArgs,
  destination: object | undefined,
): LoggingSettings {
  const given = { ...args, destination, image: typeof image === "string" ? image : undefined };
  const parsed = LoggingSettings.safeParse(given, { error: errorMap });
  const issues: SettingsIssue[] = parsed.success
    ? checkPipeline(parsed.data).map((issue) => ({ ...issue, path: [name, ...issue.path] }))
    : issuesOf(parsed.error, given, [name]);
  const errors = issues.filter(({ severity }) => severity !== "warning");
  if (!parsed.success || errors.length > 0) throw new SettingsError(errors);
  return parsed.data;
}

function requirePodIdentity(name: string, { podIdentity }: ClusterHandle, { destination: { kind } }: LoggingSettings) {
  if (podIdentity !== undefined || (kind !== "cloudwatch" && kind !== "s3")) return;
  const message = "must not need an AWS identity, since the cluster has no podIdentity";
  throw new SettingsError([{ path: [name, "destination", "kind"], message, value: kind }]);
}

function collectorOf({ collector }: LoggingSettings): Collector {
  const found = COLLECTORS[collector];
  if (found === undefined) throw new Error(`collector ${collector} passed the settings and is not in the table`);
  return found;
}
