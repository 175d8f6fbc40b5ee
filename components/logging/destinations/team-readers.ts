import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PodIdentityHost } from "../../aws/partition.ts";
import { placeName } from "../indexing/team-places.ts";
import { bucketName, logGroupName } from "../pipeline.ts";
import type { Target } from "../routing/routes.ts";
import type { LateTarget } from "./aws/late-target.ts";

interface Place {
  readonly cluster: string;
  readonly host: PodIdentityHost;
  readonly parent: pulumi.Resource;
}

/** Actions to read one log group. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html */
const READ_GROUP = [
  "logs:DescribeLogStreams",
  "logs:FilterLogEvents",
  "logs:GetLogEvents",
  "logs:GetLogGroupFields",
  "logs:StartLiveTail",
  "logs:StartQuery",
];
/** Queries are not resources: anyone in the account with a query's id and these actions can read its result. */
const READ_QUERIES = ["logs:GetQueryResults", "logs:StopLiveTail", "logs:StopQuery"];

/**
 * For each team with its own places, an IAM policy that lets its members read these and nothing else. It is attached to nobody: membership
 * is managed where the members' roles are.
 * @returns The ARN of each policy, by team.
 */
export function teamReaders(
  name: string,
  targets: readonly LateTarget[],
  { cluster, host, parent }: Place,
): Record<string, pulumi.Output<string>> {
  const teams = [...new Set(targets.flatMap(({ places }) => places.flatMap(({ team }) => team ?? [])))].sort();
  if (teams.length === 0) return {};
  const { accountId } = aws.getCallerIdentityOutput({}, { parent });
  return Object.fromEntries(
    teams.map((team) => {
      const policy = new aws.iam.Policy(
        `${name}-readers.${team}`,
        {
          description: `Read the logs of team ${team} of cluster ${cluster}`,
          policy: pulumi
            .all([accountId, pulumi.all(targets.map(({ known }) => known))])
            .apply(([account, destinations]) => {
              const found = targets.map((target, at) => ({
                ...target,
                destination: destinations[at] ?? target.destination,
              }));
              return JSON.stringify({
                Statement: statementsOf(team, found, cluster, host, account),
                Version: "2012-10-17",
              });
            }),
          tags: host.tags,
        },
        { parent },
      );
      return [team, policy.arn];
    }),
  );
}

function statementsOf(
  team: string,
  targets: readonly Target[],
  cluster: string,
  { partition, region }: PodIdentityHost,
  account: string,
) {
  const split = targets.filter(({ places }) => places.some((place) => place.team === team));
  const groups = split.flatMap(({ destination, suffix }) =>
    destination.kind === "cloudwatch" ? [placeName(logGroupName(destination, cluster, suffix), team)] : [],
  );
  const arns = groups.map((group) => `arn:${partition}:logs:${region}:${account}:log-group:${group}`);
  const prefixes = split.flatMap(({ destination, suffix }) =>
    destination.kind === "s3"
      ? [
          {
            bucket: bucketName(destination, cluster, region, suffix),
            prefix: placeName(destination.prefix, team),
            key: destination.kmsKeyArn,
          },
        ]
      : [],
  );
  return [
    ...(arns.length === 0
      ? []
      : [
          { Action: READ_GROUP, Effect: "Allow", Resource: arns.flatMap((arn) => [arn, `${arn}:*`]) },
          { Action: READ_QUERIES, Effect: "Allow", Resource: "*" },
        ]),
    ...prefixes.flatMap(({ bucket, prefix, key }) => {
      const arn = `arn:${partition}:s3:::${bucket}`;
      const Condition = { StringLike: { "s3:prefix": [`${prefix}/*`] } };
      return [
        { Action: ["s3:GetObject"], Effect: "Allow", Resource: [`${arn}/${prefix}/*`] },
        { Action: ["s3:ListBucket"], Condition, Effect: "Allow", Resource: [arn] },
        ...(key === undefined ? [] : [{ Action: ["kms:Decrypt"], Effect: "Allow", Resource: [key] }]),
      ];
    }),
  ];
}
