import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { bucketStatements, LogBucket } from "../../aws/bucket.ts";
import { PodIdentity, type PolicyStatement } from "../../aws/iam.ts";
import { existingLogGroup, PodLogGroup } from "../../aws/log-group.ts";
import type { PodIdentityHost } from "../../aws/partition.ts";
import type { Collector } from "../collectors/collector.ts";
import { placeName } from "../indexing/team-places.ts";
import { EVENT_READER_NAME, LOGGING_NAMESPACE, withName } from "../pipeline.ts";
import { isOnNode } from "../sources/journal.ts";
import { searchStatement, streamStatement } from "./amazon.ts";
import { RETENTION } from "./destination-settings.ts";
import { mskStatements } from "./kafka.ts";
import { bucketNameOf, groupNameOf, type LateTarget, whenKnown } from "./late-target.ts";

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
  targets: readonly LateTarget[],
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
    wanted: (target: LateTarget) => boolean,
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
  target: LateTarget,
  { logGroupActions: actions = [], listsLogGroups: lists = false, bucketKeyActions = [] }: Collector,
  { cluster, host, parent }: Place,
  made: pulumi.Resource[],
): pulumi.Output<PolicyStatement[]> | undefined {
  const { suffix, destination, places, sources } = target;
  switch (destination.kind) {
    case "cloudwatch": {
      // The audit log stays in the group that EKS writes it to.
      if (sources.every((source) => source === "audit")) return undefined;
      const groupName = groupNameOf(target, cluster);
      const { existing, retentionDays = RETENTION.cloudwatch } = destination;
      if (existing) return sidsOf(existingLogGroup({ host, groupName, actions, lists }, parent), suffix);
      const resource = withName(`${prefix}-group`, suffix);
      const keyOf = (team?: string) => {
        const isGiven =
          (team === undefined ? undefined : destination.teams?.[team]?.kmsKeyArn) ?? destination.kmsKeyArn;
        if (isGiven === undefined) return undefined;
        return whenKnown(
          target,
          "cloudwatch",
          ({ teams, kmsKeyArn }) => (team === undefined ? undefined : teams?.[team]?.kmsKeyArn) ?? kmsKeyArn ?? "",
        );
      };
      const group = { host, groupName, retentionDays, class: destination.class, actions, lists };
      for (const { team } of places) {
        if (team === undefined) continue;
        const own = {
          ...group,
          ...destination.teams?.[team],
          kmsKeyArn: keyOf(team),
          groupName: groupName.apply((known) => placeName(known, team)),
        };
        made.push(new PodLogGroup(`${resource}.${team}`, own, { parent }).group);
      }
      const all = { ...group, kmsKeyArn: keyOf(), withTeams: places.length > 0 };
      const own = new PodLogGroup(resource, all, { parent });
      made.push(own.group);
      return sidsOf(own.statements, suffix);
    }
    case "s3": {
      const { prefix: keys, existing, retentionDays = RETENTION.s3 } = destination;
      const name = bucketNameOf(target, cluster, host.region);
      if (existing) {
        const key = whenKnown(target, "s3", ({ kmsKeyArn }) => kmsKeyArn);
        const statements = pulumi
          .all([name, key])
          .apply(([known, kmsKeyArn]) =>
            bucketStatements(`arn:${host.partition}:s3:::${known}`, keys, kmsKeyArn, bucketKeyActions),
          );
        return sidsOf(statements, suffix);
      }
      const bucket = {
        host,
        bucketName: name,
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
    case "opensearch": {
      if (destination.sigv4 === undefined) return undefined;
      const statements = whenKnown(target, "opensearch", ({ sigv4 }) => (sigv4 ? [searchStatement(sigv4)] : []));
      return sidsOf(statements, suffix);
    }
    case "kafka": {
      if (destination.mskArn === undefined) return undefined;
      const statements = whenKnown(target, "kafka", ({ mskArn, topic }) =>
        mskArn ? mskStatements(mskArn, topic) : [],
      );
      return sidsOf(statements, suffix);
    }
    case "firehose": {
      const { accountId } = aws.getCallerIdentityOutput({}, { parent });
      const stream = whenKnown(target, "firehose", (known) => known.stream);
      const statements = pulumi
        .all([accountId, stream])
        .apply(([account, known]) => [
          streamStatement(`arn:${host.partition}:firehose:${host.region}:${account}:deliverystream/${known}`),
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
