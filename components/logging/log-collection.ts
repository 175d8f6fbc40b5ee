import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterHandle, requiredHandle, withClusterProvider } from "../cluster/handle.ts";
import { commonLabels, podSecurityLabels, type TeamNamespaces } from "../kubernetes/labels.ts";
import type { EgressRule } from "../kubernetes/network-policy.ts";
import { checkedText } from "../schema/arguments.ts";
import { Image } from "../schema/values.ts";
import { knownSettings, requireCluster, resolvedSettings } from "./argument-settings.ts";
import { type Carrier, carriersOf, pipelineOf, stateLimit } from "./carriers.ts";
import type { Collector } from "./collectors/collector.ts";
import { COLLECTORS } from "./collectors/index.ts";
import { awsDestinations, type LateTarget, lateTargets } from "./destinations/aws/aws-destinations.ts";
import { InClusterOpenSearch, type InClusterOpenSearchArgs } from "./destinations/search/in-cluster-opensearch.ts";
import { readerPolicies, readerRoles } from "./destinations/team-readers.ts";
import { receiverEgress } from "./destinations/transport.ts";
import type { LogCollectionArgs } from "./log-collection-args.ts";
import { type DestinationContext, describeDestinations, EVENT_READER_NAME, hasIndex, logPipeline } from "./pipeline.ts";
import { indicesOfTarget, type Target, targetsOf } from "./routing/routes.ts";
import type { LoggingSettings } from "./settings.ts";
import { AuditLog } from "./sources/audit-log.ts";
import { AutoModeLogs } from "./sources/auto-mode-logs.ts";
import { journalSources } from "./sources/source.ts";
import { CollectorDaemonSet, EventReader } from "./workloads/collector-workloads.ts";
import { type Sidecar, sidecarOf } from "./workloads/sidecar.ts";

/** Inputs of the collector's pods, besides the collector. */
interface WorkloadContext {
  readonly settings: LoggingSettings;
  /** The settings with values known only during deployment. */
  readonly resolved: pulumi.Output<LoggingSettings>;
  readonly targets: readonly Target[];
  readonly context: DestinationContext;
  readonly image: LogCollectionArgs["image"];
  readonly dependsOn: readonly pulumi.Resource[];
}

/**
 * The log collectors, in their own namespace, and the AWS resources of their destinations.
 * @throws {ArgumentsError} for conflicting arguments; during deployment if they depend on an output.
 */
export class LogCollection extends pulumi.ComponentResource {
  /** Description of where the lines go. */
  readonly destination: pulumi.Output<string>;
  /** The collector beside each curl pod; undefined if a DaemonSet collects. */
  readonly sidecar: Sidecar | undefined;
  /** Egress rules of the teams' namespaces: to a sidecar's destination, or to a collector that receives from applications. */
  readonly egress: readonly EgressRule[];
  /** Prerequisites of pods with a sidecar. */
  readonly ready: readonly pulumi.Resource[];
  /** Today's index names; empty if the destination has no indices. */
  readonly indices: readonly string[];
  /** ARN of the collector's IAM role, for a domain's role mapping or a collection's data access policy; undefined without one. */
  readonly roleArn: pulumi.Output<string> | undefined;
  /** ARN of an IAM policy to read a team's log groups and prefixes, by team; empty if lines are not split by team in AWS. */
  readonly readerPolicies: Readonly<Record<string, pulumi.Output<string>>>;
  /** Roles of OpenSearch's security plugin to read a team's lines, as JSON by name; empty without a destination that has the plugin. */
  readonly readerRoles: Readonly<Record<string, string>>;

  constructor(name: string, args: LogCollectionArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:logging:LogCollection", name, {}, withClusterProvider(options, requiredHandle(name, args)));
    const settings = knownSettings(name, args);
    const { cluster, teams = [] } = args;
    const image = args.image === undefined ? undefined : checkedText(`${name}.image`, Image, args.image);
    const collector = COLLECTORS[settings.collector];
    requireCluster(name, cluster, settings);

    // A collector on the node mounts the node's files, which only "privileged" allows.
    const level = settings.mode === "daemonset" ? "privileged" : "restricted";
    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: settings.namespace, labels: { ...commonLabels("logging"), ...podSecurityLabels(level) } } },
      { parent: this, dependsOn: [...cluster.ready], deleteBeforeReplace: true },
    );
    const resolvedArgs = resolvedSettings(name, args, settings);
    const targets = lateTargets(targetsOf(settings, teams), resolvedArgs, teams);
    const context: DestinationContext = {
      cluster: cluster.name,
      region: cluster.podIdentity?.region,
      ipFamily: cluster.ipFamily,
      teams,
      clusterDomain: args.clusterDomain,
    };
    const { identity, ready: awsResources } =
      cluster.podIdentity === undefined
        ? { identity: undefined, ready: [] }
        : awsDestinations(name, targets, collector, {
            cluster: cluster.name,
            namespace: settings.namespace,
            host: cluster.podIdentity,
            parent: this,
          });
    this.readerPolicies =
      cluster.podIdentity === undefined
        ? {}
        : readerPolicies(name, targets, { cluster: cluster.name, host: cluster.podIdentity, parent: this });
    this.#awsSources(name, settings, targets, cluster, awsResources);
    const resolved = withAccount(resolvedArgs, settings, collector, cluster, this);
    const roles = Object.entries(readerRoles(cluster.name, targets, teams));
    this.readerRoles = Object.fromEntries(roles.map(([role, body]) => [role, JSON.stringify(body)]));
    const openSearch = this.#openSearch(name, targets, { namespace: settings.namespace, dependsOn: [namespace] });
    if (settings.mode === "daemonset")
      this.#workloads(name, collector, {
        settings,
        resolved,
        targets,
        context,
        image,
        dependsOn: [namespace, ...awsResources, ...openSearch],
      });
    this.sidecar = settings.mode === "sidecar" ? sidecarOf(collector, settings, context, image) : undefined;
    this.egress = this.sidecar?.egress ?? receiverEgress(collector, settings.namespace);
    this.ready = openSearch;
    this.destination = resolved.apply((known) => describeDestinations(logPipeline(known, context)));
    this.indices = indicesOf(targets, teams);
    this.roleArn = identity?.roleArn;
    this.registerOutputs({ destination: this.destination, indices: this.indices });
  }

  /** OpenSearch in the cluster, for each destination that is this stack's. */
  #openSearch(
    name: string,
    targets: readonly LateTarget[],
    place: Pick<InClusterOpenSearchArgs, "namespace" | "dependsOn">,
  ): k8s.apps.v1.StatefulSet[] {
    return targets.flatMap(({ destination }) => {
      if (destination.kind !== "opensearch" || !destination.inCluster) return [];
      const { storage, storageClass } = destination;
      return new InClusterOpenSearch(`${name}-opensearch`, { ...place, storage, storageClass }, { parent: this })
        .statefulSet;
    });
  }

  /** Sources that AWS delivers to the destinations. */
  #awsSources(
    name: string,
    { sources }: LoggingSettings,
    targets: readonly LateTarget[],
    { name: cluster, podIdentity: host, logTypes, ready }: ClusterHandle,
    awsResources: readonly pulumi.Resource[],
  ): void {
    if (host === undefined) return;
    const common = { host, cluster, targets, dependsOn: [...ready, ...awsResources] };
    if (sources.includes("audit")) new AuditLog(`${name}-audit`, { ...common, logTypes }, { parent: this });
    if (sources.includes("auto-mode")) new AutoModeLogs(`${name}-auto-mode`, common, { parent: this });
  }

  /** The collector on each node, and the event reader if events are a source. */
  #workloads(name: string, collector: Collector, workload: WorkloadContext): void {
    const { settings, resolved, targets, context, image, dependsOn } = workload;
    const [onNodes, reader] = carriersOf(settings);
    const argsOf = ({ collector: program, carries, settings: carried }: Carrier, index: number) => {
      // Parts that need no late value are known in a preview.
      const planned = program.render(pipelineOf({ settings: carried, carries }, context));
      const files = resolved.apply((resolvedSettings) => {
        const carrier = carriersOf(resolvedSettings)[index];
        return carrier === undefined ? {} : program.render(pipelineOf(carrier, context)).files;
      });
      return {
        namespace: settings.namespace,
        collector: program,
        files,
        args: planned.args,
        environment: planned.environment,
        destinations: targets.filter(({ sources }) => sources.some(carries)),
        senders: planned.senders,
        resources: carried.resources,
        image: (index > 0 ? carried.events.image : undefined) ?? (program.id === collector.id ? image : undefined),
        dependsOn: [...dependsOn],
      };
    };
    const journal = journalSources(settings.sources).length > 0;
    new CollectorDaemonSet(`${name}-${collector.id}`, { ...argsOf(onNodes, 0), journal }, { parent: this });
    if (reader !== undefined)
      new EventReader(
        `${name}-${EVENT_READER_NAME}`,
        { ...argsOf(reader, 1), stateLimit: stateLimit(reader) },
        { parent: this },
      );
  }
}

/**
 * Adds the AWS account id to the settings if records name the cluster and the stack does not set it. Not for sidecars, whose files must be
 * known before deployment.
 */
function withAccount(
  resolved: pulumi.Output<LoggingSettings>,
  { metadata, mode }: LoggingSettings,
  collector: Collector,
  { podIdentity }: ClusterHandle,
  parent: pulumi.Resource,
): pulumi.Output<LoggingSettings> {
  const isNamed = metadata.cluster ?? collector.processing.fields === true;
  if (!isNamed || metadata.accountId !== undefined) return resolved;
  if (podIdentity === undefined || mode === "sidecar") return resolved;
  const { accountId } = aws.getCallerIdentityOutput({}, { parent });
  return pulumi
    .all([resolved, accountId])
    .apply(([known, account]) => ({ ...known, metadata: { ...known.metadata, accountId: account } }));
}

/** Today's index names of all destinations with indices. */
function indicesOf(targets: readonly Target[], teams: readonly TeamNamespaces[]): string[] {
  const now = new Date();
  const names = targets.flatMap((target) => (hasIndex(target.destination) ? indicesOfTarget(target, teams, now) : []));
  return [...new Set(names)].sort();
}
