import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { bucketStatements, LogBucket } from "../../aws/bucket.ts";
import { PodIdentity, type PolicyStatement } from "../../aws/iam.ts";
import { existingLogGroup, PodLogGroup } from "../../aws/log-group.ts";
import type { PodIdentityHost } from "../../aws/partition.ts";
import type { Collector } from "../collectors/collector.ts";
import { placeName } from "../indexing/team-places.ts";
import { bucketName, EVENT_READER_NAME, LOGGING_NAMESPACE, logGroupName, withName } from "../pipeline.ts";
import type { Target } from "../routing/routes.ts";
import { isOnNode } from "../sources/journal.ts";
import { searchStatement, streamStatement } from "./amazon.ts";
import { RETENTION } from "./destination-settings.ts";
import { mskStatements } from "./kafka.ts";

interface Place {
  readonly cluster: string;
  readonly host: PodIdentityHost;
  readonly parent: pulumi.Resource;
}

/** What the destinations of a collector have in AWS. */
export interface AwsDestinations {
  /** Undefined where no destination needs one. */
  readonly identity: PodIdentity | undefined;
  /** What must stand before the collector starts: its identity, and the log groups and buckets that it writes to. */
  readonly ready: readonly pulumi.Resource[];
}

/** The AWS resources of all destinations, and the one identity by which the collector may write to them and to nothing else. */
export function awsDestinations(
  name: string,
  targets: readonly Target[],
  collector: Collector,
  place: Place,
): AwsDestinations {
  const made: pulumi.Resource[] = [];
  const all = targets.map((target) => ({
    target,
    statements: statementsOf(name, target, collector, place, made),
  }));
  const identityOf = (
    resource: string,
    serviceAccount: string,
    wanted: (target: Target) => boolean,
    rights = (statements: PolicyStatement[]) => statements,
  ) => {
    const statements = all.flatMap(({ target, statements: own }) => (wanted(target) ? (own?.apply(rights) ?? []) : []));
    const [first] = statements;
    if (first === undefined) return undefined;
    return new PodIdentity(
      resource,
      {
        host: place.host,
        namespace: LOGGING_NAMESPACE,
        serviceAccount,
        statements: statements.length === 1 ? first : pulumi.all(statements).apply((each) => each.flat()),
      },
      { parent: place.parent },
    );
  };
  const identity = identityOf(`${name}-identity`, collector.id, ({ sources }) => sources.some(isOnNode));
  const ofEvents = identityOf(
    `${name}-events-identity`,
    EVENT_READER_NAME,
    ({ sources }) => sources.includes("events"),
    (statements) => withoutExtras(statements, collector),
  );
  const associations = [identity, ofEvents].flatMap((each) => each?.association ?? []);
  return { identity, ready: [...associations, ...made] };
}

/** What the collector may do without what it alone asks for: the reader of events, which is Fluent Bit, writes and does nothing else. */
function withoutExtras(
  statements: readonly PolicyStatement[],
  { logGroupActions = [], listsLogGroups = false, bucketKeyActions = [] }: Collector,
): PolicyStatement[] {
  const extras = new Set([
    ...logGroupActions,
    ...bucketKeyActions,
    ...(listsLogGroups ? ["logs:DescribeLogGroups"] : []),
  ]);
  return statements
    .map((statement) => ({ ...statement, Action: statement.Action.filter((action) => !extras.has(action)) }))
    .filter(({ Action }) => Action.length > 0);
}

/**
 * Makes what a destination needs.
 * @param made Gets what is made.
 * @returns What the collector may do there, or undefined for a destination outside AWS.
 */
function statementsOf(
  prefix: string,
  { suffix, destination, places, sources }: Target,
  { logGroupActions: actions = [], listsLogGroups: lists = false, bucketKeyActions = [] }: Collector,
  { cluster, host, parent }: Place,
  made: pulumi.Resource[],
): pulumi.Output<PolicyStatement[]> | undefined {
  switch (destination.kind) {
    case "cloudwatch": {
      // The audit log stays in the group that EKS writes it to.
      if (sources.every((source) => source === "audit")) return undefined;
      const groupName = logGroupName(destination, cluster, suffix);
      const { existing, retentionDays = RETENTION.cloudwatch } = destination;
      if (existing) return sidsOf(existingLogGroup({ host, groupName, actions, lists }, parent), suffix);
      const resource = withName(`${prefix}-group`, suffix);
      const group = {
        host,
        groupName,
        retentionDays,
        class: destination.class,
        kmsKeyArn: destination.kmsKeyArn,
        actions,
        lists,
      };
      for (const { team } of places) {
        if (team === undefined) continue;
        const own = { ...group, ...destination.teams?.[team], groupName: placeName(groupName, team) };
        made.push(new PodLogGroup(`${resource}.${team}`, own, { parent }).group);
      }
      const own = new PodLogGroup(resource, { ...group, withTeams: places.length > 0 }, { parent });
      made.push(own.group);
      return sidsOf(own.statements, suffix);
    }
    case "s3": {
      const { prefix: keys, existing, kmsKeyArn, retentionDays = RETENTION.s3 } = destination;
      if (existing) {
        const arn = `arn:${host.partition}:s3:::${bucketName(destination, cluster, host.region, suffix)}`;
        return sidsOf(pulumi.output(bucketStatements(arn, keys, kmsKeyArn, bucketKeyActions)), suffix);
      }
      const bucket = {
        host,
        bucketName: bucketName(destination, cluster, host.region, suffix),
        prefix: keys,
        retentionDays,
        takesDeliveries: sources.includes("auto-mode"),
        shorter: Object.fromEntries(
          Object.entries(destination.teams ?? {}).map(([team, own]) => [placeName(keys, team), own.retentionDays]),
        ),
      };
      const own = new LogBucket(withName(`${prefix}-bucket`, suffix), bucket, { parent });
      made.push(own.bucket, ...(bucket.takesDeliveries ? [own.policy] : []));
      return sidsOf(own.statements, suffix);
    }
    case "opensearch":
      return destination.sigv4 && sidsOf(pulumi.output([searchStatement(destination.sigv4)]), suffix);
    case "kafka": {
      const { mskArn, topic } = destination;
      return mskArn === undefined ? undefined : sidsOf(pulumi.output(mskStatements(mskArn, topic)), suffix);
    }
    case "firehose": {
      const { accountId } = aws.getCallerIdentityOutput({}, { parent });
      const statements = accountId.apply((account) => [
        streamStatement(
          `arn:${host.partition}:firehose:${host.region}:${account}:deliverystream/${destination.stream}`,
        ),
      ]);
      return sidsOf(statements, suffix);
    }
    default:
      return undefined;
  }
}

/** Statements whose ids are unique in the policy of several destinations. An id has letters and digits alone. */
function sidsOf(
  statements: pulumi.Output<PolicyStatement[]>,
  name: string | undefined,
): pulumi.Output<PolicyStatement[]> {
  if (name === undefined) return statements;
  const suffix = name
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  return statements.apply((all) => all.map((statement) => ({ ...statement, Sid: `${statement.Sid}${suffix}` })));
}
