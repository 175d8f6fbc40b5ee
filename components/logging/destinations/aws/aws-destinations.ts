import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { LogBucket } from "../../../aws/bucket.ts";
import { PodIdentity } from "../../../aws/iam.ts";
import { PodLogGroup } from "../../../aws/log-group.ts";
import type { PodIdentityHost } from "../../../aws/partition.ts";
import type { PolicyStatement } from "../../../aws/policy-statements.ts";
import type { TeamNamespaces } from "../../../kubernetes/labels.ts";
import type { Collector } from "../../collectors/collector.ts";
import { bucketName, EVENT_READER_NAME, logGroupName, withName } from "../../pipeline.ts";
import { placeName, type Target, targetsOf } from "../../routing/routes.ts";
import type { LoggingSettings } from "../../settings.ts";
import { isOnNode } from "../../sources/source.ts";
import {
  awsIdentitySetting,
  type Destination,
  type DestinationKind,
  type DestinationOf,
} from "../destination-settings.ts";
import { RETENTION } from "./aws-settings.ts";
import { destinationStatements, withoutExtras } from "./destination-statements.ts";

/** A destination with values that are only known during deployment. Which resources it needs does not depend on them. */
export interface LateTarget extends Target {
  /** The destination with all its values. */
  readonly known: pulumi.Output<Destination>;
}

/** Adds the values that are only known during deployment. @param resolved The settings of these targets, with all values. */
export function lateTargets(
  targets: readonly Target[],
  resolved: pulumi.Output<LoggingSettings>,
  teams: readonly TeamNamespaces[],
): LateTarget[] {
  return targets.map((target, index) => ({
    ...target,
    known: resolved.apply((settings) => targetsOf(settings, teams)[index]?.destination ?? target.destination),
  }));
}

/** A value of a destination of this kind, once known. */
export function whenKnown<K extends DestinationKind, T>(
  { known }: Pick<LateTarget, "known">,
  kind: K,
  of: (destination: DestinationOf<K>) => T,
): pulumi.Output<T> {
  return known.apply((destination) => {
    if (!isOfKind(destination, kind)) throw new Error(`destination ${destination.kind} was ${kind} before`);
    return of(destination);
  });
}

function isOfKind<K extends DestinationKind>(destination: Destination, kind: K): destination is DestinationOf<K> {
  return destination.kind === kind;
}

/** Name of the log group of a destination `cloudwatch`. */
function groupNameOf(target: LateTarget, cluster: string): pulumi.Output<string> {
  return whenKnown(target, "cloudwatch", (destination) => logGroupName(destination, cluster, target.suffix));
}

/** Name of the bucket of a destination `s3`. */
export function bucketNameOf(target: LateTarget, cluster: string, region: string): pulumi.Output<string> {
  return whenKnown(target, "s3", (destination) => bucketName(destination, cluster, region, target.suffix));
}

/** Where the AWS resources of destinations are created. */
export interface AwsPlace {
  /** Name of the cluster, as in default names of log groups and buckets. */
  readonly cluster: string;
  /** Namespace of the collectors. */
  readonly namespace: string;
  readonly host: PodIdentityHost;
  readonly parent: pulumi.Resource;
}

/** AWS resources of a collector's destinations. */
export interface AwsDestinations {
  /** Undefined if no destination needs one. */
  readonly identity: PodIdentity | undefined;
  /** Prerequisites of the collector: its identity, and the log groups and buckets that it writes to. */
  readonly ready: readonly pulumi.Resource[];
}

/** The AWS resources of all destinations, and the single identity that lets the collector write to them and nothing else. */
export function awsDestinations(
  name: string,
  targets: readonly LateTarget[],
  collector: Collector,
  place: AwsPlace,
): AwsDestinations {
  const all = targets.map((target) => ({
    target,
    resources: createResources(name, target, place),
    statements: statementsOf(target, collector, place),
  }));
  /** The identity of a service account that writes to some of the destinations. */
  const identityOf = (
    resource: string,
    serviceAccount: string,
    sendsTo: (target: LateTarget) => boolean,
    restrict = (statements: PolicyStatement[]) => statements,
  ) => {
    const statements = all.flatMap(({ target, statements: ofTarget }) =>
      sendsTo(target) ? (ofTarget?.apply(restrict) ?? []) : [],
    );
    const [first] = statements;
    if (first === undefined) return undefined;
    return new PodIdentity(
      resource,
      {
        host: place.host,
        namespace: place.namespace,
        serviceAccount,
        statements: statements.length === 1 ? first : pulumi.all(statements).apply((lists) => lists.flat()),
      },
      { parent: place.parent },
    );
  };
  const identity = identityOf(`${name}-identity`, collector.id, ({ sources }) => sources.some(isOnNode));
  const eventsIdentity = identityOf(
    `${name}-events-identity`,
    EVENT_READER_NAME,
    ({ sources }) => sources.includes("events"),
    (statements) => withoutExtras(statements, collector),
  );
  const associations = [identity, eventsIdentity].flatMap((podIdentity) => podIdentity?.association ?? []);
  return { identity, ready: [...associations, ...all.flatMap(({ resources }) => resources)] };
}

/** The collector's permissions at a destination; undefined if it needs none in AWS. */
function statementsOf(
  target: LateTarget,
  collector: Collector,
  { cluster, host, parent }: AwsPlace,
): pulumi.Output<PolicyStatement[]> | undefined {
  const { destination } = target;
  if (awsIdentitySetting(destination) === undefined) return undefined;
  const { partition, region } = host;
  const hasAccount = destination.kind === "cloudwatch" || destination.kind === "firehose";
  const account = hasAccount ? aws.getCallerIdentityOutput({}, { parent }).accountId : "";
  return pulumi
    .all([target.known, account])
    .apply(([known, id]) =>
      destinationStatements({ ...target, destination: known }, collector, { partition, region, account: id, cluster }),
    );
}

/** Creates a destination's resources. @param prefix Prefix of their names. @returns what a collector must wait for. */
function createResources(prefix: string, target: LateTarget, place: AwsPlace): pulumi.Resource[] {
  const { destination } = target;
  if (destination.kind === "cloudwatch") return createLogGroups(prefix, target, destination, place);
  return destination.kind === "s3" ? createBucket(prefix, target, destination, place) : [];
}

/** The teams' own log groups, and the one for all other lines, unless that exists already. */
function createLogGroups(
  prefix: string,
  target: LateTarget,
  destination: DestinationOf<"cloudwatch">,
  { cluster, host, parent }: AwsPlace,
): pulumi.Resource[] {
  const { suffix, places, sources } = target;
  const { existing, retentionDays = RETENTION.cloudwatch } = destination;
  if (existing || sources.every((source) => source === "audit")) return [];
  const groupName = groupNameOf(target, cluster);
  const resource = withName(`${prefix}-group`, suffix);
  const group = { host, groupName, retentionDays, class: destination.class };
  const ofTeams = places.flatMap(({ team }) => {
    if (team === undefined) return [];
    const teamGroup = {
      ...group,
      ...destination.teams?.[team],
      kmsKeyArn: logGroupKey(target, destination, team),
      groupName: groupName.apply((name) => placeName(name, team)),
    };
    return [new PodLogGroup(`${resource}.${team}`, teamGroup, { parent }).group];
  });
  const all = { ...group, kmsKeyArn: logGroupKey(target, destination) };
  return [...ofTeams, new PodLogGroup(resource, all, { parent }).group];
}

/** KMS key of a team's log group, or of the one for all other lines; undefined if the settings have none. */
function logGroupKey(
  target: LateTarget,
  { teams, kmsKeyArn }: DestinationOf<"cloudwatch">,
  team?: string,
): pulumi.Output<string> | undefined {
  const named = (team === undefined ? undefined : teams?.[team]?.kmsKeyArn) ?? kmsKeyArn;
  if (named === undefined) return undefined;
  return whenKnown(
    target,
    "cloudwatch",
    (settings) => (team === undefined ? undefined : settings.teams?.[team]?.kmsKeyArn) ?? settings.kmsKeyArn ?? "",
  );
}

/** A destination's bucket, unless it exists already. */
function createBucket(
  prefix: string,
  target: LateTarget,
  destination: DestinationOf<"s3">,
  { cluster, host, parent }: AwsPlace,
): pulumi.Resource[] {
  const { suffix, sources } = target;
  const { prefix: keys, existing, retentionDays = RETENTION.s3, teams = {} } = destination;
  if (existing) return [];
  const name = bucketNameOf(target, cluster, host.region);
  const takesDeliveries = sources.includes("auto-mode");
  const shorter = Object.fromEntries(
    Object.entries(teams).map(([team, ofTeam]) => [placeName(keys, team), ofTeam.retentionDays]),
  );
  const bucket = { host, bucketName: name, prefix: keys, retentionDays, takesDeliveries, shorter };
  const created = new LogBucket(withName(`${prefix}-bucket`, suffix), bucket, { parent });
  return [created.bucket, ...(takesDeliveries ? [created.policy] : [])];
}
