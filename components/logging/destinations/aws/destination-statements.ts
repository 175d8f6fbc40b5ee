import { bucketArn, logGroupArn, streamArn } from "../../../aws/partition.ts";
import {
  bucketStatements,
  logGroupStatements,
  type PolicyStatement,
  withUniqueSids,
} from "../../../aws/policy-statements.ts";
import type { Collector } from "../../collectors/collector.ts";
import { bucketName, logGroupName } from "../../pipeline.ts";
import type { Target } from "../../routing/routes.ts";
import { mskStatements } from "../kafka-settings.ts";
import { searchStatement } from "../search/search-settings.ts";

/** What the ARNs and default names of a destination's AWS resources contain. */
export interface ArnParts {
  /** Such as `aws`. */
  readonly partition: string;
  readonly region: string;
  /** Id of the account. */
  readonly account: string;
  /** Name of the cluster. */
  readonly cluster: string;
}

/** A destination, with what its collector may need there. */
export type StatementTarget = Pick<Target, "destination" | "suffix" | "places" | "sources">;

/** A collector's actions besides writing. */
export type ExtraActions = Pick<Collector, "logGroupActions" | "listsLogGroups" | "bucketKeyActions">;

/** The collector's permissions at a destination, with ids that are unique in the role's policy; empty outside AWS. */
export function destinationStatements(
  target: StatementTarget,
  collector: ExtraActions,
  parts: ArnParts,
): PolicyStatement[] {
  return withUniqueSids(plainStatements(target, collector, parts), target.suffix);
}

function plainStatements(
  { destination, suffix, places, sources }: StatementTarget,
  { logGroupActions: actions = [], listsLogGroups: lists = false, bucketKeyActions = [] }: ExtraActions,
  parts: ArnParts,
): PolicyStatement[] {
  const { region, account, cluster } = parts;
  switch (destination.kind) {
    case "cloudwatch": {
      // The audit log stays in the group that EKS writes it to.
      if (sources.every((source) => source === "audit")) return [];
      const anyGroup = logGroupArn(parts, account, "");
      const withTeams = !destination.existing && places.length > 0;
      return logGroupStatements(anyGroup, logGroupName(destination, cluster, suffix), { actions, lists, withTeams });
    }
    case "s3": {
      const arn = bucketArn(parts, bucketName(destination, cluster, region, suffix));
      return destination.existing
        ? bucketStatements(arn, destination.prefix, destination.kmsKeyArn, bucketKeyActions)
        : bucketStatements(arn, destination.prefix);
    }
    case "opensearch":
      return destination.sigv4 === undefined ? [] : [searchStatement(destination.sigv4)];
    case "kafka":
      return destination.mskArn === undefined ? [] : mskStatements(destination.mskArn, destination.topic);
    case "firehose":
      return [streamStatement(streamArn(parts, account, destination.stream))];
    default:
      return [];
  }
}

/** The collector role's permission for a Firehose stream. @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
function streamStatement(arn: string): PolicyStatement {
  return { Action: ["firehose:PutRecordBatch"], Effect: "Allow", Resource: [arn], Sid: "PutRecords" };
}

/** The collector's statements without its extra actions: the event reader, which is Fluent Bit, only writes. */
export function withoutExtras(
  statements: readonly PolicyStatement[],
  { logGroupActions = [], listsLogGroups = false, bucketKeyActions = [] }: ExtraActions,
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
